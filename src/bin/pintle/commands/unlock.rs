//! `pintle unlock`.

use std::process::ExitCode;

use jiff::SignedDuration;
use pintle::ops::{self, Locked};

use crate::cli::{Global, Unlock};
use crate::connection::{now, with_cluster};
use crate::failure::Failure;
use crate::output;
use crate::output::progress;

pub(super) fn run(global: &Global, args: &Unlock) -> Result<ExitCode, Failure> {
    with_cluster(global, async |connection| {
        let session = connection.session(&args.name);
        let patience =
            SignedDuration::try_from(args.pending.pending_timeout).unwrap_or(SignedDuration::MAX);
        let locked = ops::locked(&session, patience).await?;
        if locked.is_free() {
            output::print_text(&format!("Release \"{}\" is not locked.\n", args.name))?;
            return Ok(ExitCode::SUCCESS);
        }
        tell(&locked);
        if is_alive(&locked) && !args.yes {
            let release = args.name.clone();
            return Err(Failure::AtWork { release });
        }
        ops::unlock(&session, locked).await?;
        output::print_text(&format!("Release \"{}\" is unlocked.\n", args.name))?;
        Ok(ExitCode::SUCCESS)
    })
}

/// Whether somebody may be at work.
fn is_alive(locked: &Locked) -> bool {
    let until = locked.pending().and_then(|(_, _, until)| until);
    locked.is_held() || until.is_some_and(|until| now() < until)
}

/// Says who has locked it, and since when.
fn tell(locked: &Locked) {
    if let Some(tenure) = locked.holder() {
        let since = tenure
            .since
            .map_or(String::new(), |since| format!(" since {since:.0}"));
        let state = if locked.is_held() {
            format!(", {}", locked.doing())
        } else {
            ", which has ended or hangs".to_owned()
        };
        progress::print(&format!("locked by {}{since}{state}", tenure.holder));
    }
    if let Some((revision, status, until)) = locked.pending() {
        progress::print(&match until {
            Some(until) => format!(
                "Helm has left revision {revision} {status}, and may be at work on it until {until:.0}"
            ),
            None => format!("revision {revision} is {status}, and its record cannot be read"),
        });
    }
}
