//! A place for work that somebody else's schema asks for: with room on the stack, and an end.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use super::Error;

/// How long compiling a schema, or checking values by it, may take.
pub(super) const TIME: Duration = Duration::from_secs(10);
/// The CEL parser and interpreter recurse with large frames; with the limits on expressions in
/// [`super::rules`] this is several times what the worst one takes. Untouched pages cost nothing.
const STACK: usize = 256 << 20;

/// Does `work` on a thread of its own, and waits for it no longer than `time`.
///
/// What takes longer cannot be stopped: it goes on until the process ends, which soon does so,
/// because the caller gets an error.
pub(super) fn limited<T: Send + 'static>(
    time: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    let (sender, receiver) = mpsc::channel();
    let worker = thread::Builder::new().stack_size(STACK);
    let worker = worker.spawn(move || {
        // There is nobody left to tell when the time is over.
        let _ = sender.send(work());
    });
    worker.map_err(|_| Error::Evaluator {
        problem: "no thread for it",
    })?;
    receiver.recv_timeout(time).map_err(|error| match error {
        RecvTimeoutError::Timeout => Error::TooSlow,
        RecvTimeoutError::Disconnected => Error::Evaluator {
            problem: "the evaluator broke down",
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_has_an_end() {
        let (keep, wait) = mpsc::channel::<()>();
        let endless = limited(Duration::from_millis(1), move || wait.recv().is_ok());
        assert!(matches!(endless, Err(Error::TooSlow)), "{endless:?}");
        drop(keep);
        assert_eq!(limited(TIME, || 1).unwrap(), 1);
        let broken = limited(TIME, || assert!(TIME.is_zero()));
        assert!(matches!(broken, Err(Error::Evaluator { .. })), "{broken:?}");
    }
}
