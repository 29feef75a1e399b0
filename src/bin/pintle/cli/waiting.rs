//! How long a command waits: for readiness, for others, and for Helm.

use std::time::Duration;

use clap::{Args, ValueEnum};
use jiff::SignedDuration;

/// What Helm waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WaitArg {
    /// For everything.
    #[value(alias = "true", alias = "legacy")]
    Watcher,
    /// For hooks alone.
    #[value(name = "hookOnly", alias = "hookonly", alias = "false")]
    HookOnly,
}

/// How long others are waited for.
#[derive(Debug, Args)]
pub(crate) struct LockArgs {
    /// How long to wait while another command changes the release
    #[arg(long, default_value = "0s", value_name = "DURATION", value_parser = duration)]
    pub(crate) lock_timeout: Duration,
    #[command(flatten)]
    pub(crate) pending: PendingArgs,
}

/// How long Helm is waited for.
#[derive(Debug, Args)]
pub(crate) struct PendingArgs {
    /// How long a revision that Helm left pending counts as under way
    #[arg(long, default_value = "10m", value_name = "DURATION", value_parser = duration)]
    pub(crate) pending_timeout: Duration,
}

impl PendingArgs {
    /// How long Helm has for a revision.
    pub(crate) fn patience(&self) -> SignedDuration {
        // What is longer than there is time is for ever.
        SignedDuration::try_from(self.pending_timeout).unwrap_or(SignedDuration::MAX)
    }
}

/// As good as for ever.
const LONGEST: Duration = Duration::from_hours(100 * 365 * 24);

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let read = humantime::parse_duration(text);
    let read = read.map_err(|_| "expected a duration such as 5m30s".to_owned())?;
    // A clock cannot be moved by any length.
    Ok(read.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_for_helm() {
        assert_eq!(duration("5m0s"), Ok(Duration::from_mins(5)));
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert!(duration("soon").is_err());
        assert_eq!(duration("10000000000000000000s"), Ok(LONGEST));
    }
}
