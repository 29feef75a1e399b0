//! The commands that need a chart and no cluster, and the values flags of all commands.

use clap::Args;
use pintle::capabilities::KubeVersion;

use super::OutputArgs;

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
pub(crate) struct Lint {
    /// Charts: the paths of their folders
    #[arg(required = true, value_name = "CHART")]
    pub(crate) charts: Vec<String>,
    /// Fail on warnings as well
    #[arg(long)]
    pub(crate) strict: bool,
    /// Version of Kubernetes to check for [default: every known minor that the chart allows]
    #[arg(long, value_name = "VERSION", value_parser = kube_version)]
    pub(crate) kube_version: Option<KubeVersion>,
    #[command(flatten)]
    pub(crate) values: ValueArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

fn kube_version(text: &str) -> Result<KubeVersion, String> {
    KubeVersion::parse(text).map_err(|error| error.to_string())
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
