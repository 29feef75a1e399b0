//! The commands that need a chart and no cluster, and the values flags of all commands.

use clap::Args;

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
