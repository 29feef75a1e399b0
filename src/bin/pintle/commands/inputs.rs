//! The chart and values of a plan, as they are given and as a file names them.

use pintle::chart::{self, Chart, Overrides};
use pintle::ops;
use pintle::pki;
use pintle::plan::file::{FileFlag, Inputs, PlanFile, Source};
use pintle::source::{self, ChartRef};

use crate::cli::ValueArgs;
use crate::failure::Failure;
use crate::overrides;
use crate::watchdog;

/// A chart and values.
#[derive(Default)]
pub(super) struct Given {
    /// None for a rollback.
    pub(super) chart: Option<Named>,
    pub(super) overrides: Overrides,
}

/// A chart with the name by which it was asked for.
pub(super) struct Named {
    pub(super) chart: Chart,
    reference: String,
    digest: String,
}

/// Fetches what the flags name.
pub(super) fn read(chart: &str, values: &ValueArgs) -> Result<Given, Failure> {
    let reference = ChartRef::parse(chart).map_err(ops::Error::from)?;
    let watched = watchdog::watch(chart);
    let files = source::files(&reference).map_err(ops::Error::from)?;
    let digest = chart::digest(&files);
    let loaded = source::assemble(&reference, files).map_err(ops::Error::from)?;
    drop(watched);
    Ok(Given {
        chart: Some(Named {
            chart: loaded,
            reference: chart.to_owned(),
            digest,
        }),
        overrides: overrides::read(values)?,
    })
}

/// Fetches what a plan was made from; the flags give what the file does not hold, or where
/// something is now.
pub(super) fn read_again(
    file: &PlanFile,
    chart: Option<&str>,
    values: &ValueArgs,
) -> Result<Given, Failure> {
    let Some(planned) = &file.inputs.chart else {
        return Ok(Given::default());
    };
    let files = again(&file.inputs, FileFlag::Values, &values.files)?;
    let set_file = again(&file.inputs, FileFlag::SetFile, &values.set_file)?;
    let given = ValueArgs {
        files,
        set_file,
        set_json: values.set_json.clone(),
        set: values.set.clone(),
        set_string: values.set_string.clone(),
        set_literal: values.set_literal.clone(),
    };
    let has_flags = given.has_set_flags();
    if let Some(flags) = file.inputs.flags.as_ref().filter(|_| !has_flags) {
        return Err(Failure::GivenOnce {
            what: format!("values for {}", flags.keys.join(", ")),
            flag: "--set and the like",
        });
    }
    read(chart.unwrap_or(&planned.reference), &given)
}

/// The files that a flag names now, or those that it named for the plan.
fn again(inputs: &Inputs, flag: FileFlag, given: &[String]) -> Result<Vec<String>, Failure> {
    let mut planned = inputs.files.iter().filter(|file| file.flag == flag);
    if !given.is_empty() {
        return Ok(given.to_vec());
    }
    if let Some(once) = planned.clone().find(|file| file.from != Source::File) {
        return Err(Failure::GivenOnce {
            what: match (once.from, flag) {
                (Source::Address, _) => format!("values of {}", once.name),
                (_, FileFlag::SetFile) => format!("the value of {}", once.name),
                _ => "values of standard input".to_owned(),
            },
            flag: match flag {
                FileFlag::Values => "all of --values",
                FileFlag::SetFile => "all of --set-file",
            },
        });
    }
    Ok(planned.by_ref().map(|file| file.name.clone()).collect())
}

impl Given {
    /// What this is in a file, with fingerprints of this salt.
    pub(super) fn inputs(&self, salt: &str) -> Result<Inputs, Failure> {
        let chart = self.chart.as_ref();
        let chart =
            chart.map(|named| (named.reference.as_str(), &named.chart, named.digest.clone()));
        Ok(ops::inputs(chart, &self.overrides, salt)?)
    }
}

/// A salt for the fingerprints of one file.
pub(super) fn salt() -> Result<String, Failure> {
    Ok(pki::salt().map_err(ops::Error::from)?)
}
