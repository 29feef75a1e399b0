//! What a client asks the API server, written down.
//!
//! A kubeconfig comes in, another one goes out, which leads through `kubectl proxy` and a listener before
//! it. The first line of each request is kept. What the requests mean is left to the callers.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// The requests that went through, by their first lines.
type Log = Arc<Mutex<Vec<String>>>;

/// A way to the API server on which every request is written down. It ends when it is dropped.
#[derive(Debug)]
pub struct Recorder {
    proxy: Child,
    kubeconfig: PathBuf,
    log: Log,
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let _ = self.proxy.kill();
        let _ = self.proxy.wait();
    }
}

impl Recorder {
    /// Starts one to where `kubeconfig` leads, as whom it says. Its files are in `folder`.
    ///
    /// # Errors
    /// If the program `kubectl` does not run, or `folder` takes no files.
    pub fn start(kubectl: &Path, kubeconfig: &Path, folder: &Path) -> io::Result<Self> {
        let socket = folder.join("proxy.sock");
        let mut proxy = Command::new(kubectl)
            .args(["proxy", "--unix-socket"])
            .arg(&socket)
            .env("KUBECONFIG", kubeconfig)
            .stdout(Stdio::piped())
            .spawn()?;
        // It says where it listens once it does.
        let mut word = [0; 8];
        if let Some(said) = &mut proxy.stdout {
            said.read_exact(&mut word)?;
        }
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let log = Log::default();
        let written = Arc::clone(&log);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                // A client that cannot be served sees its connection end.
                let _ = UnixStream::connect(&socket)
                    .and_then(|server| relay(&client, &server, &written));
            }
        });
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: a\n\
             contexts: [{{name: a, context: {{cluster: a, user: a}}}}]\n\
             clusters: [{{name: a, cluster: {{server: 'http://{address}'}}}}]\nusers: [{{name: a, user: {{}}}}]\n"
        );
        let kubeconfig = folder.join("recorded.kubeconfig");
        fs::write(&kubeconfig, text)?;
        Ok(Self {
            proxy,
            kubeconfig,
            log,
        })
    }

    /// The kubeconfig of clients that are written down.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// The requests since the last call, as `GET /version HTTP/1.1`.
    pub fn taken(&self) -> Vec<String> {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *log)
    }
}

/// Passes on what both say, and writes down what the client asks.
fn relay(client: &TcpStream, server: &UnixStream, log: &Log) -> io::Result<()> {
    let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
    let log = Arc::clone(log);
    thread::spawn(move || {
        let mut buffer = vec![0; 65536];
        while let Ok(count) = from.read(&mut buffer) {
            if count == 0 {
                break;
            }
            let text = String::from_utf8_lossy(&buffer[..count]);
            let lines = text.lines().filter(|line| line.ends_with(" HTTP/1.1"));
            let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
            log.extend(lines.map(str::to_owned));
            drop(log);
            if to.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
    let (mut from, mut to) = (server.try_clone()?, client.try_clone()?);
    thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
    Ok(())
}
