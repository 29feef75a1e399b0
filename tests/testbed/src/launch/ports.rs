//! Free TCP ports of the loopback address. Between choosing a port and its use another process may
//! take it: the launcher then starts anew, for which [`Ports::are_taken`] tells it why a component ended.

use std::io;
use std::net::{Ipv4Addr, TcpListener};

/// The ports of one testbed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ports {
    /// Where kube-apiserver listens.
    pub(super) api: u16,
    /// Where etcd listens for clients.
    pub(super) etcd: u16,
    /// Where etcd would listen for other members.
    pub(super) etcd_peer: u16,
}

impl Ports {
    /// Chooses three ports nobody listens on.
    ///
    /// # Errors
    /// An [`io::Error`] when the system has none.
    pub(super) fn choose() -> io::Result<Self> {
        // All three listen at once, so that they differ.
        let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        let listeners = [listen()?, listen()?, listen()?];
        let port = |index: usize| Ok::<_, io::Error>(listeners[index].local_addr()?.port());
        Ok(Self {
            api: port(0)?,
            etcd: port(1)?,
            etcd_peer: port(2)?,
        })
    }

    /// Tells whether somebody else listens on one of the ports. Only of use once the testbed's own
    /// components have ended.
    pub(super) fn are_taken(self) -> bool {
        let ports = [self.api, self.etcd, self.etcd_peer];
        ports.into_iter().any(is_taken)
    }
}

fn is_taken(port: u16) -> bool {
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    bound.is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use super::Ports;

    #[test]
    fn chosen_ports_are_free_and_differ() {
        let ports = Ports::choose().unwrap();
        assert!(ports.api != ports.etcd && ports.etcd != ports.etcd_peer);
        assert!(ports.api != ports.etcd_peer);
    }

    #[test]
    fn a_listener_of_somebody_else_is_seen() {
        let mut ports = Ports::choose().unwrap();
        let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        ports.etcd = other.local_addr().unwrap().port();
        assert!(ports.are_taken());
    }
}
