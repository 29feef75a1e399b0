//! The commands that need a chart and no cluster, and the values flags of all commands.

use std::path::PathBuf;

use clap::Args;
use pintle::capabilities::KubeVersion;
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
pub(crate) struct ShowValues {
    /// A chart (the path of a folder with Chart.yaml), or the name of a release
    #[arg(value_name = "CHART|RELEASE")]
    pub(crate) of: String,
    #[command(flatten)]
    pub(crate) given: ValueArgs,
    /// Show for each value where it comes from and what it stands above
    #[arg(long)]
    pub(crate) explain: bool,
    /// Show this revision of a release instead of the newest
    #[arg(long, value_name = "N")]
    pub(crate) revision: Option<u32>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
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
    /// Values from a YAML file, an http(s) address or - for standard input (can be repeated;
    /// later ones win)
    #[arg(short = 'f', long = "values", value_name = "FILE")]
    pub(crate) files: Vec<String>,
    /// Values as JSON: a.b={"c":1}, or one object of values; below --set
    #[arg(long, value_name = "KEY=JSON", allow_hyphen_values = true)]
    pub(crate) set_json: Vec<String>,
    /// Values on the command line: a.b=1,c[0]=x,d={1,2} (can be repeated; later ones win)
    #[arg(long, value_name = "KEY=VALUE", allow_hyphen_values = true)]
    pub(crate) set: Vec<String>,
    /// As --set, but every value is a string; above --set
    #[arg(long, value_name = "KEY=VALUE", allow_hyphen_values = true)]
    pub(crate) set_string: Vec<String>,
    /// Values that are the text of files; above --set-string
    #[arg(long, value_name = "KEY=FILE", allow_hyphen_values = true)]
    pub(crate) set_file: Vec<String>,
    /// A value that is taken as it stands, with its commas and backslashes; above all others
    #[arg(long, value_name = "KEY=VALUE", allow_hyphen_values = true)]
    pub(crate) set_literal: Vec<String>,
}

impl ValueArgs {
    /// Tells whether none are given.
    pub(crate) fn is_empty(&self) -> bool {
        let all = [
            &self.files,
            &self.set_json,
            &self.set,
            &self.set_string,
            &self.set_file,
            &self.set_literal,
        ];
        all.iter().all(|given| given.is_empty())
    }
}
