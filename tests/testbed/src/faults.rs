//! What goes wrong between a client and the API server, at one request of the client's choice.
//!
//! A [`Gateway`] comes in, a kubeconfig goes out that leads to it through a listener of this process.
//! The listener counts the writes, dry runs left out, and does a [`Fault`] to one of them. Each
//! connection carries one request. What the client makes of it is left to the callers.

use std::io::{self, Read, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::gateway::{self, Gateway};

/// The longest head of a request or answer, in bytes.
const LONGEST_HEAD: usize = 64 << 10;

/// What happens to one write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is not carried out, and not answered.
    Hang,
    /// It is carried out, and not answered.
    Hold,
    /// It is carried out, and the connection is reset instead of an answer.
    Reset,
    /// It is not carried out, and answered with this HTTP code; 429 asks for a pause of 1 s.
    Answer(u16),
    /// It is not carried out, and from then on no request is, reads included.
    Cut,
}

/// The first lines of the writes that were asked for, in their order.
type Writes = Arc<Mutex<Vec<String>>>;

/// A way to the API server on which something goes wrong.
#[derive(Debug)]
pub struct Faulty {
    kubeconfig: PathBuf,
    writes: Writes,
    done: Receiver<()>,
}

/// What connections share.
#[derive(Clone)]
struct Plan {
    socket: PathBuf,
    writes: Writes,
    /// The number of the write, from 1, and what happens to it; none never comes.
    at: (usize, Fault),
    /// Whether nothing comes through any more.
    is_cut: Arc<AtomicBool>,
    done: Sender<()>,
}

impl Faulty {
    /// Opens a way on which the write of the number `at`, from 1, suffers a fault; 0 is none of them.
    /// The kubeconfig is written to `kubeconfig`.
    ///
    /// # Errors
    /// If no port can be listened on, or the file cannot be written.
    pub fn open(gateway: &Gateway, at: (usize, Fault), kubeconfig: &Path) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        gateway::write_kubeconfig(kubeconfig, listener.local_addr()?)?;
        let writes = Writes::default();
        let (sender, done) = mpsc::channel();
        let plan = Plan {
            socket: gateway.socket().to_owned(),
            writes: Arc::clone(&writes),
            at,
            is_cut: Arc::default(),
            done: sender,
        };
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let plan = plan.clone();
                // A client that cannot be served sees its connection end.
                thread::spawn(move || plan.serve(client));
            }
        });
        Ok(Self {
            kubeconfig: kubeconfig.to_owned(),
            writes,
            done,
        })
    }

    /// The kubeconfig of the clients.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// How many writes were asked for so far.
    pub fn writes(&self) -> usize {
        self.lines().len()
    }

    /// The first lines of these, in their order.
    pub fn lines(&self) -> Vec<String> {
        let lines = self.writes.lock().unwrap_or_else(PoisonError::into_inner);
        lines.clone()
    }

    /// Waits this long for the fault to happen, and tells whether it has.
    pub fn happens_within(&self, time: Duration) -> bool {
        self.done.recv_timeout(time).is_ok()
    }
}

impl Plan {
    fn serve(&self, mut client: TcpStream) -> io::Result<()> {
        let request = Request::read(&mut client)?;
        let number = if request.is_write {
            let mut lines = self.writes.lock().unwrap_or_else(PoisonError::into_inner);
            lines.push(request.first.clone());
            lines.len()
        } else {
            usize::MAX
        };
        let (at, fault) = self.at;
        if self.is_cut.load(Ordering::SeqCst) {
            return reset(&client);
        }
        if number != at {
            return pass(&request, &self.socket, &mut client);
        }
        match fault {
            Fault::Hang => self.happened(),
            Fault::Answer(code) => {
                self.happened();
                return refuse(&mut client, code);
            }
            Fault::Hold => {
                answer(&request, &self.socket)?;
                self.happened();
            }
            Fault::Reset => {
                answer(&request, &self.socket)?;
                self.happened();
                return reset(&client);
            }
            Fault::Cut => {
                self.is_cut.store(true, Ordering::SeqCst);
                self.happened();
                return reset(&client);
            }
        }
        // Until the client gives up.
        io::copy(&mut client, &mut io::sink()).map(drop)
    }

    fn happened(&self) {
        // Nobody may wait for it.
        let _ = self.done.send(());
    }
}

/// Sees to it that closing the connection resets it instead of ending it in order.
fn reset(client: &TcpStream) -> io::Result<()> {
    Ok(rustix::net::sockopt::set_socket_linger(
        client,
        Some(Duration::ZERO),
    )?)
}

/// A request as it is passed on: whole, and the only one of its connection.
pub(crate) struct Request {
    /// Its first line.
    pub(crate) first: String,
    bytes: Vec<u8>,
    is_write: bool,
}

impl Request {
    pub(crate) fn read(client: &mut TcpStream) -> io::Result<Self> {
        let mut bytes = Vec::new();
        let head = loop {
            if let Some(end) = end_of_head(&bytes) {
                break end;
            }
            if bytes.len() > LONGEST_HEAD || more(client, &mut bytes)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        };
        let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
        let length = text.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let is_length = name.eq_ignore_ascii_case("content-length");
            is_length.then(|| value.trim().parse().ok())?
        });
        while bytes.len() < head + length.unwrap_or(0) {
            if more(client, &mut bytes)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let first = text.lines().next().unwrap_or_default();
        let line = first.len() + 2;
        bytes.splice(line..line, b"Connection: close\r\n".iter().copied());
        Ok(Self {
            bytes,
            is_write: is_write(first),
            first: first.to_owned(),
        })
    }

    /// Puts another first line in the place of its own.
    pub(crate) fn ask(&mut self, first: String) {
        self.bytes
            .splice(..self.first.len(), first.as_bytes().iter().copied());
        self.first = first;
    }
}

/// Whether a request changes anything: dry runs and questions about rights do not.
fn is_write(first: &str) -> bool {
    let harmless = ["dryRun=All", "/authorization.k8s.io/"];
    !first.starts_with("GET ") && !harmless.iter().any(|part| first.contains(part))
}

fn end_of_head(bytes: &[u8]) -> Option<usize> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some(end + 4)
}

fn more(client: &mut TcpStream, bytes: &mut Vec<u8>) -> io::Result<usize> {
    let mut buffer = [0; 16 << 10];
    let count = client.read(&mut buffer)?;
    bytes.extend_from_slice(&buffer[..count]);
    Ok(count)
}

/// Has a request carried out and passes the answer on as it comes.
pub(crate) fn pass(request: &Request, socket: &Path, client: &mut TcpStream) -> io::Result<()> {
    let mut server = send(request, socket)?;
    io::copy(&mut server, client)?;
    client.shutdown(Shutdown::Both)
}

/// Has a request carried out and gives its answer.
fn answer(request: &Request, socket: &Path) -> io::Result<Vec<u8>> {
    let mut all = vec![];
    send(request, socket)?.read_to_end(&mut all)?;
    Ok(all)
}

fn send(request: &Request, socket: &Path) -> io::Result<UnixStream> {
    let mut server = Gateway::connect(socket)?;
    server.write_all(&request.bytes)?;
    Ok(server)
}

/// Answers as an API server does that does not carry a request out.
fn refuse(client: &mut TcpStream, code: u16) -> io::Result<()> {
    let body = format!(
        "{{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{{}},\"status\":\"Failure\",\
         \"message\":\"injected\",\"reason\":\"Injected\",\"code\":{code}}}"
    );
    let pause = if code == 429 {
        "Retry-After: 1\r\n"
    } else {
        ""
    };
    write!(
        client,
        "HTTP/1.1 {code} Injected\r\nContent-Type: application/json\r\n{pause}\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )?;
    client.shutdown(Shutdown::Write)
}
