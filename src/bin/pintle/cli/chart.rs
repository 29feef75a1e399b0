//! The commands that need a chart and no cluster, and the values flags of all commands.

use std::path::PathBuf;

use clap::Args;
use pintle::chart::Starter;

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// Where the chart's folder is to be; its last part becomes the chart's name
    #[arg(value_name = "NAME")]
    pub(crate) path: PathBuf,
    /// What to start from: app (a web server), kcp (a control plane) or library (components)
    #[arg(short = 'p', long, default_value = "app", value_name = "STARTER")]
    pub(crate) starter: Starter,
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
