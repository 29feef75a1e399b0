//! How a step is written by server-side apply.
//!
//! The three-way difference says what changes, as it does for patches; here it is told what has to be
//! applied, and how the owners of fields have to be first, so that the apply does just that. What the
//! chart drops goes where Helm's field manager alone owns it; elsewhere it stays, and the plan says so.

mod fields;
mod handover;

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::credentials;
use super::diff::{self, Change, Difference};
use super::pod_template;
use fields::FieldSet;
pub use handover::Handover;
pub(super) use handover::Need;
use handover::{Extent, Owners};

/// What is sent for a step besides or instead of its patch.
#[derive(Debug, Clone, PartialEq)]
pub struct Apply {
    /// What is applied; none where only owners change, and for what is created, which the step has.
    pub body: Option<Value>,
    /// How the owners have to be before it.
    pub before: Option<Handover>,
    /// How the owners have to be after it.
    pub after: Option<Handover>,
}

/// The three sides of a resource, with the forms of it that were applied.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sides<'a> {
    pub(super) base: &'a [Cow<'a, Value>],
    pub(super) desired: &'a Value,
    pub(super) live: &'a Value,
    /// Whether the resource was written by server-side apply so far.
    pub(super) before: Before,
    /// When the owners have to be rewritten though nothing else changes.
    pub(super) need: Need,
}

/// How a resource was written so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    /// By server-side apply.
    ServerSide,
    /// In another way, or by somebody else.
    Other,
}

/// A step that was planned.
pub(super) struct Planned {
    pub(super) difference: Option<Difference>,
    pub(super) apply: Option<Apply>,
    /// Whose fields are taken over, in words.
    pub(super) remark: Option<String>,
    /// What the chart drops and stays, in words.
    pub(super) left: Vec<String>,
}

/// A body as it is applied: without nulls, which ask for nothing, and with the text of a Secret as
/// data, since text that is applied belongs to nobody afterwards.
pub(super) fn lean(body: &Value) -> Value {
    diff::without_nulls(&diff::folded(body))
}

/// How a resource is created from a body that is [`lean`]; its stamps become pintle's afterwards.
pub(super) fn creation(body: &Value) -> Option<Apply> {
    let stamps = stamps(body);
    let after = after(body, &stamps)?;
    Some(Apply {
        body: None,
        before: None,
        after: Some(after),
    })
}

/// Plans the change of a resource; `full` is the difference as patches would bring it about.
pub(super) fn change(
    sides: &Sides<'_>,
    schema: Option<crate::builtin::Type<'_>>,
    full: Option<Difference>,
) -> Planned {
    let split = Split::of(sides);
    let mut handover = split.handover(sides, sides.need);
    let owners = handover.owners(sides.live);
    let Some(full) = full else {
        return Planned::unchanged(handover, (&owners, sides.live));
    };
    let removable = owners.own.without(&owners.others);
    let mut base: Vec<Cow<'_, Value>> = sides
        .base
        .iter()
        .map(|body| part(body, (&removable, &owners.others), &split.body))
        .collect();
    base.extend(split.stale.as_ref().map(Cow::Borrowed));
    let base: Vec<&Value> = base.iter().map(AsRef::as_ref).collect();
    let desired = asking(sides.desired, Some(&owners.others));
    // Lists of custom resources may be compared as wholes, and are merged by the API server.
    let live = match schema {
        Some(of) if !of.is_custom() => Cow::Borrowed(sides.live),
        _ => Cow::Owned(
            owners
                .others
                .trimmed(&owners.own, (sides.live, &split.body)),
        ),
    };
    let own = diff::Sides {
        base: &base,
        desired: &desired,
        live: &live,
    };
    let difference = diff::three_way(schema, &own);
    let left = left(&full, difference.as_ref());
    let Some(difference) = difference else {
        return Planned {
            left,
            ..Planned::unchanged(handover, (&owners, sides.live))
        };
    };
    handover = split
        .handover(sides, Need::Any)
        .claiming(claims(&difference, &owners));
    Planned {
        difference: Some(difference),
        apply: Some(Apply {
            before: handover.of(sides.live).map(|_| handover),
            after: after(&split.body, &stamps(&split.body)),
            body: Some(split.body),
        }),
        remark: owners.remark(),
        left,
    }
}

impl Planned {
    fn unchanged(before: Handover, (owners, live): (&Owners, &Value)) -> Self {
        let is_needed = before.of(live).is_some();
        Self {
            difference: None,
            apply: is_needed.then_some(Apply {
                body: None,
                before: Some(before),
                after: None,
            }),
            remark: owners.remark().filter(|_| is_needed),
            left: vec![],
        }
    }
}

/// What is wanted, split into what is applied and the stamps that are right already.
struct Split {
    body: Value,
    /// The stamps of the live resource that stay.
    kept: FieldSet,
    /// The stamps of the live resource that are not wanted any more, in a body.
    stale: Option<Value>,
}

impl Split {
    fn of(sides: &Sides<'_>) -> Self {
        let mut body = lean(sides.desired);
        let wanted = credentials::stamps(&body);
        let (kept, stale): (Vec<_>, Vec<_>) = credentials::stamps(sides.live)
            .into_iter()
            .partition(|(name, id)| wanted.get(name) == Some(id));
        let kept: Vec<String> = kept.into_iter().map(|(name, _)| name).collect();
        let fields = stamped(&body, &kept);
        unstamp(&mut body, &kept);
        let stale: Map<String, Value> = stale
            .into_iter()
            .filter(|(name, _)| !wanted.contains_key(name))
            .map(|(name, id)| (name, id.into()))
            .collect();
        Self {
            stale: (!stale.is_empty())
                .then(|| below_template(&body, &stale))
                .flatten(),
            kept: fields,
            body,
        }
    }

    fn handover(&self, sides: &Sides<'_>, need: Need) -> Handover {
        let mut manifest = vec![self.body.clone()];
        manifest.extend(sides.base.iter().map(|body| lean(body)));
        manifest.extend(self.stale.clone());
        let extent = match sides.before {
            Before::ServerSide => Extent::Release,
            Before::Other => Extent::Everything,
        };
        Handover::new((manifest, self.kept.clone()), extent, need)
    }
}

/// The names of the stamps that a body has.
fn stamps(body: &Value) -> Vec<String> {
    credentials::stamps(body).into_keys().collect()
}

/// How the owners of stamps have to be when they are written; none if there are none.
fn after(body: &Value, stamps: &[String]) -> Option<Handover> {
    if stamps.is_empty() {
        return None;
    }
    let fields = stamped(body, stamps);
    let mut body = body.clone();
    unstamp(&mut body, stamps);
    Some(Handover::new(
        (vec![body], fields),
        Extent::Release,
        Need::Moves,
    ))
}

/// The fields of these stamps in the pod template of a workload.
fn stamped(body: &Value, stamps: &[String]) -> FieldSet {
    let mut all = FieldSet::default();
    let Some(path) = pod_template::path(body) else {
        return all;
    };
    for name in stamps {
        let template = path.split('/').filter(|name| !name.is_empty());
        let names = template.chain(["metadata", "annotations", name.as_str()]);
        let names: Vec<&str> = names.collect();
        all.add(&FieldSet::of(names.into_iter()));
    }
    all
}

fn unstamp(body: &mut Value, stamps: &[String]) {
    let annotations = pod_template::path(body)
        .and_then(|path| body.pointer_mut(&format!("{path}/metadata/annotations")))
        .and_then(Value::as_object_mut);
    if let Some(annotations) = annotations {
        annotations.retain(|name, _| !stamps.contains(name));
    }
}

/// A body that has nothing but annotations of its pod template.
fn below_template(body: &Value, annotations: &Map<String, Value>) -> Option<Value> {
    let mut nested = json!({ "metadata": { "annotations": annotations } });
    let path = pod_template::path(body)?;
    for name in path.split('/').filter(|name| !name.is_empty()).rev() {
        nested = json!({ name: nested });
    }
    Some(nested)
}

/// What of an applied form an apply removes where it is not wanted any more, and what is wanted.
fn part<'a>(
    body: &Value,
    (removable, others): (&FieldSet, &FieldSet),
    wanted: &Value,
) -> Cow<'a, Value> {
    let part = removable.part(others, (&lean(body), Some(wanted)));
    Cow::Owned(part.unwrap_or_default())
}

/// What is wanted with the nulls by which an apply can bring a field to be absent.
fn asking(desired: &Value, others: Option<&FieldSet>) -> Value {
    let Value::Object(fields) = desired else {
        return diff::without_nulls(desired);
    };
    let asked = fields.iter().filter_map(|(name, value)| {
        let others = others.and_then(|others| others.child(name));
        if value.is_null() {
            return others.is_none().then(|| (name.clone(), Value::Null));
        }
        Some((name.clone(), asking(value, others)))
    });
    Value::Object(asked.collect())
}

/// The removed fields that nobody owns: an apply takes them away only from whoever applied them.
fn claims(difference: &Difference, owners: &Owners) -> FieldSet {
    let mut claims = FieldSet::default();
    for names in difference.changes.iter().filter_map(removed) {
        let names = || names.iter().map(String::as_str);
        if !owners.own.touches(names()) && !owners.others.touches(names()) {
            claims.add(&FieldSet::of(names()));
        }
    }
    claims
}

/// The names on the way to a removed field that stands in no list.
fn removed(change: &Change) -> Option<Vec<String>> {
    let is_removed = change.old.is_some() && change.new.is_none();
    names(&change.path).filter(|_| is_removed)
}

/// The names in a path such as `data["tls.crt"]`; none if it leads through a list.
fn names(path: &str) -> Option<Vec<String>> {
    let mut names = vec![];
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix('[') {
            let mut values = serde_json::Deserializer::from_str(quoted).into_iter::<String>();
            names.push(values.next()?.ok()?);
            rest = quoted[values.byte_offset()..].strip_prefix(']')?;
        } else {
            rest = rest.strip_prefix('.').unwrap_or(rest);
            let end = rest.find(['.', '[', ' ']).unwrap_or(rest.len());
            names.push(rest[..end].to_owned());
            rest = &rest[end..];
        }
        if rest.starts_with(' ') {
            return None;
        }
    }
    Some(names)
}

/// What patches would remove and an apply does not.
fn left(full: &Difference, difference: Option<&Difference>) -> Vec<String> {
    let done = |path: &str| {
        let changes = difference.iter().flat_map(|found| &found.changes);
        let mut changes = changes.map(|change| change.path.as_str());
        changes.any(|other| path.starts_with(other) || other.starts_with(path))
    };
    let changes = full.changes.iter();
    changes
        .filter(|change| change.new.is_none() && !done(&change.path))
        .map(|change| {
            format!(
                "{} stays though the chart does not have it: it belongs to another field manager",
                change.path
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_names(path: &str, expected: Option<&[&str]>) {
        let found = names(path);
        let found: Option<Vec<&str>> = found
            .as_ref()
            .map(|names| names.iter().map(String::as_str).collect());
        assert_eq!(found.as_deref(), expected, "{path}");
    }

    #[test]
    fn paths_are_read_as_they_are_written() {
        check_names("spec.replicas", Some(&["spec", "replicas"]));
        check_names(r#"data["tls.crt"]"#, Some(&["data", "tls.crt"]));
        check_names(
            r#"metadata.labels["a/b"].c"#,
            Some(&["metadata", "labels", "a/b", "c"]),
        );
        check_names("spec.ports[port=53,protocol=UDP].name", None);
        check_names("spec.ports (order)", None);
    }

    #[test]
    fn nulls_that_an_apply_cannot_bring_about_are_left_out() {
        let desired = json!({"spec": {"replicas": null, "paused": null, "list": [{"a": null}]}});
        let others = FieldSet::read(&json!({"f:spec": {"f:replicas": {}}}));
        assert_eq!(
            asking(&desired, Some(&others)),
            json!({"spec": {"paused": null, "list": [{}]}})
        );
    }

    /// Plans the change of a config map whose fields have these owners, and tells what changes and what
    /// stays.
    fn planned(managers: &Value) -> (Vec<String>, Vec<String>) {
        let body = |data: Value| json!({"apiVersion": "v1", "kind": "ConfigMap", "data": data});
        let base = [Cow::Owned(body(json!({"a": "1", "b": "1"})))];
        let desired = body(json!({"a": "2"}));
        let mut live = body(json!({"a": "1", "b": "1"}));
        live["metadata"] = json!({ "managedFields": managers });
        let sides = Sides {
            base: &base,
            desired: &desired,
            live: &live,
            before: Before::ServerSide,
            need: Need::Moves,
        };
        let schema = crate::builtin::schema("v1", "ConfigMap");
        let full = diff::Sides {
            base: &[&*base[0]],
            desired: &desired,
            live: &live,
        };
        let planned = change(&sides, schema, diff::three_way(schema, &full));
        let changes = planned.difference.map(|found| found.changes);
        let paths = changes.into_iter().flatten().map(|change| change.path);
        (paths.collect(), planned.left)
    }

    #[test]
    fn what_others_own_too_stays() {
        let entry = |manager: &str, operation: &str, fields: Value| {
            json!({"manager": manager, "operation": operation, "apiVersion": "v1",
                "fieldsV1": {"f:data": fields}})
        };
        let own = entry("helm", "Apply", json!({"f:a": {}, "f:b": {}}));
        let (changes, left) = planned(&json!([own]));
        assert_eq!(
            (changes, left),
            (vec!["data.a".into(), "data.b".into()], vec![])
        );
        let edit = entry("kubectl-edit", "Update", json!({"f:b": {}}));
        for managers in [json!([own, edit]), json!([edit])] {
            let (changes, left) = planned(&managers);
            assert_eq!(changes, ["data.a"]);
            assert!(left[0].starts_with("data.b stays"), "{left:?}");
        }
        // What nobody owns is claimed first.
        assert_eq!(planned(&json!([])).0, ["data.a", "data.b"]);
    }
}
