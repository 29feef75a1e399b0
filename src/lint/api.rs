//! Whether the kinds of resources are served, deprecated or gone, and their fields.
//!
//! Resources and a minor come in, faults go out. Kinds of groups that are not Kubernetes' own are
//! passed over: nothing is known of them.

use super::rule::{self, Rule};
use super::structure::{self, Fault};
use crate::builtin::openapi::{Lifecycle, Minor};
use crate::manifest::Resource;
use crate::yaml::Step;

/// Checks one resource by what a minor serves.
pub(super) fn faults(resource: &Resource, minor: Minor) -> Vec<Fault> {
    let (api_version, kind) = (resource.api_version.as_str(), resource.id.kind.as_str());
    let lifecycle = Lifecycle::find(api_version, kind);
    let Some(root) = minor.root(api_version, kind) else {
        let fault = unserved(resource, minor, lifecycle);
        return fault.into_iter().collect();
    };
    let mut faults = structure::faults(&resource.body, root, minor);
    if let Some(lifecycle) = lifecycle.filter(|lifecycle| lifecycle.is_deprecated_in(minor)) {
        let end = lifecycle.removed.map_or(String::new(), |removed| {
            format!(" and is to go in {removed}")
        });
        let message = format!(
            "{api_version} {kind} is deprecated since {}{end}{}",
            lifecycle.deprecated,
            instead(lifecycle.replacement)
        );
        faults.push(fault(rule::DEPRECATED_API, message));
    }
    faults
}

fn fault(rule: &'static Rule, message: String) -> Fault {
    Fault {
        rule,
        path: vec![Step::Key("apiVersion".to_owned())],
        message,
    }
}

fn instead(replacement: Option<&str>) -> String {
    match replacement.and_then(|name| name.rsplit_once('/')) {
        Some((api_version, kind)) => format!(": use {api_version} {kind}"),
        None => String::new(),
    }
}

fn unserved(resource: &Resource, minor: Minor, lifecycle: Option<Lifecycle>) -> Option<Fault> {
    let (api_version, kind) = (resource.api_version.as_str(), resource.id.kind.as_str());
    if !is_own(&resource.id.group, minor) {
        return None;
    }
    let name = format!("{api_version} {kind}");
    let serves = version_that_serves(resource, minor);
    let gone = lifecycle.filter(|lifecycle| lifecycle.is_removed_in(minor));
    let message =
        if let Some((lifecycle, removed)) = gone.and_then(|known| Some((known, known.removed?))) {
            let instead = match serves {
                Some(version) => format!(": use {version} {kind}"),
                None => instead(lifecycle.replacement),
            };
            format!("{name} is served no more since {removed}{instead}")
        } else if let Some(version) = serves {
            format!("{name} is not served: use {version} {kind}")
        } else if let Some(other) = Minor::all()
            .into_iter()
            .find(|m| m.root(api_version, kind).is_some())
        {
            let order = if other > minor { "from" } else { "only up to" };
            format!("{name} is not served: it is {order} {other}")
        } else if api_version.contains("alpha") || api_version.contains("beta") {
            format!("{name} is not served unless it is turned on")
        } else {
            let near = near_kind(resource, minor);
            let near = near.map_or(String::new(), |kind| format!(": did you mean {kind}?"));
            format!("{name} is not served{near}")
        };
    Some(fault(rule::UNSERVED_API, message))
}

/// Whether a group is Kubernetes' own. Others end in `.k8s.io` as well, such as those of the
/// Gateway API, so the names are those that are served, and some that were.
fn is_own(group: &str, minor: Minor) -> bool {
    const GONE: [&str; 1] = ["extensions"];
    let mut groups = minor.kinds().map(group_of);
    GONE.contains(&group) || groups.any(|own| own == group)
}

/// `apps` of `apps/v1/Deployment`, nothing of `v1/Pod`.
fn group_of(name: &str) -> &str {
    match name.matches('/').count() {
        2 => name.split('/').next().unwrap_or_default(),
        _ => "",
    }
}

fn version_that_serves(resource: &Resource, minor: Minor) -> Option<&'static str> {
    let mut kinds = minor.kinds().filter_map(|name| {
        let (api_version, kind) = name.rsplit_once('/')?;
        let fits = kind == resource.id.kind && group_of(name) == resource.id.group;
        fits.then_some(api_version)
    });
    let first = kinds.next();
    kinds.find(|version| !version.contains("beta")).or(first)
}

fn near_kind(resource: &Resource, minor: Minor) -> Option<&'static str> {
    let own = minor
        .kinds()
        .filter(|name| group_of(name) == resource.id.group);
    let kinds: Vec<&'static str> = own.filter_map(|name| name.rsplit('/').next()).collect();
    crate::render::nearest(&resource.id.kind, kinds)
}
