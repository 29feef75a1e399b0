//! `pintle lint`.

use std::process::ExitCode;

use pintle::lint::{Charts, Request, Severity};
use pintle::ops;
use pintle::source::ChartRef;

use crate::cli::{Format, Lint};
use crate::failure::Failure;
use crate::output::lint::{self, Linted};
use crate::overrides;
use crate::watchdog;

/// The exit code of a chart that is wrong.
const WRONG: u8 = 2;

pub(super) fn run(args: &Lint) -> Result<ExitCode, Failure> {
    let overrides = overrides::read(&args.values)?;
    let request = Request {
        overrides: &overrides,
        kube_version: args.kube_version.as_ref(),
        charts: if args.with_subcharts {
            Charts::All
        } else {
            Charts::Root
        },
    };
    let mut charts = Vec::new();
    for chart in &args.charts {
        let reference = ChartRef::parse(chart).map_err(ops::Error::from)?;
        let _watched = watchdog::watch(chart);
        let mut findings = ops::lint(&reference, &request)?;
        if args.quiet {
            findings.retain(|finding| finding.severity() <= Severity::Warning);
        }
        charts.push(Linted {
            chart: chart.trim_end_matches('/'),
            findings,
        });
    }
    let has_findings = charts.iter().any(|chart| !chart.findings.is_empty());
    if has_findings || !args.quiet || args.output.output != Format::Table {
        lint::print(&charts, args.output.output)?;
    }
    let gravest = if args.strict {
        Severity::Warning
    } else {
        Severity::Error
    };
    let mut findings = charts.iter().flat_map(|chart| &chart.findings);
    let fails = findings.any(|finding| finding.severity() <= gravest);
    Ok(if fails {
        ExitCode::from(WRONG)
    } else {
        ExitCode::SUCCESS
    })
}
