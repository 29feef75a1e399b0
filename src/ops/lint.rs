//! `lint`: what can be said about a chart without a cluster.

use super::Error;
use crate::chart::Values;
use crate::lint::{self, Finding, Request};
use crate::source::{self, ChartRef};

/// Reads the files of a chart and checks them.
///
/// # Errors
/// If there is no chart, or a file of it or of the user's values cannot be read: what is wrong with the
/// chart itself is a finding.
pub fn lint(chart: &ChartRef, request: &Request<'_>) -> Result<Vec<Finding>, Error> {
    // What the user gave is no matter of the chart.
    request.overrides.config(Values::default())?;
    match source::files(chart) {
        Ok(files) => Ok(lint::lint(files, request)),
        Err(source::Error::Ignore { line, problem }) => {
            Ok(vec![lint::bad_ignore_file(line, problem)])
        }
        Err(error) => Err(error.into()),
    }
}
