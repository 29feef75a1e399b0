//! Histories that others change while they are read.

use super::Error;
use crate::history;

/// How often a history is read at most.
const TRIES: usize = 5;

/// Reads something that begins with the list of a release's records. If one of them has gone when it is read
/// itself, the history was simply changed meanwhile, and it is all read again.
///
/// # Errors
/// Those of `read`; [`history::Error::Gone`] only where it happens every time.
pub(super) async fn steadily<T>(read: impl AsyncFn() -> Result<T, Error>) -> Result<T, Error> {
    for _ in 1..TRIES {
        match Box::pin(read()).await {
            Err(Error::History(history::Error::Gone { .. })) => {}
            ended => return ended,
        }
    }
    Box::pin(read()).await
}
