//! How many requests planning takes: only what changes is asked about.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use super::{chart, deployment};
use crate::support::{Place, Run, testbed};

/// The requests that went through, by their first lines.
type Log = Arc<Mutex<Vec<String>>>;

/// `kubectl proxy`, and before it a listener that writes down every request.
pub(crate) struct Listening {
    proxy: Child,
    pub(super) kubeconfig: String,
    log: Log,
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.proxy.kill();
        let _ = self.proxy.wait();
    }
}

impl Listening {
    pub(crate) fn on(place: &Place) -> Self {
        let socket = place.folder().join("proxy.sock");
        let mut proxy = Command::new(testbed().bin.join("kubectl"))
            .args(["proxy", "--unix-socket"])
            .arg(&socket)
            .env("KUBECONFIG", &testbed().kubeconfig)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // It says where it listens once it does.
        let mut word = [0; 8];
        proxy
            .stdout
            .as_mut()
            .unwrap()
            .read_exact(&mut word)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let log = Log::default();
        let written = Arc::clone(&log);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = std::os::unix::net::UnixStream::connect(&socket).unwrap();
                let log = Arc::clone(&written);
                relay(client, server, log);
            }
        });
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: a\n\
             contexts: [{{name: a, context: {{cluster: a, user: a}}}}]\n\
             clusters: [{{name: a, cluster: {{server: 'http://{address}'}}}}]\nusers: [{{name: a, user: {{}}}}]\n"
        );
        Self {
            proxy,
            kubeconfig: place.file("proxied", &text),
            log,
        }
    }

    /// Runs pintle, and tells the requests that it has made.
    pub(crate) fn requests(&self, place: &Place, args: &[&str]) -> Vec<String> {
        let (run, requests) = self.watch(place, args);
        run.ok();
        requests
    }

    /// The same without reads.
    pub(crate) fn writes(&self, place: &Place, args: &[&str]) -> Vec<String> {
        let (run, writes) = self.run(place, args);
        run.ok();
        writes
    }

    /// Runs pintle, and tells how it ended and the requests that it has made other than reads.
    pub(crate) fn run(&self, place: &Place, args: &[&str]) -> (Run, Vec<String>) {
        let (run, mut requests) = self.watch(place, args);
        requests.retain(|line| !line.starts_with("GET"));
        (run, requests)
    }

    fn watch(&self, place: &Place, args: &[&str]) -> (Run, Vec<String>) {
        self.log.lock().unwrap().clear();
        let through = ["--kubeconfig", &self.kubeconfig];
        let run = place.pintle(&[args, &through].concat());
        (run, self.log.lock().unwrap().clone())
    }

    /// The requests since the last call, other than reads.
    pub(super) fn taken(&self) -> Vec<String> {
        let mut log = std::mem::take(&mut *self.log.lock().unwrap());
        log.retain(|line| !line.starts_with("GET"));
        log
    }
}

fn relay(client: TcpStream, server: std::os::unix::net::UnixStream, log: Log) {
    let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    thread::spawn(move || {
        let mut buffer = vec![0; 65536];
        while let Ok(count) = from.read(&mut buffer) {
            if count == 0 {
                break;
            }
            let text = String::from_utf8_lossy(&buffer[..count]);
            let lines = text.lines().filter(|line| line.ends_with(" HTTP/1.1"));
            log.lock().unwrap().extend(lines.map(str::to_owned));
            to.write_all(&buffer[..count]).unwrap();
        }
        let _ = to.shutdown(Shutdown::Write);
    });
    let (mut from, mut to) = (server, client);
    thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
}

fn forty(place: &Place, value: &str) -> String {
    let map = |number: u8| {
        let value = if number < 2 { value } else { "same" };
        format!(
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: m{number}}}\ndata: {{a: {value}}}\n"
        )
    };
    let maps: String = (0..39).map(map).collect();
    let web = deployment("web", 1, "").replace("app:1", &format!("app:{value}"));
    chart(place, "forty", &format!("{maps}{web}"))
}

#[test]
fn only_what_changes_is_asked_about() {
    let place = Place::new("requests");
    let listening = Listening::on(&place);
    let (first, second) = (forty(&place, "one"), forty(&place, "one"));
    let tried = |requests: &[String]| {
        let tried = requests.iter().filter(|line| line.contains("dryRun=All"));
        tried.count()
    };
    let install = listening.writes(&place, &["install", "forty", &first, "--no-wait"]);
    assert_eq!(tried(&install), 41, "{install:#?}");
    let none = listening.writes(&place, &["upgrade", "forty", &second, "--no-wait"]);
    assert_eq!(none, [] as [&str; 0]);
    let second = forty(&place, "two");
    let upgrade = ["upgrade", "forty", &second, "--no-wait"];
    let changes = listening.writes(&place, &[&upgrade[..], &["--dry-run"]].concat());
    // Three changes, and a pod of the new template.
    assert_eq!((tried(&changes), changes.len()), (4, 4), "{changes:#?}");
    let unasked = [&upgrade[..], &["--dry-run", "--no-validate"]].concat();
    assert_eq!(listening.writes(&place, &unasked), [] as [&str; 0]);
}
