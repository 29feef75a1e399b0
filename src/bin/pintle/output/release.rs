//! One release, in Helm's layout.

use jiff::Timestamp;
use pintle::chart::Values;
use pintle::health::Health;
use pintle::ops::ResourceStatus;
use pintle::release::Release;
use serde::Serialize;
use serde_json::{Value, json};

use super::{print_data, print_text, table, time};
use crate::cli::Format;
use crate::failure::Failure;

/// The heading of the values that the user gave.
pub(crate) const USER_SUPPLIED: &str = "USER-SUPPLIED VALUES:";
/// The heading of the values that the revision was rendered with.
pub(crate) const COMPUTED: &str = "COMPUTED VALUES:";

/// A release for machines: a part of what `helm status -o json` prints, under the same names.
/// Values, manifest and hooks are left to `get`, because they may hold secrets.
#[derive(Serialize)]
struct Data<'a> {
    name: &'a str,
    namespace: &'a str,
    version: u32,
    info: Info<'a>,
    chart: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    resources: Option<Vec<Resource<'a>>>,
}

#[derive(Serialize)]
struct Info<'a> {
    first_deployed: Option<Timestamp>,
    last_deployed: Option<Timestamp>,
    status: &'a str,
    description: &'a str,
    notes: &'a str,
}

#[derive(Serialize)]
struct Resource<'a> {
    group: &'a str,
    kind: &'a str,
    namespace: Option<&'a str>,
    name: &'a str,
    health: &'a str,
    reason: &'a str,
}

impl<'a> Data<'a> {
    fn of(release: &'a Release) -> Self {
        let info = &release.info;
        Self {
            name: &release.name,
            namespace: &release.namespace,
            version: release.revision,
            info: Info {
                first_deployed: info.first_deployed,
                last_deployed: info.last_deployed,
                status: info.status.name(),
                description: &info.description,
                notes: &info.notes,
            },
            chart: json!({ "metadata": release.chart.metadata }),
            resources: None,
        }
    }
}

/// Prints a release below a title.
pub(crate) fn print(release: &Release, title: Option<&str>, format: Format) -> Result<(), Failure> {
    if format != Format::Table {
        return print_data(&Data::of(release), format);
    }
    let title = title.map(|title| format!("{title}\n")).unwrap_or_default();
    print_text(&format!("{title}{}{}", head(release), notes(release)))
}

/// Prints a release with the health of its resources.
pub(crate) fn print_with_resources(
    release: &Release,
    resources: &[ResourceStatus],
    format: Format,
) -> Result<(), Failure> {
    if format != Format::Table {
        let mut data = Data::of(release);
        data.resources = Some(resources.iter().map(resource).collect());
        return print_data(&data, format);
    }
    let rows = resources.iter().map(resource).map(|resource| {
        [
            resource.kind,
            resource.name,
            resource.health,
            resource.reason,
        ]
        .map(str::to_owned)
    });
    let table = table::to_text(["KIND", "NAME", "HEALTH", "REASON"], rows);
    print_text(&format!(
        "{}RESOURCES:\n{table}{}",
        head(release),
        notes(release)
    ))
}

fn resource(status: &ResourceStatus) -> Resource<'_> {
    let (health, reason) = match &status.health {
        None => ("missing", ""),
        Some(Health::Ready) => ("ready", ""),
        Some(Health::InProgress(reason)) => ("in progress", reason.as_str()),
        Some(Health::Failed(reason)) => ("failed", reason.as_str()),
    };
    Resource {
        group: &status.id.group,
        kind: &status.id.kind,
        namespace: status.id.namespace.as_deref(),
        name: &status.id.name,
        health,
        reason,
    }
}

fn head(release: &Release) -> String {
    let info = &release.info;
    format!(
        "NAME: {}\nLAST DEPLOYED: {}\nNAMESPACE: {}\nSTATUS: {}\nREVISION: {}\nDESCRIPTION: {}\n",
        release.name,
        time(info.last_deployed),
        release.namespace,
        info.status,
        release.revision,
        info.description,
    )
}

fn notes(release: &Release) -> String {
    match release.info.notes.trim_end() {
        "" => String::new(),
        notes => format!("NOTES:\n{notes}\n"),
    }
}

/// Prints everything that a record says.
pub(crate) fn print_all(release: &Release, computed: &Values) -> Result<(), Failure> {
    print_text(&head(release))?;
    print_values(USER_SUPPLIED, &release.config)?;
    print_text("\n")?;
    print_values(COMPUTED, computed)?;
    print_text("\nHOOKS:\n")?;
    print_hooks(release)?;
    print_text("MANIFEST:\n")?;
    print_text(&release.manifest)?;
    print_text(&notes(release))
}

/// Prints values as YAML below a heading.
pub(crate) fn print_values(heading: &str, values: &Values) -> Result<(), Failure> {
    print_text(&format!("{heading}\n"))?;
    print_data(values, Format::Yaml)
}

/// Prints the notes alone.
pub(crate) fn print_notes(release: &Release) -> Result<(), Failure> {
    print_text(&notes(release))
}

/// Prints the hooks as a YAML stream.
pub(crate) fn print_hooks(release: &Release) -> Result<(), Failure> {
    for hook in &release.hooks {
        print_text(&format!(
            "---\n# Source: {}\n{}\n",
            hook.path, hook.manifest
        ))?;
    }
    Ok(())
}
