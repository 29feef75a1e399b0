//! The resource groups of a release, with how many of their resources are ready.

use pintle::health::Health;
use pintle::manifest::group::Group;
use pintle::ops::{ResourceStatus, Standing};
use serde::Serialize;

use crate::output::table;

#[derive(Serialize)]
pub(super) struct Data<'a> {
    name: &'a str,
    /// The groups that have to be ready before it.
    after: Vec<&'a str>,
    /// How many of its resources are.
    ready: usize,
    resources: usize,
}

/// One group.
pub(super) fn data<'a>(group: &'a Group, standing: &'a Standing) -> Data<'a> {
    let resources = standing.resources.iter();
    let own: Vec<_> = resources
        .filter(|one| one.group.as_ref() == Some(&group.name))
        .collect();
    let is_ready = |one: &&&ResourceStatus| one.health.as_ref().is_some_and(Health::is_ready);
    Data {
        name: &group.name,
        after: group.after.iter().map(String::as_str).collect(),
        ready: own.iter().filter(is_ready).count(),
        resources: own.len(),
    }
}

/// All of them as a table.
pub(super) fn to_table(groups: &[Data<'_>]) -> String {
    let rows = groups.iter().map(|group| {
        let after = match group.after.as_slice() {
            [] => "-".to_owned(),
            all => all.join(", "),
        };
        let ready = format!("{}/{}", group.ready, group.resources);
        [group.name.to_owned(), ready, after]
    });
    table::to_text(["NAME", "READY", "AFTER"], rows)
}
