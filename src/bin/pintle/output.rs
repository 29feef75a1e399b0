//! What a person or a machine reads: results on stdout, progress and errors on stderr.

mod diagnosis;
mod difference;
pub(crate) mod drift;
pub(crate) mod entries;
pub(crate) mod error;
pub(crate) mod lint;
pub(crate) mod plan;
pub(crate) mod progress;
pub(crate) mod release;
pub(crate) mod status;
mod table;
pub(crate) mod values;

use std::io::Write;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::cli::Format;
use crate::failure::Failure;

/// Prints `data` for machines: JSON, or YAML for every other format.
pub(crate) fn print_data(data: &impl Serialize, format: Format) -> Result<(), Failure> {
    let value = serde_json::to_value(data).map_err(std::io::Error::other)?;
    let text = match format {
        Format::Json => format!("{value}\n"),
        Format::Yaml | Format::Table => pintle::yaml::to_string(&value),
    };
    print_text(&text)
}

/// Prints text as it is.
pub(crate) fn print_text(text: &str) -> Result<(), Failure> {
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(())
}

/// A time as Helm's tables show it, in the local zone.
fn time(timestamp: Option<Timestamp>) -> String {
    timestamp.map_or_else(
        || "-".to_owned(),
        |time| {
            time.to_zoned(TimeZone::system())
                .strftime("%a %b %e %H:%M:%S %Y")
                .to_string()
        },
    )
}
