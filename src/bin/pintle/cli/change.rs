//! The commands that change a release.

use std::time::Duration;

use clap::{Args, ValueEnum};
use pintle::plan::Named;
use pintle::render::Notes;

use super::{OutputArgs, ValueArgs};

#[derive(Debug, Args)]
pub(crate) struct Install {
    /// Name of the new release
    pub(crate) name: String,
    /// Chart: the path of a chart's folder
    pub(crate) chart: String,
    #[command(flatten)]
    pub(crate) values: ValueArgs,
    #[command(flatten)]
    pub(crate) notes: NotesArgs,
    #[command(flatten)]
    pub(crate) change: ChangeArgs,
    #[command(flatten)]
    pub(crate) check: CheckArgs,
    #[command(flatten)]
    pub(crate) write: WriteArgs,
    #[command(flatten)]
    pub(crate) consent: ConsentArgs,
    /// Create the namespace if it does not exist
    #[arg(long)]
    pub(crate) create_namespace: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Upgrade {
    /// Name of the release
    pub(crate) name: String,
    /// Chart: the path of a chart's folder
    pub(crate) chart: String,
    #[command(flatten)]
    pub(crate) values: ValueArgs,
    #[command(flatten)]
    pub(crate) notes: NotesArgs,
    #[command(flatten)]
    pub(crate) change: ChangeArgs,
    #[command(flatten)]
    pub(crate) check: CheckArgs,
    #[command(flatten)]
    pub(crate) write: WriteArgs,
    #[command(flatten)]
    pub(crate) consent: ConsentArgs,
    #[command(flatten)]
    pub(crate) history: HistoryMax,
}

#[derive(Debug, Args)]
pub(crate) struct Rollback {
    /// Name of the release
    pub(crate) name: String,
    /// Revision to go back to [default: the one before the newest]
    pub(crate) revision: Option<u32>,
    /// Go back though the chart's rules forbid it, such as over a minor version of Kubernetes
    #[arg(long)]
    pub(crate) ignore_rules: bool,
    #[command(flatten)]
    pub(crate) change: ChangeArgs,
    #[command(flatten)]
    pub(crate) check: CheckArgs,
    #[command(flatten)]
    pub(crate) write: WriteArgs,
    #[command(flatten)]
    pub(crate) consent: ConsentArgs,
    #[command(flatten)]
    pub(crate) history: HistoryMax,
}

#[derive(Debug, Args)]
pub(crate) struct Uninstall {
    /// Name of the release
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) change: ChangeArgs,
    #[command(flatten)]
    pub(crate) check: CheckArgs,
    /// Delete custom resource definitions though there is something of their kinds
    #[arg(long)]
    pub(crate) delete_crds: bool,
}

/// Whose notes a revision has.
#[derive(Debug, Args)]
pub(crate) struct NotesArgs {
    /// Add the notes of subcharts to those of the chart
    #[arg(long)]
    render_subchart_notes: bool,
}

impl NotesArgs {
    /// Whether those of subcharts are asked for.
    pub(crate) fn is_given(&self) -> bool {
        self.render_subchart_notes
    }

    /// What the flags stand for.
    pub(crate) fn notes(&self) -> Notes {
        if self.render_subchart_notes {
            Notes::WithSubcharts
        } else {
            Notes::Root
        }
    }
}

/// How a change is carried out.
#[derive(Debug, Args)]
pub(crate) struct ChangeArgs {
    /// Print the plan and change nothing; `client` does not ask the API server about it
    #[arg(long, value_enum, num_args = 0..=1, require_equals = true, value_name = "WHERE")]
    #[arg(default_missing_value = "server")]
    pub(crate) dry_run: Option<DryRun>,
    /// Do not wait until the last resources are ready; resource groups still wait for each other
    #[arg(long)]
    pub(crate) no_wait: bool,
    /// How long all waits together may take
    #[arg(long, default_value = "10m", value_name = "DURATION", value_parser = duration)]
    pub(crate) timeout: Duration,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// Where a dry run is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DryRun {
    /// By the API server too.
    Server,
    /// Here alone.
    Client,
}

/// How much is checked before a change.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Do not ask the API server about the plan beforehand
    #[arg(long)]
    pub(crate) no_validate: bool,
}

/// How resources are written.
#[derive(Debug, Args)]
pub(crate) struct WriteArgs {
    /// Write by server-side apply; `auto` writes as the revision before was written
    #[arg(long, value_enum, num_args = 0..=1, require_equals = true, value_name = "HOW")]
    #[arg(default_value = "auto", default_missing_value = "true")]
    pub(crate) server_side: ServerSideArg,
    /// Take over fields that other field managers own, by server-side apply
    #[arg(long)]
    pub(crate) force_conflicts: bool,
}

/// Whether resources are written by server-side apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ServerSideArg {
    /// As before; from the client side where nothing was.
    Auto,
    /// By server-side apply.
    True,
    /// From the client side.
    False,
}

/// What the user agrees to.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct ConsentArgs {
    /// Delete this resource and create it anew, if it changes (can be repeated)
    #[arg(long, value_name = "KIND/NAME")]
    pub(crate) recreate: Vec<Named>,
    /// Let what is made anew lose the data of its claims
    #[arg(long)]
    pub(crate) delete_data: bool,
    /// Delete custom resource definitions though there is something of their kinds
    #[arg(long)]
    pub(crate) delete_crds: bool,
    /// Take over resources that exist and do not belong to this release
    #[arg(long)]
    pub(crate) take_ownership: bool,
}

#[derive(Debug, Args)]
pub(crate) struct HistoryMax {
    /// How many revisions to keep; 0 keeps all
    #[arg(long, default_value_t = 10, value_name = "N", env = "HELM_MAX_HISTORY")]
    #[arg(hide_env = true)]
    pub(crate) history_max: usize,
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| "expected a duration such as 5m30s".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_for_helm() {
        assert_eq!(duration("5m0s"), Ok(Duration::from_mins(5)));
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert!(duration("soon").is_err());
    }
}
