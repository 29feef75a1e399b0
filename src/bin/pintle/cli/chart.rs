//! The commands that need a chart and no cluster, and the values flags of all commands.

use std::path::PathBuf;

use clap::{ArgAction, Args, Subcommand};
use pintle::capabilities::KubeVersion;
use pintle::chart::Starter;
use pintle::ops::{CrdPolicy, Revision, SchemaPolicy};

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// Where the chart's folder is to be; its last part becomes the chart's name
    #[arg(value_name = "NAME")]
    pub(crate) path: PathBuf,
    /// What to start from: app (a web server), kcp (a control plane) or library (components)
    #[arg(short = 'p', long, default_value = "app", value_name = "STARTER")]
    pub(crate) starter: Starter,
}

use super::{NotesArgs, OutputArgs};

#[derive(Debug, Args)]
#[command(override_usage = "pintle template [OPTIONS] [NAME] <CHART>")]
pub(crate) struct Template {
    /// Name of the release; without one it is release-name, and the chart stands here
    #[arg(value_name = "NAME")]
    pub(crate) first: String,
    /// Chart: the path of its folder or archive
    #[arg(value_name = "CHART")]
    pub(crate) second: Option<String>,
    #[command(flatten)]
    pub(crate) values: ValueArgs,
    /// Name the release by a Tera template, such as '{{ chart.name }}-{{ release.namespace }}'
    #[arg(long = "name-template", value_name = "TEMPLATE")]
    pub(crate) naming: Option<String>,
    /// Show only what comes from this template, such as templates/web.yaml or 'charts/*/templates/*'
    /// (can be repeated)
    #[arg(short, long, value_name = "GLOB")]
    pub(crate) show_only: Vec<String>,
    #[command(flatten)]
    pub(crate) extras: ExtraArgs,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    #[command(flatten)]
    pub(crate) folder: FolderArgs,
    #[command(flatten)]
    pub(crate) helm: HelmArgs,
    #[command(flatten)]
    pub(crate) notes: NotesArgs,
}

/// Flags of `helm template`; two of them ask for what is done anyway.
#[derive(Debug, Args)]
pub(crate) struct HelmArgs {
    /// Render values that values.schema.json refuses, too
    #[arg(long)]
    pub(crate) skip_schema_validation: bool,
    /// Nothing is ever sent: accepted as Helm's spelling
    #[arg(long, hide = true, value_name = "WHERE", value_parser = ["client"], num_args = 0..=1,
        require_equals = true, default_missing_value = "client")]
    pub(crate) dry_run: Option<String>,
    /// Definitions are shown only with --include-crds: accepted as Helm's spelling
    #[arg(long, hide = true, conflicts_with = "include_crds", action = ArgAction::SetTrue)]
    pub(crate) skip_crds: Option<bool>,
}

/// What is shown beside the resources.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own on the command line"
)]
pub(crate) struct ExtraArgs {
    /// Show the definitions of crds/ as well, before all else
    #[arg(long)]
    pub(crate) include_crds: bool,
    /// Show no hooks
    #[arg(long)]
    pub(crate) no_hooks: bool,
    /// Show no hooks that are tests
    #[arg(long)]
    pub(crate) skip_tests: bool,
    /// Show what generators declare, which no API server ever sees
    #[arg(long)]
    pub(crate) show_generators: bool,
}

/// What a chart is rendered for.
#[derive(Debug, Args)]
pub(crate) struct TargetArgs {
    /// Version of Kubernetes that the chart is told [default: the newest that is known]
    #[arg(long, value_name = "VERSION", value_parser = kube_version)]
    pub(crate) kube_version: Option<KubeVersion>,
    /// API versions that the chart is told beside those of Kubernetes, such as
    /// monitoring.coreos.com/v1 (comma list, can be repeated)
    #[arg(short, long, value_name = "VERSION", value_delimiter = ',')]
    pub(crate) api_versions: Vec<String>,
    /// Tell the chart that this is an upgrade
    #[arg(long)]
    pub(crate) is_upgrade: bool,
}

/// Where the result goes.
#[derive(Debug, Args)]
pub(crate) struct FolderArgs {
    /// Write a file for each template into this folder instead of stdout
    #[arg(long, value_name = "FOLDER")]
    pub(crate) output_dir: Option<PathBuf>,
    /// Put the files below a folder named after the release
    #[arg(long, requires = "output_dir")]
    pub(crate) release_name: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    #[command(subcommand)]
    pub(crate) what: ShowWhat,
}

/// What to show of a chart.
#[derive(Debug, Subcommand)]
pub(crate) enum ShowWhat {
    /// Chart.yaml, values.yaml, the README and the definitions of crds/
    All(ShowArgs),
    /// What Chart.yaml says
    Chart(ShowArgs),
    /// The defaults as values.yaml has them, with their comments
    Values(ShowArgs),
    /// The README
    Readme(ShowArgs),
    /// The custom resource definitions of crds/, subcharts included
    Crds(ShowArgs),
    /// The JSON Schema of the values
    Schema(ShowArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// Chart: the path of a chart's folder
    pub(crate) chart: String,
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
    /// Show this revision of a release instead of the newest, which is 0 as well
    #[arg(long, value_name = "N", value_parser = super::release::revision)]
    pub(crate) revision: Option<Revision>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own on the command line"
)]
pub(crate) struct Lint {
    /// Charts: the paths of their folders
    #[arg(required = true, value_name = "CHART")]
    pub(crate) charts: Vec<String>,
    /// Fail on warnings as well
    #[arg(long)]
    pub(crate) strict: bool,
    /// Check the files of the charts in charts/ as well, each as if it stood alone
    #[arg(long)]
    pub(crate) with_subcharts: bool,
    /// Print errors and warnings only, and nothing where there are none
    #[arg(long)]
    pub(crate) quiet: bool,
    /// Version of Kubernetes to check for [default: every known minor that the chart allows]; of one that
    /// is not known, resources are not checked by its API
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

/// What of a chart does not count for a change.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct ChartArgs {
    /// Do not check values by the schemas and rules of charts
    #[arg(long)]
    pub(crate) skip_schema_validation: bool,
    /// Leave out the definitions of crds/
    #[arg(long)]
    pub(crate) skip_crds: bool,
}

impl ChartArgs {
    /// Whether values are checked.
    pub(crate) fn schemas(&self) -> SchemaPolicy {
        if self.skip_schema_validation {
            SchemaPolicy::Skip
        } else {
            SchemaPolicy::Check
        }
    }

    /// Whether definitions are created.
    pub(crate) fn crds(&self) -> CrdPolicy {
        if self.skip_crds {
            CrdPolicy::Skip
        } else {
            CrdPolicy::Create
        }
    }
}

/// The values of a command.
#[derive(Debug, Args)]
pub(crate) struct ValueArgs {
    /// Values from a YAML file, an http(s) address or - for standard input (can be repeated;
    /// later ones win, or named with commas between)
    #[arg(
        short = 'f',
        long = "values",
        value_name = "FILE",
        value_delimiter = ','
    )]
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
    /// Tells whether any are given on the command line itself.
    pub(crate) fn has_set_flags(&self) -> bool {
        let all = [
            &self.set_json,
            &self.set,
            &self.set_string,
            &self.set_literal,
        ];
        all.iter().any(|given| !given.is_empty())
    }

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
