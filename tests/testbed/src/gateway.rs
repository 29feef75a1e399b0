//! A way to the API server over plain HTTP/1.1, for those who read or spoil what is said on it.
//!
//! A kubeconfig comes in; a socket goes out on which `kubectl proxy` speaks for it.

use std::fs;
use std::io::{self, Read as _};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A running `kubectl proxy`. It ends when it is dropped.
#[derive(Debug)]
pub struct Gateway {
    proxy: Child,
    socket: PathBuf,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.proxy.kill();
        let _ = self.proxy.wait();
    }
}

impl Gateway {
    /// Starts one to where `kubeconfig` leads, as whom it says. Its socket is in `folder`.
    ///
    /// # Errors
    /// If the program `kubectl` does not run.
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
        Ok(Self { proxy, socket })
    }

    /// The socket that it listens on.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// A new connection to it.
    ///
    /// # Errors
    /// If it does not listen any more.
    pub fn connect(socket: &Path) -> io::Result<UnixStream> {
        UnixStream::connect(socket)
    }
}

/// Writes a kubeconfig that leads to `address` over plain HTTP.
///
/// # Errors
/// If the file cannot be written.
pub(crate) fn write_kubeconfig(path: &Path, address: SocketAddr) -> io::Result<()> {
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: a\n\
         contexts: [{{name: a, context: {{cluster: a, user: a}}}}]\n\
         clusters: [{{name: a, cluster: {{server: 'http://{address}'}}}}]\nusers: [{{name: a, user: {{}}}}]\n"
    );
    fs::write(path, text)
}
