//! Which field manager owns what, before and after a server-side apply.
//!
//! A live resource with its managed fields comes in, the managed fields that it has to have go out.
//! They are written without any field being touched, as `csaupgrade` of `k8s.io/client-go` does it.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::fields::FieldSet;

/// The field manager of everything in a manifest, as Helm has it.
const HELM: &str = "helm";
/// The field manager of what is pintle's alone.
const PINTLE: &str = "pintle";
/// What the API server calls whoever wrote a resource without managed fields.
const UNKNOWN: &str = "before-first-apply";
/// The field manager of `kubectl apply`.
const KUBECTL: &str = "kubectl-client-side-apply";

/// From which managers fields are taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// From those that write for a release.
    Release,
    /// From `kubectl apply` too: the resource was not written by server-side apply before.
    Everything,
}

/// How the owners of a resource's fields have to be, so that an apply removes what the chart drops, and
/// nothing else, and meets no conflict with what was written for the release in another way.
#[derive(Debug, Clone, PartialEq)]
pub struct Handover {
    /// All that stands or stood in the manifest of the resource; it becomes Helm's.
    manifest: Vec<Value>,
    /// Fields that become Helm's though they stand in no manifest.
    claims: FieldSet,
    /// The stamps of the pod template, which become pintle's: they stand in no recorded manifest, so
    /// Helm would take away what it owned of them.
    stamps: FieldSet,
    extent: Extent,
    /// What it takes for anything to be rewritten.
    need: Need,
}

/// What it takes for the owners to be rewritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::plan) enum Need {
    /// Fields have the wrong owner.
    Moves,
    /// That, or Helm owns more than it should: an apply, also one by Helm, would take that away.
    Any,
}

/// The owners of a resource's fields, as the planner sees them.
#[derive(Debug, Default)]
pub(super) struct Owners {
    /// What is or becomes Helm's.
    pub(super) own: FieldSet,
    /// What others own.
    pub(super) others: FieldSet,
    /// The managers from which something is taken over.
    pub(super) from: Vec<String>,
}

impl Owners {
    /// Whose fields are taken over, in words; none if nobody's are.
    pub(super) fn remark(&self) -> Option<String> {
        let from: BTreeSet<&str> = self.from.iter().map(String::as_str).collect();
        let names: Vec<&str> = from.into_iter().collect();
        let names = names.join(", ");
        (!names.is_empty()).then(|| {
            format!("what {names} wrote for the release is handed over to server-side apply")
        })
    }
}

struct Entry<'a> {
    raw: &'a Value,
    fields: FieldSet,
}

impl<'a> Entry<'a> {
    fn text(&self, field: &str) -> &'a str {
        self.raw.get(field).and_then(Value::as_str).unwrap_or("")
    }

    fn is(&self, manager: &str, operation: &str) -> bool {
        self.text("manager") == manager
            && self.text("operation") == operation
            && self.text("subresource").is_empty()
    }
}

fn entries(live: &Value) -> Vec<Entry<'_>> {
    let found = live.pointer("/metadata/managedFields");
    let found = found.and_then(Value::as_array).into_iter().flatten();
    found
        .map(|raw| Entry {
            raw,
            fields: raw.get("fieldsV1").map(FieldSet::read).unwrap_or_default(),
        })
        .collect()
}

impl Handover {
    pub(super) fn new(
        (manifest, stamps): (Vec<Value>, FieldSet),
        extent: Extent,
        need: Need,
    ) -> Self {
        Self {
            manifest,
            claims: FieldSet::default(),
            stamps,
            extent,
            need,
        }
    }

    /// The same with fields that stand in no manifest and are to be dropped.
    pub(super) fn claiming(mut self, claims: FieldSet) -> Self {
        self.claims = claims;
        self
    }

    /// The managers whose fields are handed over; a conflict with one of them is none.
    pub fn is_from(&self, manager: &str) -> bool {
        match manager {
            HELM | PINTLE | UNKNOWN => true,
            KUBECTL => self.extent == Extent::Everything,
            _ => false,
        }
    }

    /// The managed fields that `live` has to have; none if there is nothing to rewrite.
    pub fn of(&self, live: &Value) -> Option<Value> {
        let entries = entries(live);
        let moved = self.sort(live, &entries);
        let is_needed = !moved.from.is_empty()
            || !self.claims.is_empty()
            || (self.need == Need::Any && moved.is_narrower);
        if !is_needed {
            return None;
        }
        let rewritten: Vec<Value> = moved.entries.into_iter().flatten().collect();
        (!rewritten.is_empty()).then_some(Value::Array(rewritten))
    }

    pub(super) fn owners(&self, live: &Value) -> Owners {
        let entries = entries(live);
        let moved = self.sort(live, &entries);
        let mut owners = Owners {
            own: moved.own,
            from: moved.from,
            others: FieldSet::default(),
        };
        for (entry, rewritten) in entries.iter().zip(&moved.entries) {
            if let Some(rewritten) = rewritten
                && !entry.is(HELM, "Apply")
            {
                let left = rewritten.get("fieldsV1").map(FieldSet::read);
                owners.others.add(&left.unwrap_or_default());
            }
        }
        owners
    }

    fn sort(&self, live: &Value, entries: &[Entry<'_>]) -> Moved {
        let version = live.get("apiVersion").and_then(Value::as_str);
        let manifest: Vec<&Value> = self.manifest.iter().collect();
        let mut moved = Moved::default();
        let mut stamps = FieldSet::default();
        let mut own_place = None;
        let mut pintle_place = None;
        for (index, entry) in entries.iter().enumerate() {
            let manager = entry.text("manager");
            let is_own = entry.is(HELM, "Apply");
            let is_taken = entry.is(manager, "Update") && self.is_from(manager);
            moved.entries.push(Some(entry.raw.clone()));
            if !is_own && !is_taken {
                continue;
            }
            // The fields of another version may have other names.
            let is_same = Some(entry.text("apiVersion")) == version;
            let mine = if is_same || manager == PINTLE {
                entry.fields.within(&manifest)
            } else {
                entry.fields.clone()
            };
            if manager == PINTLE {
                pintle_place = Some(index);
            } else {
                stamps.add(&entry.fields.both(&self.stamps));
            }
            if is_own {
                own_place = Some(index);
                moved.is_narrower = mine != entry.fields;
                moved.own.add(&mine);
                continue;
            }
            if is_same && entry.fields.leaves().within(&manifest).is_empty() {
                continue;
            }
            moved.own.add(&mine);
            moved.from.push(manager.to_owned());
            let left = match manager {
                // What is left of it is nobody's: an autoscaler may take it.
                HELM => FieldSet::default(),
                _ => entry.fields.without(&mine),
            };
            moved.entries[index] = with(entry.raw, &left);
        }
        moved.own.add(&self.claims);
        moved.finish((own_place, pintle_place), &stamps, version);
        moved
    }
}

/// What becomes of the entries.
#[derive(Default)]
struct Moved {
    /// What is left of each entry, in their order, and entries that are new.
    entries: Vec<Option<Value>>,
    own: FieldSet,
    from: Vec<String>,
    /// Whether Helm owned more than it should.
    is_narrower: bool,
}

impl Moved {
    fn finish(
        &mut self,
        (own, pintle): (Option<usize>, Option<usize>),
        stamps: &FieldSet,
        version: Option<&str>,
    ) {
        let entry = |manager: &str, operation: &str| {
            json!({"manager": manager, "operation": operation, "apiVersion": version,
                "fieldsType": "FieldsV1", "fieldsV1": {}})
        };
        if !stamps.is_empty() {
            let place = pintle.and_then(|index| self.entries[index].clone());
            let raw = place.unwrap_or_else(|| entry(PINTLE, "Update"));
            let mut fields = raw.get("fieldsV1").map(FieldSet::read).unwrap_or_default();
            fields.add(stamps);
            self.from.push(HELM.to_owned());
            self.put(pintle, with(&raw, &fields));
        }
        let place = own.and_then(|index| self.entries[index].clone());
        let raw = place.unwrap_or_else(|| entry(HELM, "Apply"));
        self.put(own, with(&raw, &self.own));
    }

    fn put(&mut self, place: Option<usize>, entry: Option<Value>) {
        match place {
            Some(index) => self.entries[index] = entry,
            None => self.entries.push(entry),
        }
    }
}

/// An entry with other fields; none if it has none.
fn with(raw: &Value, fields: &FieldSet) -> Option<Value> {
    if fields.is_empty() {
        return None;
    }
    let mut entry: Map<String, Value> = raw.as_object()?.clone();
    entry.insert("fieldsV1".to_owned(), fields.write());
    Some(Value::Object(entry))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(manager: &str, operation: &str, fields: &Value) -> Value {
        json!({"manager": manager, "operation": operation, "apiVersion": "v1",
            "fieldsType": "FieldsV1", "fieldsV1": fields})
    }

    fn live(entries: &[Value]) -> Value {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"managedFields": entries}})
    }

    fn data(names: &[&str]) -> Value {
        let fields = names.iter().map(|name| (format!("f:{name}"), json!({})));
        json!({ "f:data": fields.collect::<Map<_, _>>() })
    }

    /// A handover of a manifest that has or had `a` and `b`.
    fn handover(extent: Extent, need: Need) -> Handover {
        let manifest = vec![json!({"data": {"a": 1}}), json!({"data": {"b": 1}})];
        Handover::new((manifest, FieldSet::default()), extent, need)
    }

    #[track_caller]
    fn check(handover: &Handover, before: &[Value], after: Option<&[Value]>) {
        let rewritten = handover.of(&live(before));
        assert_eq!(rewritten, after.map(|after| json!(after)));
        if let Some(after) = after {
            let again = handover.of(&live(after));
            assert_eq!(again, None, "it is not rewritten twice");
        }
    }

    #[test]
    fn updates_become_one_apply() {
        let release = handover(Extent::Release, Need::Moves);
        let helm = |fields: &[&str]| entry("helm", "Apply", &data(fields));
        check(
            &release,
            &[entry("helm", "Update", &data(&["a", "b", "hpa"]))],
            Some(&[helm(&["a", "b"])]),
        );
        check(
            &release,
            &[helm(&["a"]), entry("helm", "Update", &data(&["b"]))],
            Some(&[helm(&["a", "b"])]),
        );
        check(&release, &[helm(&["a", "b", "more"])], None);
        let any = handover(Extent::Release, Need::Any);
        check(&any, &[helm(&["a", "more"])], Some(&[helm(&["a"])]));
        check(&any, &[helm(&["a"])], None);
    }

    #[test]
    fn others_keep_what_is_theirs() {
        let kubectl = entry("kubectl-client-side-apply", "Update", &data(&["a", "x"]));
        let edit = entry("kubectl-edit", "Update", &data(&["b"]));
        let pintle = entry("pintle", "Update", &data(&["key"]));
        let before = [kubectl, edit.clone(), pintle.clone()];
        check(&handover(Extent::Release, Need::Any), &before, None);
        let left = entry("kubectl-client-side-apply", "Update", &data(&["x"]));
        check(
            &handover(Extent::Everything, Need::Moves),
            &before,
            Some(&[left, edit, pintle, entry("helm", "Apply", &data(&["a"]))]),
        );
        let mut status = entry("helm", "Update", &data(&["a"]));
        status["subresource"] = json!("status");
        check(&handover(Extent::Everything, Need::Any), &[status], None);
    }

    #[test]
    fn stamps_become_pintles() {
        let stamps = FieldSet::read(&data(&["stamp"]));
        let manifest = vec![json!({"data": {"a": 1}})];
        let handover = Handover::new((manifest, stamps), Extent::Release, Need::Moves);
        check(
            &handover,
            &[entry("helm", "Apply", &data(&["a", "stamp"]))],
            Some(&[
                entry("helm", "Apply", &data(&["a"])),
                entry("pintle", "Update", &data(&["stamp"])),
            ]),
        );
    }

    #[test]
    fn owners_are_told() {
        let kubectl = entry("kubectl-client-side-apply", "Update", &data(&["a", "x"]));
        let edit = entry("kubectl-edit", "Update", &data(&["b"]));
        let handover = handover(Extent::Everything, Need::Moves);
        let owners = handover.owners(&live(&[kubectl, edit]));
        assert_eq!(owners.own.write(), data(&["a"]));
        assert_eq!(owners.others.write(), data(&["b", "x"]));
        assert!(
            owners
                .remark()
                .unwrap()
                .contains("kubectl-client-side-apply")
        );
    }
}
