//! SIGINT and SIGTERM: the first one asks a change to stop in order, the second one ends the process.

use std::io;

use pintle::ops::Stop;

use crate::failure::Failure;

/// Waits until the process has to end, and gives the failure that it ends with.
pub(crate) async fn end(stop: &Stop) -> Failure {
    let mut signals = match Signals::new() {
        Ok(signals) => signals,
        Err(error) => return error.into(),
    };
    signals.next().await;
    if stop.ask() {
        signals.next().await;
    }
    Failure::Interrupted
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        // Without a handler there is nothing to wait for.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
