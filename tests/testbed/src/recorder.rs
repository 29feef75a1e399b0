//! What a client asks the API server, written down.
//!
//! A kubeconfig comes in, another one goes out, which leads through a [`Gateway`] and a listener
//! before it. The first line of each request is kept. What the requests mean is left to the callers.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::gateway::{self, Gateway};

/// The requests that went through, by their first lines.
type Log = Arc<Mutex<Vec<String>>>;

/// A way to the API server on which every request is written down. It ends when it is dropped.
#[derive(Debug)]
pub struct Recorder {
    /// Lives as long as this.
    _gateway: Gateway,
    kubeconfig: PathBuf,
    log: Log,
}

impl Recorder {
    /// Starts one to where `kubeconfig` leads, as whom it says. Its files are in `folder`.
    ///
    /// # Errors
    /// If the program `kubectl` does not run, or `folder` takes no files.
    pub fn start(kubectl: &Path, kubeconfig: &Path, folder: &Path) -> io::Result<Self> {
        let gateway = Gateway::start(kubectl, kubeconfig, folder)?;
        let socket = gateway.socket().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let log = Log::default();
        let written = Arc::clone(&log);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                // A client that cannot be served sees its connection end.
                let _ =
                    Gateway::connect(&socket).and_then(|server| relay(&client, &server, &written));
            }
        });
        let kubeconfig = folder.join("recorded.kubeconfig");
        gateway::write_kubeconfig(&kubeconfig, address)?;
        Ok(Self {
            _gateway: gateway,
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
