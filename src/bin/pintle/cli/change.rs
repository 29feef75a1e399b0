//! The commands that change a release.

use std::num::ParseIntError;
use std::time::Duration;

use clap::{Args, ValueEnum};
use pintle::ops::{HookPolicy, Leftovers, OnFailure};
use pintle::plan::Named;

use super::waiting::{LockArgs, WaitArg, duration};
use super::{ChartArgs, Granted, NotesArgs, OutputArgs, RecordArgs, ReuseArgs, ValueArgs};

#[derive(Debug, Args)]
#[command(override_usage = "pintle install [OPTIONS] [NAME] <CHART>")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Install {
    /// Name of the new release; without one the chart stands here
    #[arg(value_name = "NAME")]
    pub(crate) first: String,
    /// Chart: the path of a chart's folder
    #[arg(value_name = "CHART")]
    pub(crate) second: Option<String>,
    /// Make the name of the release from the chart's and the time
    #[arg(short, long)]
    pub(crate) generate_name: bool,
    /// Name the release by a Tera template, such as '{{ chart.name }}-{{ release.namespace }}'
    #[arg(long = "name-template", value_name = "TEMPLATE")]
    pub(crate) naming: Option<String>,
    /// Take the name of a release that is uninstalled or failed, and go on with its history
    #[arg(long)]
    pub(crate) replace: bool,
    #[command(flatten)]
    pub(crate) record: RecordArgs,
    #[command(flatten)]
    pub(crate) values: ValueArgs,
    #[command(flatten)]
    pub(crate) parts: ChartArgs,
    #[command(flatten)]
    granted: Granted,
    #[command(flatten)]
    pub(crate) notes: NotesArgs,
    #[command(flatten)]
    pub(crate) change: ChangeArgs,
    #[command(flatten)]
    pub(crate) failure: FailureArgs,
    #[command(flatten)]
    pub(crate) hooks: HookArgs,
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
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Upgrade {
    /// Name of the release
    pub(crate) name: String,
    /// Chart: the path of a chart's folder
    pub(crate) chart: String,
    /// Install the release if there is none
    #[arg(short, long)]
    pub(crate) install: bool,
    /// Create the namespace if it does not exist, with --install
    #[arg(long)]
    pub(crate) create_namespace: bool,
    /// Make a revision though nothing changes
    #[arg(long)]
    pub(crate) force_revision: bool,
    #[command(flatten)]
    pub(crate) reuse: ReuseArgs,
    #[command(flatten)]
    pub(crate) record: RecordArgs,
    #[command(flatten)]
    pub(crate) values: ValueArgs,
    #[command(flatten)]
    pub(crate) parts: ChartArgs,
    #[command(flatten)]
    granted: Granted,
    #[command(flatten)]
    pub(crate) notes: NotesArgs,
    #[command(flatten)]
    pub(crate) change: ChangeArgs,
    #[command(flatten)]
    pub(crate) failure: FailureArgs,
    #[command(flatten)]
    pub(crate) cleanup: CleanUpArgs,
    #[command(flatten)]
    pub(crate) hooks: HookArgs,
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
    /// Revision to go back to [default: the last good one before the newest]
    pub(crate) revision: Option<u32>,
    /// Description of the new revision
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
    /// Go back though the chart's rules forbid it, such as over a minor version of Kubernetes
    #[arg(long)]
    pub(crate) ignore_rules: bool,
    #[command(flatten)]
    pub(crate) change: ChangeArgs,
    #[command(flatten)]
    pub(crate) cleanup: CleanUpArgs,
    #[command(flatten)]
    pub(crate) hooks: HookArgs,
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
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Uninstall {
    /// Names of the releases
    #[arg(required = true, value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// Keep the history, so that the release can be rolled back
    #[arg(long)]
    pub(crate) keep_history: bool,
    /// What becomes of what the deleted resources own, such as the pods of a Deployment [default:
    /// deleted after them, or before them where others wait for that]
    #[arg(long, value_enum, value_name = "HOW")]
    pub(crate) cascade: Option<CascadeArg>,
    /// Do not fail if there is no such release
    #[arg(long)]
    pub(crate) ignore_not_found: bool,
    /// Description of the last revision, if the history is kept
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
    /// Delete the history alone, and leave everything that the release has applied as it is
    #[arg(long, conflicts_with_all = ["keep_history", "cascade", "description"])]
    pub(crate) forget: bool,
    #[command(flatten)]
    pub(crate) change: ChangeArgs,
    #[command(flatten)]
    pub(crate) hooks: HookArgs,
    #[command(flatten)]
    pub(crate) check: CheckArgs,
    /// Delete custom resource definitions though there is something of their kinds
    #[arg(long)]
    pub(crate) delete_crds: bool,
}

/// What becomes of what a deleted resource owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CascadeArg {
    /// It is deleted after it.
    Background,
    /// It is deleted before it.
    Foreground,
    /// It stays.
    Orphan,
}

/// Whether hooks are run.
#[derive(Debug, Args)]
pub(crate) struct HookArgs {
    /// Run no hooks
    #[arg(long)]
    no_hooks: bool,
}

impl HookArgs {
    /// What the flag stands for.
    pub(crate) fn policy(&self) -> HookPolicy {
        if self.no_hooks {
            HookPolicy::Skip
        } else {
            HookPolicy::Run
        }
    }
}

/// How a change is carried out.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct ChangeArgs {
    /// Print the plan and change nothing; `client` does not ask the API server about it
    #[arg(long, value_enum, num_args = 0..=1, require_equals = true, value_name = "WHERE")]
    #[arg(default_missing_value = "server")]
    dry_run: Option<DryRunArg>,
    /// What drifts is put back in any case, and what cannot be is made anew by --recreate
    #[arg(long, hide = true, alias = "force-replace")]
    force: bool,
    /// Wait until the last resources are ready, which is the default; Helm's words are taken
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, value_name = "HOW")]
    #[arg(default_missing_value = "watcher", conflicts_with = "no_wait")]
    pub(crate) wait: Option<WaitArg>,
    /// Jobs are waited for in any case
    #[arg(long, hide = true)]
    wait_for_jobs: bool,
    /// Do not wait until the last resources are ready; resource groups still wait for each other
    #[arg(long)]
    pub(crate) no_wait: bool,
    /// How long all waits together may take
    #[arg(long, default_value = "10m", value_name = "DURATION", value_parser = duration)]
    pub(crate) timeout: Duration,
    #[command(flatten)]
    pub(crate) lock: LockArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// What happens when a change fails.
#[derive(Debug, Args)]
pub(crate) struct FailureArgs {
    /// Go back if it fails: to the last good revision, or to nothing if there was none
    #[arg(long, alias = "atomic")]
    rollback_on_failure: bool,
}

/// What becomes of what a change has created before it failed.
#[derive(Debug, Args)]
pub(crate) struct CleanUpArgs {
    /// If it fails, delete again what it has created
    #[arg(long)]
    cleanup_on_fail: bool,
}

impl CleanUpArgs {
    /// What the flag stands for.
    pub(crate) fn leftovers(&self) -> Leftovers {
        if self.cleanup_on_fail {
            Leftovers::Delete
        } else {
            Leftovers::Keep
        }
    }
}

impl FailureArgs {
    /// What the flag stands for.
    pub(crate) fn on_failure(&self) -> OnFailure {
        if self.rollback_on_failure {
            OnFailure::GoBack
        } else {
            OnFailure::Stay
        }
    }
}

impl ChangeArgs {
    /// Where the change is only tried; none where it is made.
    pub(crate) fn dry_run(&self) -> Option<DryRun> {
        match self.dry_run? {
            DryRunArg::None => None,
            DryRunArg::Server => Some(DryRun::Server),
            DryRunArg::Client => Some(DryRun::Client),
        }
    }

    /// Whether the command ends before everything is ready.
    pub(crate) fn is_impatient(&self) -> bool {
        self.no_wait || self.wait == Some(WaitArg::HookOnly)
    }
}

/// Where a dry run is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DryRun {
    /// By the API server too.
    Server,
    /// Here alone.
    Client,
}

/// Helm's words for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DryRunArg {
    /// By the API server too.
    #[value(alias = "true")]
    Server,
    /// Here alone.
    Client,
    /// There is none.
    #[value(alias = "false", hide = true)]
    None,
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
    #[arg(long, default_value = HISTORY_MAX, value_name = "N", value_parser = history_max)]
    #[arg(env = "HELM_MAX_HISTORY", hide_env = true)]
    pub(crate) history_max: usize,
}

/// How many revisions are kept unless the user says otherwise.
const HISTORY_MAX: &str = "10";

/// A number of revisions; an empty variable of the environment says nothing.
fn history_max(text: &str) -> Result<usize, ParseIntError> {
    match text {
        "" => HISTORY_MAX.parse(),
        text => text.parse(),
    }
}
