//! A revision whose record cannot be read, as its metadata tells it.

use jiff::Timestamp;
use pintle::cluster::Tenure;
use pintle::history::{Entry, Summary};
use serde::Serialize;

use super::super::release::Head;
use super::super::{print_data, print_text};
use super::lock;
use crate::cli::Format;
use crate::failure::Failure;

/// Under the same names as where it can be read.
#[derive(Serialize)]
struct Data<'a> {
    name: &'a str,
    namespace: &'a str,
    version: u32,
    info: Info<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lock: Option<lock::Lock<'a>>,
}

#[derive(Serialize)]
struct Info<'a> {
    last_deployed: Option<Timestamp>,
    status: &'a str,
    description: &'a str,
}

/// Prints what is known of it, and who changes the release now.
pub(crate) fn print(entry: &Entry, holder: Option<&Tenure>, format: Format) -> Result<(), Failure> {
    let unknown = Summary::default();
    let summary = entry.summary.as_ref().unwrap_or(&unknown);
    let lock = holder.map(|holder| lock::lock(holder, entry.status.doing(entry.revision)));
    let status = entry.status.name();
    if format != Format::Table {
        let data = Data {
            name: &entry.name,
            namespace: &entry.namespace,
            version: entry.revision,
            info: Info {
                last_deployed: summary.updated,
                status,
                description: &summary.description,
            },
            lock,
        };
        return print_data(&data, format);
    }
    let head = Head {
        name: &entry.name,
        namespace: &entry.namespace,
        revision: entry.revision,
        status,
        last_deployed: summary.updated,
        description: &summary.description,
    };
    let mut text = head.to_string();
    text.extend(lock.as_ref().map(lock::line));
    print_text(&text)
}
