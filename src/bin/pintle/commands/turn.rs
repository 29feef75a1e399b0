//! Waiting for others who change the release: `--lock-timeout`.

use pintle::ops::{self, Session};
use tokio::time::Instant;

use crate::cli::{Format, LockArgs};
use crate::failure::Failure;
use crate::output::progress::Progress;

/// Tries something, and again when others who held the release, or have changed it meanwhile, have come to
/// their end, as long as the user has said that they are waited for.
pub(super) async fn in_turn<T>(
    session: &Session<'_>,
    (lock, format): (&LockArgs, Format),
    attempt: impl AsyncFn() -> Result<T, Failure>,
) -> Result<T, Failure> {
    let deadline = Instant::now() + lock.lock_timeout;
    loop {
        match Box::pin(attempt()).await {
            Err(failure) if failure.is_for_now() && Instant::now() < deadline => {
                let mut progress = Progress::of_change(session.release, format);
                let until = (deadline, failure.helms_until());
                ops::wait(session, until, &mut |event| progress.on(event)).await?;
            }
            ended => return ended,
        }
    }
}
