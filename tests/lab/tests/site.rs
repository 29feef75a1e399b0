//! What the tests run on: the lab that is up, or one of their own that goes with them, and programs
//! that use it.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::ops::Deref;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use lab::control::{self, Hold, Reply, Request};
use lab::place::Place;
use lab::requirements;
use serde_json::Value;
use testbed::cache::Cache;

/// How long anything that is waited for may take.
const WITHIN: Duration = Duration::from_mins(3);

/// Why no lab can run here, if so.
pub(crate) fn missing() -> Option<String> {
    let cache = match Cache::from_environment() {
        Ok(cache) => cache,
        Err(error) => return Some(error.to_string()),
    };
    let missing = requirements::missing(&cache.path(""));
    (!missing.is_empty()).then(|| format!("a lab cannot run here: {}", missing.join("; ")))
}

/// Why there can be no lab of our own, if so.
pub(crate) fn taken() -> Option<String> {
    let up = running()?;
    Some(format!(
        "a lab is up in {}, and this needs one of its own",
        up.folder.display()
    ))
}

fn running() -> Option<Place> {
    match control::ask(&Request::Place) {
        Ok(Some(Reply::Done(place))) => Some(place),
        _ => None,
    }
}

/// Waits until no other run of these tests is on this machine, for as long as this process lives,
/// and builds pintle and what is missing of a lab.
pub(crate) fn prepare() {
    static TURN: OnceLock<UnixListener> = OnceLock::new();
    let turn = SocketAddr::from_abstract_name("pintle-lab-tests").unwrap();
    let turn = loop {
        match UnixListener::bind_addr(&turn) {
            Ok(listener) => break listener,
            Err(_) => std::thread::sleep(Duration::from_secs(1)),
        }
    };
    TURN.set(turn).unwrap();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    // As `make test` builds, or everything is built once more: the features of libraries depend on what
    // is built together.
    build.args([
        "build",
        "--quiet",
        "--locked",
        "--workspace",
        "--all-targets",
    ]);
    output(build.current_dir(repository()));
    let parts = lab().arg("build").stdout(Stdio::null()).status().unwrap();
    assert!(parts.success(), "the parts of a lab are built");
}

/// The lab binary.
pub(crate) fn lab() -> Command {
    Command::new(env!("CARGO_BIN_EXE_lab"))
}

/// A lab that can be used; it derefs to its [`Place`].
pub(crate) struct Site {
    held: Option<Hold>,
    place: Place,
    server: Option<Child>,
}

/// The lab of all tests that can share one.
static SHARED: Mutex<Option<Arc<Site>>> = Mutex::new(None);

/// The lab that is up, or a new one that ends with this process.
pub(crate) fn shared() -> Arc<Site> {
    let mut shared = SHARED.lock().unwrap();
    let site = shared.get_or_insert_with(|| Arc::new(Site::find_or_start()));
    Arc::clone(site)
}

/// Ends the shared lab, unless it was up before.
pub(crate) fn end_shared() {
    let shared = SHARED.lock().map(|mut shared| shared.take());
    drop(shared);
}

impl Site {
    fn find_or_start() -> Self {
        if let Ok(Some(held)) = control::hold() {
            return Self {
                place: held.place.clone(),
                held: Some(held),
                server: None,
            };
        }
        let mut command = lab();
        command
            .arg("serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut server = command.spawn().unwrap();
        let mut line = String::new();
        let stdout = server.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let place = serde_json::from_str(&line).expect("the lab starts");
        Self {
            held: control::hold().unwrap(),
            place,
            server: Some(server),
        }
    }

    /// Runs pintle with the lab's host cluster.
    #[track_caller]
    pub(crate) fn pintle(&self, args: &[&str]) -> String {
        output(&mut self.pintle_command(args))
    }

    /// A pintle that uses the lab's host cluster.
    pub(crate) fn pintle_command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(pintle());
        command.envs(self.environment(&"/usr/bin:/bin".into()));
        command.args(args).current_dir(repository());
        command
    }

    /// Runs kubectl with the lab's host cluster.
    #[track_caller]
    pub(crate) fn kubectl(&self, args: &[&str]) -> String {
        output(self.command("kubectl").args(args))
    }

    /// What `kubectl get` says, as JSON.
    #[track_caller]
    pub(crate) fn get(&self, args: &[&str]) -> Value {
        let all = [&["get", "--output=json"], args].concat();
        serde_json::from_str(&self.kubectl(&all)).unwrap()
    }
}

impl Deref for Site {
    type Target = Place;

    fn deref(&self) -> &Place {
        &self.place
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.held = None;
        if let Some(mut server) = self.server.take() {
            // `wait` closes its stdin first, which is the sign to stop.
            let _ = server.wait();
            let _ = lab().arg("down").output();
        }
    }
}

/// Runs a command that is to succeed, and returns what it prints.
#[track_caller]
pub(crate) fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{command:?}: {stdout}{stderr}");
    stdout
}

/// What is served at `/`.
pub(crate) fn page(address: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
    let mut page = String::new();
    stream.read_to_string(&mut page)?;
    Ok(page)
}

/// Looks until `done`.
#[track_caller]
pub(crate) fn until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + WITHIN;
    while !done() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The root of the repository.
pub(crate) fn repository() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().nth(2).unwrap()
}

/// The real binary, which [`prepare`] has built.
fn pintle() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_lab")).with_file_name("pintle")
}
