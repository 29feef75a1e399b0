//! The commands that read a release.

use std::num::ParseIntError;
use std::time::Duration;

use clap::{Args, Subcommand};
use pintle::ops::{FilterTerm, Revision};
use pintle::release;
use regex::Regex;

use super::change::HistoryMax;
use super::waiting::{LockArgs, PendingArgs, duration};
use super::{
    ChangeArgs, ChartArgs, CheckArgs, ConsentArgs, OutputArgs, ReuseArgs, ValueArgs, WriteArgs,
};

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Diff {
    /// Name of the release
    pub(crate) name: String,
    /// Chart: the path of a chart's folder [default: the release as it is recorded]
    pub(crate) chart: Option<String>,
    /// Compare the record of this revision with that of a second --revision, or of the one that was
    /// deployed last
    #[arg(long = "revision", value_name = "N", conflicts_with_all = ["chart", "show_ignored"])]
    pub(crate) revisions: Vec<u32>,
    #[command(flatten)]
    pub(crate) values: ValueArgs,
    #[command(flatten)]
    pub(crate) parts: ChartArgs,
    #[command(flatten)]
    pub(crate) reuse: ReuseArgs,
    #[command(flatten)]
    pub(crate) check: CheckArgs,
    #[command(flatten)]
    pub(crate) write: WriteArgs,
    #[command(flatten)]
    pub(crate) consent: ConsentArgs,
    /// Show what is left to autoscalers, controllers and others, and whose each such field is
    #[arg(long)]
    pub(crate) show_ignored: bool,
    /// Lines around each change of a longer text
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub(crate) context: usize,
    /// Show the values of Secrets; takes --yes as well
    #[arg(long)]
    pub(crate) show_secrets: bool,
    /// Mean it: print the values of Secrets
    #[arg(long, requires = "show_secrets")]
    pub(crate) yes: bool,
    /// End with exit code 5 if there are differences
    #[arg(long)]
    pub(crate) exit_code: bool,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Drift {
    /// Names of releases [default: all of the namespace]
    #[arg(value_name = "RELEASE")]
    pub(crate) names: Vec<String>,
    /// Look at the releases of all namespaces
    #[arg(short = 'A', long, conflicts_with_all = ["names", "fix"])]
    pub(crate) all_namespaces: bool,
    /// Put back what has drifted of one release, as its next revision
    #[arg(long, requires = "names")]
    pub(crate) fix: bool,
    /// Lines around each change of a longer text
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub(crate) context: usize,
    /// End with exit code 5 if there is drift
    #[arg(long, conflicts_with = "fix")]
    pub(crate) exit_code: bool,
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
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct List {
    /// List releases of all namespaces
    #[arg(short = 'A', long)]
    pub(crate) all_namespaces: bool,
    #[command(flatten)]
    pub(crate) statuses: StatusArgs,
    /// List only releases whose name matches this regular expression
    #[arg(short, long, value_name = "REGEX")]
    pub(crate) filter: Option<Regex>,
    /// List only releases whose record has labels that match this selector
    #[arg(short = 'l', long, default_value = "", hide_default_value = true)]
    pub(crate) selector: String,
    /// Sort by the time of the revision instead of the name
    #[arg(short, long)]
    pub(crate) date: bool,
    /// Sort the other way round
    #[arg(short, long)]
    pub(crate) reverse: bool,
    /// How many releases to list; 0 lists all
    #[arg(short, long, default_value_t = 256, value_name = "N")]
    pub(crate) max: usize,
    /// How many releases to leave out at the beginning
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) offset: usize,
    /// Print the names alone
    #[arg(short = 'q', long)]
    pub(crate) short: bool,
    /// Layout of times, as Go writes it, such as "2006-01-02 15:04:05Z0700"
    #[arg(long, value_name = "LAYOUT")]
    pub(crate) time_format: Option<String>,
    /// Print the table without its heads
    #[arg(long)]
    pub(crate) no_headers: bool,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// Where the listed releases stand; without a flag it does not matter.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct StatusArgs {
    /// List releases of every status, as without this flag
    #[arg(short, long)]
    all: bool,
    /// List deployed releases
    #[arg(long)]
    deployed: bool,
    /// List failed releases
    #[arg(long)]
    failed: bool,
    /// List releases with a change under way, or with one that was interrupted
    #[arg(long)]
    pending: bool,
    /// List superseded revisions
    #[arg(long)]
    superseded: bool,
    /// List uninstalled releases whose history was kept
    #[arg(long)]
    uninstalled: bool,
    /// List releases that are being uninstalled
    #[arg(long)]
    uninstalling: bool,
}

impl StatusArgs {
    /// The statuses that are asked for; none if all are.
    pub(crate) fn statuses(&self) -> Vec<release::Status> {
        use release::Status::{
            Deployed, Failed, PendingInstall, PendingRollback, PendingUpgrade, Superseded,
            Uninstalled, Uninstalling,
        };
        let asked: [(bool, &[release::Status]); 6] = [
            (self.deployed, &[Deployed]),
            (self.failed, &[Failed]),
            (
                self.pending,
                &[PendingInstall, PendingUpgrade, PendingRollback],
            ),
            (self.superseded, &[Superseded]),
            (self.uninstalled, &[Uninstalled]),
            (self.uninstalling, &[Uninstalling]),
        ];
        let asked = asked.into_iter().filter(|(asked, _)| *asked && !self.all);
        asked.flat_map(|(_, statuses)| statuses).copied().collect()
    }
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Name of the release
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) revision: RevisionArg,
    /// Go on with a line for each change of health, until interrupted
    #[arg(short, long)]
    pub(crate) watch: bool,
    #[command(flatten)]
    shown: ShownArgs,
    #[command(flatten)]
    pub(crate) pending: PendingArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// What Helm shows of a release when it is asked to.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
struct ShownArgs {
    /// The description is shown in any case
    #[arg(long, hide = true)]
    show_desc: bool,
    /// The resources are shown in any case
    #[arg(long, hide = true)]
    show_resources: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Unlock {
    /// Name of the release
    pub(crate) name: String,
    /// Unlock it though the command that holds the lock may be at work
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) pending: PendingArgs,
}

#[derive(Debug, Args)]
pub(crate) struct History {
    /// Name of the release
    pub(crate) name: String,
    /// How many revisions to show; 0 shows all
    #[arg(long, default_value_t = 256, value_name = "N")]
    pub(crate) max: usize,
    /// Show the revision that each rollback went back to
    #[arg(long)]
    pub(crate) show_rollback_revision: bool,
    #[command(flatten)]
    pub(crate) pending: PendingArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Test {
    /// Name of the release
    pub(crate) name: String,
    /// Show what the pods of the tests have written
    #[arg(long)]
    pub(crate) logs: bool,
    /// Notes are not shown in any case
    #[arg(long, hide = true)]
    hide_notes: bool,
    /// Run only tests of these names, or all but these: name=a,!name=b
    #[arg(long, value_name = "FILTER", value_delimiter = ',')]
    pub(crate) filter: Vec<FilterTerm>,
    /// How long all tests together may take
    #[arg(long, default_value = "5m", value_name = "DURATION", value_parser = duration)]
    pub(crate) timeout: Duration,
    #[command(flatten)]
    pub(crate) lock: LockArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Get {
    #[command(subcommand)]
    pub(crate) what: GetWhat,
}

/// What to show of a record.
#[derive(Debug, Subcommand)]
pub(crate) enum GetWhat {
    /// Everything
    All(GetArgs),
    /// Why a revision failed: the error, and what pods, events and logs said
    Failure(GetFailure),
    /// The hooks
    Hooks(GetArgs),
    /// The resources
    Manifest(GetArgs),
    /// What the release and its chart are
    Metadata(GetMetadata),
    /// The notes
    Notes(GetArgs),
    /// The values
    Values(GetValues),
}

#[derive(Debug, Args)]
pub(crate) struct GetArgs {
    /// Name of the release
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) revision: RevisionArg,
}

#[derive(Debug, Args)]
pub(crate) struct GetMetadata {
    #[command(flatten)]
    pub(crate) get: GetArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Args)]
pub(crate) struct GetValues {
    #[command(flatten)]
    pub(crate) get: GetArgs,
    /// Show the chart's defaults as well
    #[arg(short, long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Args)]
pub(crate) struct GetFailure {
    /// Name of the release
    pub(crate) name: String,
    /// Show this revision instead of the newest that failed
    #[arg(long, value_name = "N")]
    pub(crate) revision: Option<u32>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RevisionArg {
    /// Show this revision instead of the newest, which is 0 as well
    #[arg(long, value_name = "N", value_parser = revision)]
    pub(crate) revision: Option<Revision>,
}

/// A revision by its number, where 0 is the newest.
pub(crate) fn revision(text: &str) -> Result<Revision, ParseIntError> {
    Ok(match text.parse()? {
        0 => Revision::Newest,
        number => Revision::Number(number),
    })
}
