//! Somebody who gets in between: what a client asks the API server is passed on, but not before something
//! else was done, and perhaps not as it was asked.
//!
//! A [`Gateway`] comes in, a kubeconfig goes out that leads to it through a listener of this process.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::faults::{Request, pass};
use crate::gateway::{self, Gateway};

/// What is done before each request, of which it gets the first line and may change it.
type Act = Arc<Mutex<dyn FnMut(&mut String) + Send>>;

/// A way to the API server on which others are faster.
#[derive(Debug)]
pub struct Meddler {
    kubeconfig: PathBuf,
}

impl Meddler {
    /// Opens a way on which `act` is called before each request is passed on, one after the other. The
    /// kubeconfig is written to `kubeconfig`.
    ///
    /// # Errors
    /// If no port can be listened on, or the file cannot be written.
    pub fn open(
        gateway: &Gateway,
        kubeconfig: &Path,
        act: impl FnMut(&mut String) + Send + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        gateway::write_kubeconfig(kubeconfig, listener.local_addr()?)?;
        let act: Act = Arc::new(Mutex::new(act));
        let socket = gateway.socket().to_owned();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (act, socket) = (Arc::clone(&act), socket.clone());
                // A client that cannot be served sees its connection end.
                thread::spawn(move || serve(client, &act, &socket));
            }
        });
        Ok(Self {
            kubeconfig: kubeconfig.to_owned(),
        })
    }

    /// The kubeconfig of the clients.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }
}

fn serve(mut client: TcpStream, act: &Act, socket: &Path) -> io::Result<()> {
    let mut request = Request::read(&mut client)?;
    let mut first = request.first.clone();
    {
        let mut act = act.lock().unwrap_or_else(PoisonError::into_inner);
        act(&mut first);
    }
    request.ask(first);
    pass(&request, socket, &mut client)
}
