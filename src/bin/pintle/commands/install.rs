//! `pintle install`.

use std::process::ExitCode;

use pintle::ops::{self, ChartRequest, NamespacePolicy, ReuseValues, UsedName};

use super::change;
use crate::cli::{Global, Install};
use crate::connection::{now, with_cluster};
use crate::failure::Failure;
use crate::overrides;

pub(super) fn run(global: &Global, args: &Install) -> Result<ExitCode, Failure> {
    let (given, reference) = name_and_chart(args)?;
    let chart = super::load_chart(reference)?;
    let overrides = overrides::read(&args.values)?;
    let mut terms = change::terms(
        &args.check,
        (&args.write, &args.consent),
        Some(&args.change),
    );
    terms.hooks = args.hooks.policy();
    if args.create_namespace {
        terms.namespace = NamespacePolicy::Create;
    }
    terms.recording = args.record.recording();
    if args.replace {
        terms.recording.used_name = UsedName::Replace;
    }
    let mut options = change::options(&args.change);
    options.on_failure = args.failure.on_failure();
    with_cluster(global, async |connection| {
        let name = match (given, &args.naming) {
            (Some(name), _) => name.to_owned(),
            (None, Some(template)) => ops::name(&chart, &connection.namespace, template)?,
            (None, None) => generated(reference),
        };
        let session = connection.session(&name);
        let tenant = connection.tenant_values(&chart);
        let request = ChartRequest {
            chart: &chart,
            overrides: &overrides,
            tenant: &tenant,
            notes: args.notes.notes(),
            reuse: ReuseValues::default(),
            schemas: args.parts.schemas(),
            crds: args.parts.crds(),
        };
        let decide = async || ops::install(&session, &request, &terms).await;
        let outcome = change::run(&session, (&args.change, &options), decide).await?;
        let outcome = change::showing(outcome, args.notes.shown());
        change::print(&outcome, &args.change, "installed")
    })
}

/// The name of the release, if it is given as such, and the chart.
fn name_and_chart(args: &Install) -> Result<(Option<&str>, &str), Failure> {
    let is_made = args.generate_name || args.naming.is_some();
    match (&args.first, &args.second) {
        (name, Some(chart)) if !is_made => Ok((Some(name), chart)),
        (chart, None) if is_made => Ok((None, chart)),
        (_, None) => Err(Failure::Unnamed),
        (_, Some(_)) => Err(Failure::NamedTwice),
    }
}

/// A name from the chart's path and the time, as Helm makes it.
fn generated(reference: &str) -> String {
    let last = reference.trim_end_matches('/').rsplit('/').next();
    let base = last.and_then(|name| name.split('.').next());
    let base = base.filter(|base| !base.is_empty()).unwrap_or("chart");
    format!("{base}-{}", now().as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_from_the_chart() {
        for (reference, base) in [
            ("charts/web", "web-"),
            ("./web/", "web-"),
            ("oci://a.example/charts/web", "web-"),
            ("web-1.2.3.tgz", "web-1-"),
            (".", "chart-"),
        ] {
            let name = generated(reference);
            let number = name.strip_prefix(base).unwrap_or_default();
            assert!(number.parse::<u64>().is_ok(), "{reference}: {name}");
        }
    }
}
