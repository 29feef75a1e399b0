//! Plans as files: making one, and carrying it out.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::change::HistoryMax;
use super::waiting::duration;
use super::{
    ChangeArgs, ChartArgs, CheckArgs, ConsentArgs, HookArgs, NotesArgs, OutputArgs, ReuseArgs,
    ValueArgs, WriteArgs,
};

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Plan {
    /// Name of the release, which need not exist yet
    pub(crate) name: String,
    /// Chart: the path of a chart's folder or archive
    #[arg(required_unless_present = "rollback")]
    pub(crate) chart: Option<String>,
    /// Plan to go back to this revision instead; 0 for the last good one before the newest
    #[arg(long, value_name = "REVISION", conflicts_with_all = OF_CHARTS)]
    pub(crate) rollback: Option<u32>,
    /// Go back though the chart's rules forbid it
    #[arg(long, requires = "rollback")]
    pub(crate) ignore_rules: bool,
    #[command(flatten)]
    pub(crate) values: ValueArgs,
    #[command(flatten)]
    pub(crate) parts: ChartArgs,
    #[command(flatten)]
    pub(crate) reuse: ReuseArgs,
    #[command(flatten)]
    pub(crate) notes: NotesArgs,
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
    /// Write the plan into this file, which `pintle apply` carries out; no secret is in it
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// How long the file may be applied, 7 days at most
    #[arg(long, default_value = "2h", value_name = "DURATION", value_parser = lifetime)]
    pub(crate) expires: Duration,
    /// Show what is left to autoscalers, controllers and others, and whose each such field is
    #[arg(long)]
    pub(crate) show_ignored: bool,
    /// End with exit code 5 if there are differences
    #[arg(long)]
    pub(crate) exit_code: bool,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// What a rollback takes none of.
const OF_CHARTS: [&str; 13] = [
    "chart",
    "files",
    "set_json",
    "set",
    "set_string",
    "set_file",
    "set_literal",
    "reset_values",
    "reuse_values",
    "reset_then_reuse_values",
    "skip_schema_validation",
    "skip_crds",
    "create_namespace",
];

#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// The file that `pintle plan --out` has written
    pub(crate) file: String,
    /// Where the chart is now [default: where it was]
    #[arg(long, value_name = "CHART")]
    pub(crate) chart: Option<String>,
    #[command(flatten)]
    pub(crate) values: ValueArgs,
    #[command(flatten)]
    pub(crate) change: ChangeArgs,
    #[command(flatten)]
    pub(crate) check: CheckArgs,
    #[command(flatten)]
    pub(crate) history: HistoryMax,
}

/// What has been looked at long ago is not what is there.
fn lifetime(text: &str) -> Result<Duration, String> {
    match duration(text) {
        Ok(lifetime) if lifetime <= WEEK => Ok(lifetime),
        _ => Err("expected a duration such as 2h, up to 7 days".to_owned()),
    }
}

const WEEK: Duration = Duration::from_hours(7 * 24);
