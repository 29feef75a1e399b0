//! `pintle values`.

use std::process::ExitCode;

use pintle::chart;
use pintle::chart::{Chart, Origins, Overrides, Tree, Values};
use pintle::ops::{self, Revision};
use pintle::source;

use crate::cli::{Format, Global, ShowValues};
use crate::connection::with_cluster;
use crate::failure::Failure;
use crate::output;
use crate::output::progress::Progress;
use crate::overrides;
use crate::watchdog::{self, Watch};

pub(super) fn run(global: &Global, args: &ShowValues) -> Result<ExitCode, Failure> {
    if source::is_chart(&args.of) {
        of_chart(global, args)?;
    } else {
        of_release(global, args)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn of_chart(global: &Global, args: &ShowValues) -> Result<(), Failure> {
    if args.revision.is_some() {
        let chart = args.of.clone();
        return Err(Failure::RevisionOfChart { chart });
    }
    let chart = super::load_chart(&args.of)?;
    let overrides = overrides::read(&args.given)?;
    Progress::new(&args.of).all(ops::notices(&chart, &overrides));
    let tenant = match global.into {
        Some(_) => with_cluster(global, async |connection| {
            Ok(connection.tenant_values(&chart))
        })?,
        None => Values::default(),
    };
    let watched = watchdog::watch(&args.of);
    let (origins, values) = merged(&chart, &tenant, &overrides).map_err(ops::Error::from)?;
    show((&origins, &values), args, watched)
}

/// The values of a chart, and where they come from.
fn merged(
    chart: &Chart,
    tenant: &Values,
    overrides: &Overrides,
) -> Result<(Origins, Values), chart::Error> {
    let tree = Tree::of(chart)?;
    let config = overrides.config(tenant.clone())?;
    let selection = tree.select(config)?;
    let mut origins = Origins::of(&tree, &selection);
    origins.tenant(tenant);
    origins.overrides(overrides)?;
    Ok((origins, selection.values))
}

fn of_release(global: &Global, args: &ShowValues) -> Result<(), Failure> {
    if !args.given.is_empty() {
        let release = args.of.clone();
        return Err(Failure::ValuesOfRelease { release });
    }
    let release = with_cluster(global, async |connection| {
        let revision = args.revision.unwrap_or(Revision::Newest);
        Ok(ops::find(&connection.session(&args.of), revision).await?)
    });
    let release = release.map_err(|failure| match failure {
        Failure::Operation(error) => Failure::Neither {
            name: args.of.clone(),
            source: Box::new(error),
        },
        other => other,
    })?;
    let watched = watchdog::watch(&args.of);
    let mut origins = Origins::default();
    origins.defaults("values.yaml", (&release.chart.values, ""), &[]);
    origins.revision(release.revision, &release.config);
    let values = Values::coalesce(&release.chart.values, &release.config);
    show((&origins, &values), args, watched)
}

/// Prints the values, or each of them with where it comes from, which is still work to watch.
fn show(
    (origins, values): (&Origins, &Values),
    args: &ShowValues,
    watched: Watch,
) -> Result<(), Failure> {
    let format = args.output.output;
    if args.explain {
        let leaves = origins.explain(values);
        let text = match format {
            Format::Table => Some(output::values::to_text(&leaves)),
            _ => None,
        };
        drop(watched);
        match text {
            Some(text) => output::print_text(&text),
            None => output::values::print_data(&leaves, format),
        }
    } else {
        drop(watched);
        output::print_data(values, format)
    }
}
