//! Whose pods a change replaces, and why, in words that can be read aloud.

use super::credentials::STAMP_PREFIX;
use super::diff::{Change, Segment, segments};
use super::immutable::Way;
use super::{Action, Step};

/// The kinds whose pods follow their template.
const ROLLING: [&str; 3] = ["Deployment", "StatefulSet", "DaemonSet"];

/// Why the pods of a workload are replaced by a step; empty if they stay, or are replaced by hand.
pub(super) fn reasons(step: &Step) -> Vec<String> {
    let difference = match &step.action {
        Action::Configure(difference, _) => difference,
        Action::Recreate(recreation) if recreation.way == Way::Orphan => &recreation.difference,
        _ => return vec![],
    };
    // What has to be done by hand is the replacement of the pods.
    let is_rolling = ROLLING.contains(&step.id.kind.as_str()) && step.remark.is_none();
    if step.id.group != "apps" || !is_rolling {
        return vec![];
    }
    let mut all: Vec<String> = vec![];
    for reason in difference.changes.iter().filter_map(reason) {
        if !all.contains(&reason) {
            all.push(reason);
        }
    }
    all
}

/// What one change of a pod template means; none for a change of anything else.
fn reason(change: &Change) -> Option<String> {
    let path = segments(&change.path);
    let names: Vec<&str> = path.iter().filter_map(name).collect();
    let in_template = names.strip_prefix(&["spec", "template"])?;
    Some(match in_template {
        ["metadata", "annotations", key, ..] => match key.strip_prefix(STAMP_PREFIX) {
            Some(used) if change.new.is_some() => format!("{used} is issued"),
            Some(used) => format!("{used} is used no more"),
            None => format!("annotation {key}"),
        },
        ["metadata", "labels", key, ..] => format!("label {key}"),
        ["spec", "containers", rest @ ..] => container("container", &path, rest, change),
        ["spec", "initContainers", rest @ ..] => container("init container", &path, rest, change),
        ["spec"] | [] => "the pod template".to_owned(),
        ["spec", field, ..] | [field, ..] => (*field).to_owned(),
    })
}

fn name(segment: &Segment) -> Option<&str> {
    match segment {
        Segment::Field(name) => Some(name),
        Segment::Index(_) | Segment::Keys(_) => None,
    }
}

/// `image of app`, or `container app is new`.
fn container(what: &str, path: &[Segment], rest: &[&str], change: &Change) -> String {
    let mut keys = path.iter().filter_map(|segment| match segment {
        Segment::Keys(keys) => keys.first(),
        _ => None,
    });
    let Some((_, name)) = keys.next() else {
        return format!("{what}s");
    };
    match (rest, &change.old, &change.new) {
        ([field, ..], ..) => format!("{field} of {name}"),
        ([], None, _) => format!("{what} {name} is new"),
        ([], _, None) => format!("{what} {name} goes"),
        ([], ..) => format!("{what} {name}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plan::diff::Cause;

    /// `path` has a plus before it if the field is added, a minus if it goes.
    #[track_caller]
    fn check(path: &str, expected: Option<&str>) {
        let change = Change {
            path: path.trim_start_matches(['+', '-']).to_owned(),
            old: (!path.starts_with('+')).then(|| json!(1)),
            new: (!path.starts_with('-')).then(|| json!(2)),
            cause: Cause::Chart,
        };
        assert_eq!(reason(&change).as_deref(), expected, "{path}");
    }

    #[test]
    fn reasons_can_be_read_aloud() {
        check("spec.replicas", None);
        check("metadata.labels.a", None);
        let app = "spec.template.spec.containers[name=app]";
        check(&format!("{app}.image"), Some("image of app"));
        check(&format!("{app}.env[name=A].value"), Some("env of app"));
        check(&format!("{app}.args[2]"), Some("args of app"));
        check(&format!("+{app}"), Some("container app is new"));
        check(&format!("-{app}"), Some("container app goes"));
        let first = "spec.template.spec.initContainers[name=a].image";
        check(first, Some("image of a"));
        check("spec.template.spec.volumes[name=a]", Some("volumes"));
        check("spec.template.spec.containers (order)", Some("containers"));
        let annotation = "spec.template.metadata.annotations";
        check(&format!("{annotation}[\"a/b\"]"), Some("annotation a/b"));
        let stamp = format!("{annotation}[\"issue.pintle.dev/ca\"]");
        check(&stamp, Some("ca is issued"));
        check(&format!("-{stamp}"), Some("ca is used no more"));
        check("spec.template", Some("the pod template"));
        check("spec.template.metadata.labels.app", Some("label app"));
    }
}
