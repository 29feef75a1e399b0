//! The command line as clap sees it; `commands` turns it into requests of the library.

mod access;
mod change;
mod chart;
mod helm;
mod late;
mod plan;
mod release;
mod revision;
mod tenant;
mod waiting;

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use pintle::history::Driver;

use late::Late;

pub(crate) use access::AccessArgs;
pub(crate) use change::{CascadeArg, Install, Rollback, Uninstall, Upgrade};
pub(crate) use change::{
    ChangeArgs, CheckArgs, ConsentArgs, DryRun, HookArgs, ServerSideArg, WriteArgs,
};
pub(crate) use chart::{
    ChartArgs, Create, ExtraArgs, Lint, Show, ShowArgs, ShowValues, ShowWhat, TargetArgs, Template,
    ValueArgs,
};
pub(crate) use helm::{Everywhere, Granted, parse};
pub(crate) use plan::{Apply, Plan};
pub(crate) use release::{
    Diff, Drift, Get, GetArgs, GetFailure, GetMetadata, GetValues, GetWhat, History, List,
    RevisionArg, Status, Test, Unlock,
};
pub(crate) use revision::{NotesArgs, RecordArgs, ReuseArgs, ShownNotes};
pub(crate) use tenant::{Join, Kubeconfig, Place};
pub(crate) use waiting::LockArgs;

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
    #[command(flatten)]
    pub(crate) everywhere: Everywhere,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags of every command.
#[derive(Debug, Clone, Args)]
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
    #[command(flatten)]
    pub(crate) access: AccessArgs,
    /// What holds the records of releases: secret or configmap
    #[arg(
        long,
        global = true,
        value_name = "DRIVER",
        env = "HELM_DRIVER",
        default_value = "secret"
    )]
    #[arg(hide_env = true)]
    pub(crate) driver: Driver,
    /// How long one try of a request may take; it is made again where that does no harm
    #[arg(long, global = true, value_name = "DURATION", value_parser = waiting::duration)]
    #[arg(default_value = "30s", env = "PINTLE_REQUEST_TIMEOUT", hide_env = true)]
    pub(crate) request_timeout: Duration,
    /// Work inside the tenant that this release runs, by default in its namespace kube-system
    #[arg(long, global = true, value_name = "[NAMESPACE/]RELEASE")]
    pub(crate) into: Option<Place>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Install a chart as a new release
    Install(Late<Install>),
    /// Upgrade a release to a chart and values
    Upgrade(Late<Upgrade>),
    /// Go back to an earlier revision of a release
    Rollback(Late<Rollback>),
    /// Delete everything that releases applied, and their history
    #[command(visible_aliases = ["delete", "del", "un"])]
    Uninstall(Late<Uninstall>),
    /// Show what an upgrade would change, or what distinguishes revisions, field by field
    Diff(Late<Diff>),
    /// Show what of releases is not as it is recorded any more, and who changed it
    Drift(Late<Drift>),
    /// Decide what an installation, upgrade or rollback would do, and write it into a file
    Plan(Late<Plan>),
    /// Carry out a plan from a file, if nothing that it rests on has changed since
    Apply(Late<Apply>),
    /// Create a new chart
    Create(Late<Create>),
    /// Render a chart without a cluster
    Template(Late<Template>),
    /// Show what a chart says about itself
    #[command(visible_alias = "inspect")]
    Show(Show),
    /// Show the values of a chart or a release, and where they come from
    Values(Late<ShowValues>),
    /// Check charts without a cluster
    Lint(Late<Lint>),
    /// Run the tests of a release, which are hooks of its chart
    Test(Late<Test>),
    /// List releases
    #[command(visible_alias = "ls")]
    List(Late<List>),
    /// Show a release and the health of its resources
    Status(Late<Status>),
    /// Show the revisions of a release
    #[command(visible_alias = "hist")]
    History(Late<History>),
    /// Take the lock of a release away from a command that has ended or hangs
    Unlock(Late<Unlock>),
    /// Show what is recorded of a release
    Get(Get),
    /// Print a kubeconfig that a release has generated; it holds a private key
    Kubeconfig(Late<Kubeconfig>),
    /// Print the command by which a machine joins the tenant of a release; it holds a new token
    Join(Late<Join>),
    /// Print a completion script
    Completion {
        /// The shell to complete for
        shell: Shell,
    },
    /// Print the version
    Version(Late<Version>),
}

#[derive(Debug, Args)]
pub(crate) struct Version {
    /// Print the number alone
    #[arg(long)]
    pub(crate) short: bool,
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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
