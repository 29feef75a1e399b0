//! `pintle show`.

use std::process::ExitCode;

use pintle::chart::Chart;
use pintle::yaml;

use crate::cli::{Show, ShowArgs, ShowWhat};
use crate::failure::Failure;
use crate::output;

/// The names that a chart's README has, in lower case and as Helm looks for them.
const READMES: [&str; 3] = ["readme.md", "readme.txt", "readme"];

pub(super) fn run(args: &Show) -> Result<ExitCode, Failure> {
    let (args, parts): (&ShowArgs, &[Part]) = match &args.what {
        ShowWhat::All(args) => (args, &[of_chart, of_values, of_readme, of_crds]),
        ShowWhat::Chart(args) => (args, &[of_chart]),
        ShowWhat::Values(args) => (args, &[of_values]),
        ShowWhat::Readme(args) => (args, &[of_readme]),
        ShowWhat::Crds(args) => (args, &[of_crds]),
        ShowWhat::Schema(args) => (args, &[of_schema]),
    };
    let chart = super::load_chart(&args.chart)?;
    let texts: Vec<String> = parts.iter().filter_map(|part| part(&chart)).collect();
    output::print_text(&texts.join("---\n"))?;
    Ok(ExitCode::SUCCESS)
}

/// One part of a chart as text; none if the chart has none.
type Part = fn(&Chart) -> Option<String>;

fn of_chart(chart: &Chart) -> Option<String> {
    let metadata = serde_json::to_value(&chart.metadata);
    metadata.ok().map(|metadata| yaml::to_string(&metadata))
}

fn of_values(chart: &Chart) -> Option<String> {
    Some(ended(&chart.values_text)).filter(|_| !chart.values_text.is_empty())
}

fn of_readme(chart: &Chart) -> Option<String> {
    let mut names = READMES.iter();
    names.find_map(|name| {
        let mut files = chart.files.iter();
        let found = files.find(|file| file.path.to_lowercase() == *name)?;
        Some(ended(&String::from_utf8_lossy(&found.data)))
    })
}

fn of_crds(chart: &Chart) -> Option<String> {
    let crds = chart.crds();
    let texts = crds.iter().map(|file| String::from_utf8_lossy(&file.data));
    let texts: Vec<String> = texts.map(|text| ended(&text)).collect();
    Some(texts.join("---\n")).filter(|_| !texts.is_empty())
}

fn of_schema(chart: &Chart) -> Option<String> {
    let schema = chart.schema.as_ref()?;
    Some(ended(&String::from_utf8_lossy(schema)))
}

/// Text that ends in a line break.
fn ended(text: &str) -> String {
    let end = if text.ends_with('\n') { "" } else { "\n" };
    format!("{text}{end}")
}
