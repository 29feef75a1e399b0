//! How commands reach the running lab: a socket in the abstract namespace. It has no file, goes with
//! the process that has it, and whoever has it is the machine's one lab.

use std::io::{self, BufRead, BufReader, Write};
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
    /// To end.
    Stop,
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
    let mut stream = match UnixStream::connect_addr(&address()?) {
        Ok(stream) => stream,
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => return Ok(None),
        Err(error) => return Err(error),
    };
    send(&mut stream, request)?;
    receive(&stream).map(Some)
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
    pub fn answer(mut self, reply: &Reply) {
        let _ = send(&mut self.stream, reply);
    }
}

fn address() -> io::Result<SocketAddr> {
    SocketAddr::from_abstract_name(NAME)
}

fn send<T: Serialize>(stream: &mut UnixStream, message: &T) -> io::Result<()> {
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
        let (mut here, there) = UnixStream::pair().unwrap();
        let request = Request::Add {
            name: "a".to_owned(),
            role: Role::Bare,
        };
        send(&mut here, &request).unwrap();
        let caller = Caller::read(there).unwrap();
        assert_eq!(caller.request, request);
        let reply = Reply::Done(Place::new(Path::new("/lab")));
        caller.answer(&reply);
        assert_eq!(receive::<Reply>(&here).unwrap(), reply);
    }

    #[test]
    fn a_caller_that_says_nothing_is_an_error() {
        let (here, there) = UnixStream::pair().unwrap();
        drop(here);
        assert!(Caller::read(there).is_err());
    }
}
