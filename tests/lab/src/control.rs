//! How commands reach the running lab: a socket in the abstract namespace. It has no file, goes with
//! the process that has it, and whoever has it is the machine's one lab.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};

use rustix::net::sockopt::socket_peercred;
use rustix::process::geteuid;
use serde::{Deserialize, Serialize};

use crate::place::{Place, Role};

/// The socket's name.
const NAME: &str = "pintle-lab";

/// What can be asked of a running lab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Request {
    /// Where it is.
    Place,
    /// To add a node, unless it has it.
    Add {
        /// The node's name.
        name: String,
        /// Whose it is to be.
        role: Role,
    },
    /// To turn a node off and on.
    Restart {
        /// The node's name.
        name: String,
    },
    /// To turn a node off and remove its data.
    Remove {
        /// The node's name.
        name: String,
    },
    /// Where it is, and to stay up until the connection ends.
    Hold,
    /// To end, unless somebody holds it.
    Stop,
    /// To end whoever holds it.
    Force,
}

/// What a lab answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reply {
    /// It is done, and the lab is here.
    Done(Place),
    /// It is not done, for this reason.
    Failed(String),
}

/// Takes the name, as the machine's one lab.
///
/// # Errors
/// [`io::ErrorKind::AddrInUse`] while another process has it.
pub fn claim() -> io::Result<UnixListener> {
    UnixListener::bind_addr(&address()?)
}

/// Asks the running lab and waits for its answer. None: there is no lab.
///
/// # Errors
/// An [`io::Error`] when the lab ends instead of answering.
pub fn ask(request: &Request) -> io::Result<Option<Reply>> {
    let stream = connect()?;
    stream.map(|stream| exchange(&stream, request)).transpose()
}

fn connect() -> io::Result<Option<UnixStream>> {
    match UnixStream::connect_addr(&address()?) {
        Ok(stream) => Ok(Some(stream)),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(None),
        Err(error) => Err(error),
    }
}

fn exchange(stream: &UnixStream, request: &Request) -> io::Result<Reply> {
    send(stream, request)?;
    receive(stream)
}

/// A running lab that stays up for as long as this value lives, unless it is forced down.
#[derive(Debug)]
pub struct Hold {
    /// Where it is.
    pub place: Place,
    _stream: UnixStream,
}

/// Holds the running lab. None: there is no lab.
///
/// # Errors
/// An [`io::Error`] when the lab ends instead of answering.
pub fn hold() -> io::Result<Option<Hold>> {
    let Some(stream) = connect()? else {
        return Ok(None);
    };
    match exchange(&stream, &Request::Hold)? {
        Reply::Done(place) => Ok(Some(Hold {
            place,
            _stream: stream,
        })),
        Reply::Failed(reason) => Err(io::Error::other(reason)),
    }
}

/// Somebody who holds the lab.
#[derive(Debug)]
pub struct Holder(UnixStream);

impl Holder {
    /// Returns the process id of the holder, if it still holds.
    pub fn pid(&self) -> Option<u32> {
        self.0.set_nonblocking(true).ok()?;
        let read = (&self.0).read(&mut [0]);
        let is_there = read.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock);
        let pid = socket_peercred(&self.0).ok()?.pid.as_raw_nonzero().get();
        is_there.then_some(pid.unsigned_abs())
    }
}

/// A request that waits for its answer.
#[derive(Debug)]
pub struct Caller {
    /// What is asked.
    pub request: Request,
    stream: UnixStream,
}

impl Caller {
    /// Reads the request of a connection. Requests of other users are refused.
    ///
    /// # Errors
    /// An [`io::Error`] when the caller is somebody else, has gone or talks nonsense.
    pub fn read(stream: UnixStream) -> io::Result<Self> {
        if socket_peercred(&stream)?.uid != geteuid() {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let request = receive(&stream)?;
        Ok(Self { request, stream })
    }

    /// Answers. A caller that does not wait any more misses it.
    pub fn answer(self, reply: &Reply) -> Holder {
        let _ = send(&self.stream, reply);
        Holder(self.stream)
    }
}

fn address() -> io::Result<SocketAddr> {
    SocketAddr::from_abstract_name(NAME)
}

fn send<T: Serialize>(mut stream: &UnixStream, message: &T) -> io::Result<()> {
    let mut line = serde_json::to_vec(message).map_err(io::Error::other)?;
    line.push(b'\n');
    stream.write_all(&line)
}

fn receive<T: for<'a> Deserialize<'a>>(stream: &UnixStream) -> io::Result<T> {
    let mut line = String::new();
    if BufReader::new(stream).read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    serde_json::from_str(&line).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;
    use std::path::Path;

    use super::{Caller, Reply, Request, receive, send};
    use crate::place::{Place, Role};

    #[test]
    fn requests_and_replies_cross_a_socket() {
        let (here, there) = UnixStream::pair().unwrap();
        let request = Request::Add {
            name: "a".to_owned(),
            role: Role::Bare,
        };
        send(&here, &request).unwrap();
        let caller = Caller::read(there).unwrap();
        assert_eq!(caller.request, request);
        let reply = Reply::Done(Place::new(Path::new("/lab")));
        let holder = caller.answer(&reply);
        assert_eq!(receive::<Reply>(&here).unwrap(), reply);
        assert_eq!(holder.pid(), Some(std::process::id()));
        drop(here);
        assert_eq!(holder.pid(), None);
    }

    #[test]
    fn a_caller_that_says_nothing_is_an_error() {
        let (here, there) = UnixStream::pair().unwrap();
        drop(here);
        assert!(Caller::read(there).is_err());
    }
}
