//! The specs as a file of the recorded chart, which Helm carries along byte for byte.

use super::{Error, Generator};
use crate::manifest::Origin;
use crate::yaml;

/// The path of the file in the recorded chart.
pub const RECORD_FILE: &str = "pintle/generators.yaml";

/// Writes the documents of all generators as one YAML stream; empty for none.
pub fn specs_to_yaml(generators: &[Generator]) -> String {
    let texts: Vec<_> = generators
        .iter()
        .map(|generator| yaml::to_string(&generator.body))
        .collect();
    texts.join("---\n")
}

/// Reads what [`specs_to_yaml`] wrote.
///
/// # Errors
/// If the text is not YAML or holds what is no generator.
pub fn specs_from_yaml(text: &str) -> Result<Vec<Generator>, Error> {
    let documents = yaml::parse_all(text).map_err(Error::Record)?;
    documents
        .into_iter()
        .map(|document| {
            let origin = Origin {
                template: RECORD_FILE.to_owned(),
                line: document.line,
            };
            Generator::parse(document.value, origin, "")
        })
        .collect()
}
