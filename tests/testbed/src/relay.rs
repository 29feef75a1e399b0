//! A way to the API server on which connections can fall silent without ending, as behind a firewall that has
//! forgotten them: what is sent on them is taken, and nothing ever comes back. Others can be opened.
//!
//! Bytes are passed on as they are, TLS included. A kubeconfig comes in, another one goes out.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::place::Place;

/// A relay, which lasts as long as its process.
#[derive(Debug)]
pub struct Relay {
    kubeconfig: PathBuf,
    count: Arc<Count>,
}

#[derive(Debug, Default)]
struct Count {
    /// How many connections there were.
    opened: AtomicUsize,
    /// How many of these, from the first on, are silent.
    silent: AtomicUsize,
}

impl Relay {
    /// Opens a way to the API server of `place`, whose first connection falls silent when more bytes than
    /// `most` have come from the client. The kubeconfig is written to `kubeconfig`.
    ///
    /// # Errors
    /// If no port can be listened on, or a kubeconfig cannot be read or written.
    pub fn open(place: &Place, most: usize, kubeconfig: &Path) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = format!("https://{}", listener.local_addr()?);
        let text = fs::read_to_string(&place.kubeconfig)?;
        fs::write(kubeconfig, text.replace(&place.server, &address))?;
        let server = place.server.trim_start_matches("https://").to_owned();
        let count = Arc::<Count>::default();
        let counted = Arc::clone(&count);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let number = counted.opened.fetch_add(1, Ordering::SeqCst) + 1;
                let most = if number == 1 { most } else { usize::MAX };
                let connection = Connection {
                    count: Arc::clone(&counted),
                    number,
                    most,
                };
                // A client that cannot be served sees its connection end.
                let _ = TcpStream::connect(&server)
                    .and_then(|server| connection.relay(&client, &server));
            }
        });
        Ok(Self {
            kubeconfig: kubeconfig.to_owned(),
            count,
        })
    }

    /// The kubeconfig of the clients.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// Lets all connections that there were fall silent.
    pub fn silence(&self) {
        let opened = self.count.opened.load(Ordering::SeqCst);
        self.count.silent.store(opened, Ordering::SeqCst);
    }

    /// How many connections there were, and how many of these fell silent.
    pub fn connections(&self) -> (usize, usize) {
        let count = &self.count;
        (
            count.opened.load(Ordering::SeqCst),
            count.silent.load(Ordering::SeqCst),
        )
    }
}

/// One connection of a client.
#[derive(Clone)]
struct Connection {
    count: Arc<Count>,
    /// From 1.
    number: usize,
    /// After how many bytes from the client it falls silent.
    most: usize,
}

impl Connection {
    /// Passes on what both say.
    fn relay(self, client: &TcpStream, server: &TcpStream) -> io::Result<()> {
        for side in [client, server] {
            side.set_nodelay(true)?;
        }
        let asked = (client.try_clone()?, server.try_clone()?);
        let answered = (server.try_clone()?, client.try_clone()?);
        let back = Self {
            most: usize::MAX,
            ..self.clone()
        };
        thread::spawn(move || self.pass(asked));
        thread::spawn(move || back.pass(answered));
        Ok(())
    }

    fn pass(&self, (mut from, mut to): (TcpStream, TcpStream)) {
        let mut buffer = vec![0; 16 << 10];
        let mut passed = 0;
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            passed += count;
            if passed > self.most {
                self.count.silent.fetch_max(self.number, Ordering::SeqCst);
            }
            if self.is_silent() {
                continue;
            }
            if to.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        // The end of a connection that is silent is not told either, but to the API server.
        if !self.is_silent() {
            let _ = to.shutdown(Shutdown::Both);
        }
    }

    fn is_silent(&self) -> bool {
        self.number <= self.count.silent.load(Ordering::SeqCst)
    }
}
