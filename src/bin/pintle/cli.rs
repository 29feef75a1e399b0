//! The command line as clap sees it; `commands` turns it into requests of the library.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 failed, 2 usage, values or chart error (nothing written), 3 not ready in \
time, 4 conflict or locked, 5 differences found (--exit-code), 130 interrupted.";

/// Installs, upgrades and rolls back hosted Kubernetes control planes from versioned charts.
#[derive(Debug, Parser)]
#[command(name = "pintle", styles = STYLES, after_help = EXIT_CODES, disable_version_flag = true)]
#[command(
    arg_required_else_help = true,
    subcommand_required = true,
    max_term_width = 100
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Cluster options")]
pub(crate) struct Global {
    /// Namespace of the release [default: `HELM_NAMESPACE`, or the kubeconfig context's]
    #[arg(short, long, global = true, value_name = "NAMESPACE")]
    pub(crate) namespace: Option<String>,
    /// Path to the kubeconfig file [default: KUBECONFIG, ~/.kube/config, or the pod's account]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Name of the kubeconfig context
    #[arg(long, global = true, value_name = "CONTEXT", env = "HELM_KUBECONTEXT")]
    #[arg(hide_env = true)]
    pub(crate) kube_context: Option<String>,
    /// Work inside the tenant that this release runs, by default in its namespace kube-system
    #[arg(long, global = true, value_name = "[NAMESPACE/]RELEASE")]
    pub(crate) into: Option<Place>,
}

/// A release and, where it is given, its namespace: `tenant-a`, `tenants/tenant-a`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) namespace: Option<String>,
    pub(crate) release: String,
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (namespace, release) = match text.split_once('/') {
            Some((namespace, release)) => (Some(namespace), release),
            None => (None, text),
        };
        if release.is_empty() || release.contains('/') || namespace == Some("") {
            return Err("expected RELEASE or NAMESPACE/RELEASE".to_owned());
        }
        Ok(Self {
            namespace: namespace.map(str::to_owned),
            release: release.to_owned(),
        })
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Install a chart as a new release
    Install(Install),
    /// Upgrade a release to a chart and values
    Upgrade(Upgrade),
    /// Go back to an earlier revision of a release
    Rollback(Rollback),
    /// Delete everything that a release applied, and its history
    #[command(visible_aliases = ["delete", "del", "un"])]
    Uninstall(Uninstall),
    /// Show what an upgrade would change, field by field
    Diff(Diff),
    /// Render a chart without a cluster
    Template(Template),
    /// List releases
    #[command(visible_alias = "ls")]
    List(List),
    /// Show a release and the health of its resources
    Status(Status),
    /// Show the revisions of a release
    #[command(visible_alias = "hist")]
    History(History),
    /// Show what is recorded of a release
    Get(Get),
    /// Print a kubeconfig that a release has generated; it holds a private key
    Kubeconfig(Kubeconfig),
    /// Print the command by which a machine joins the tenant of a release; it holds a new token
    Join(Join),
    /// Print a completion script
    Completion {
        /// The shell to complete for
        shell: Shell,
    },
    /// Print the version
    Version(Version),
}

#[derive(Debug, Args)]
pub(crate) struct Version {
    /// Print the number alone
    #[arg(long)]
    pub(crate) short: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Install {
    /// Name of the new release
    pub(crate) name: String,
    /// Chart: the path of a chart's folder
    pub(crate) chart: String,
    #[command(flatten)]
    pub(crate) values: ValueArgs,
    #[command(flatten)]
    pub(crate) change: ChangeArgs,
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
    pub(crate) change: ChangeArgs,
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
    pub(crate) history: HistoryMax,
}

#[derive(Debug, Args)]
pub(crate) struct Uninstall {
    /// Name of the release
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) change: ChangeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// Name of the release
    pub(crate) name: String,
    /// Chart: the path of a chart's folder
    pub(crate) chart: String,
    #[command(flatten)]
    pub(crate) values: ValueArgs,
    /// End with exit code 5 if there are differences
    #[arg(long)]
    pub(crate) exit_code: bool,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Template {
    /// Name of the release
    pub(crate) name: String,
    /// Chart: the path of a chart's folder
    pub(crate) chart: String,
    #[command(flatten)]
    pub(crate) values: ValueArgs,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// List releases of all namespaces
    #[arg(short = 'A', long)]
    pub(crate) all_namespaces: bool,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Name of the release
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) revision: RevisionArg,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Args)]
pub(crate) struct History {
    /// Name of the release
    pub(crate) name: String,
    /// How many revisions to show; 0 shows all
    #[arg(long, default_value_t = 256, value_name = "N")]
    pub(crate) max: usize,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Get {
    #[command(subcommand)]
    pub(crate) what: GetWhat,
}

#[derive(Debug, Args)]
pub(crate) struct Kubeconfig {
    /// Name of the release
    pub(crate) name: String,
    /// Which of its kubeconfigs [default: admin]
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Join {
    /// Name of the release that runs the tenant
    pub(crate) name: String,
    /// How long the token is good for, 24h at most
    #[arg(long, default_value = "24h", value_name = "DURATION", value_parser = lifetime)]
    pub(crate) ttl: Duration,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// What to show of a record.
#[derive(Debug, Subcommand)]
pub(crate) enum GetWhat {
    /// Everything
    All(GetArgs),
    /// The hooks
    Hooks(GetArgs),
    /// The resources
    Manifest(GetArgs),
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
pub(crate) struct RevisionArg {
    /// Show this revision instead of the newest
    #[arg(long, value_name = "N")]
    pub(crate) revision: Option<u32>,
}

/// The values of a command.
#[derive(Debug, Args)]
pub(crate) struct ValueArgs {
    /// Values from a YAML file (can be repeated; later files win)
    #[arg(short = 'f', long = "values", value_name = "FILE")]
    pub(crate) files: Vec<String>,
    /// Values on the command line: a.b=1,c[0]=x,d={1,2} (can be repeated; later ones win)
    #[arg(long = "set", value_name = "KEY=VALUE", allow_hyphen_values = true)]
    pub(crate) set: Vec<String>,
}

/// How a change is carried out.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct ChangeArgs {
    /// Print the plan and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not wait until the last resources are ready; resource groups still wait for each other
    #[arg(long)]
    pub(crate) no_wait: bool,
    /// How long all waits together may take
    #[arg(long, default_value = "10m", value_name = "DURATION", value_parser = duration)]
    pub(crate) timeout: Duration,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Args)]
pub(crate) struct HistoryMax {
    /// How many revisions to keep; 0 keeps all
    #[arg(long, default_value_t = 10, value_name = "N", env = "HELM_MAX_HISTORY")]
    #[arg(hide_env = true)]
    pub(crate) history_max: usize,
}

#[derive(Debug, Args)]
pub(crate) struct OutputArgs {
    /// Output format
    #[arg(short, long, value_enum, default_value_t = Format::Table, value_name = "FORMAT")]
    pub(crate) output: Format,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Table,
    /// For machines.
    Json,
    /// For machines and people.
    Yaml,
}

fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| "expected a duration such as 5m30s".to_owned())
}

/// A token is a key to the tenant, so it does not live for long.
fn lifetime(text: &str) -> Result<Duration, String> {
    let expected = "expected a duration from 1m to 24h".to_owned();
    match duration(text) {
        Ok(lifetime) if (MINUTE..=DAY).contains(&lifetime) => Ok(lifetime),
        _ => Err(expected),
    }
}

const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn durations_are_written_as_for_helm() {
        assert_eq!(duration("5m0s"), Ok(Duration::from_mins(5)));
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert!(duration("soon").is_err());
    }

    #[test]
    fn tokens_live_for_a_day_at_most() {
        assert_eq!(lifetime("24h"), Ok(DAY));
        assert_eq!(lifetime("90s"), Ok(Duration::from_secs(90)));
        assert!(lifetime("25h").is_err() && lifetime("1s").is_err());
    }

    #[test]
    fn releases_are_named_with_or_without_their_namespace() {
        let place = |namespace: Option<&str>, release: &str| Place {
            namespace: namespace.map(str::to_owned),
            release: release.to_owned(),
        };
        assert_eq!("a".parse(), Ok(place(None, "a")));
        assert_eq!("b/a".parse(), Ok(place(Some("b"), "a")));
        for bad in ["", "/", "/a", "b/", "c/b/a"] {
            assert!(bad.parse::<Place>().is_err(), "{bad}");
        }
    }
}
