//! What holds for any three states of a resource, whichever way the patch is written.

use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::model;
use crate::builtin::{self, Keyed, Presence, Shape, Type, Zero};
use crate::plan::diff::equal::{is_nothing, same};
use crate::plan::diff::{Sides, three_way};

/// An object of those fields that have a value.
fn object(fields: Vec<(&str, Option<Value>)>) -> Value {
    let fields = fields.into_iter();
    fields
        .filter_map(|(key, value)| Some((key.to_owned(), value?)))
        .collect()
}

fn any_of(values: &[Value]) -> impl Strategy<Value = Value> + use<> {
    prop::sample::select(values.to_vec())
}

fn map() -> impl Strategy<Value = Value> {
    btree_map("[a-d]", "[xy]?", 0..3).prop_map(|entries| json!(entries))
}

fn env() -> impl Strategy<Value = Value> {
    let item = ("[A-D]", of("[xy]?")).prop_map(|(name, value)| {
        object(vec![
            ("name", Some(json!(name))),
            ("value", value.map(Value::from)),
        ])
    });
    vec(item, 0..5).prop_map(Value::Array)
}

fn ports() -> impl Strategy<Value = Value> {
    let protocol = of(any_of(&[json!("TCP"), json!("UDP")]));
    let item = (
        any_of(&[json!(53), json!(80)]),
        protocol,
        of(any_of(&[json!(1), json!(2)])),
    );
    let item = item.prop_map(|(port, protocol, host)| {
        object(vec![
            ("containerPort", Some(port)),
            ("protocol", protocol),
            ("hostPort", host),
        ])
    });
    vec(item, 0..4).prop_map(Value::Array)
}

fn container() -> impl Strategy<Value = Value> {
    let limits = btree_map(
        "cpu|memory",
        any_of(&[json!("1"), json!("1000m"), json!(2)]),
        0..3,
    );
    let args = vec("[ab]", 0..3).prop_map(|args| json!(args));
    let fields = (
        "[ab]",
        of("[xy]?"),
        of(env()),
        of(ports()),
        of(args),
        of(limits),
    );
    fields.prop_map(|(name, image, env, ports, args, limits)| {
        object(vec![
            ("name", Some(json!(name))),
            ("image", image.map(Value::from)),
            ("env", env),
            ("ports", ports),
            ("args", args),
            ("resources", limits.map(|limits| json!({"limits": limits}))),
        ])
    })
}

fn volume() -> impl Strategy<Value = Value> {
    let source = any_of(&[
        json!({"emptyDir": {}}),
        json!({"configMap": {"name": "a"}}),
        json!({"configMap": {"name": "b", "optional": true}}),
        json!({"hostPath": {"path": "/"}}),
    ]);
    ("[v-x]", source).prop_map(|(name, mut volume)| {
        volume["name"] = json!(name);
        volume
    })
}

fn pod() -> impl Strategy<Value = Value> {
    let lists = (
        of(vec(container(), 0..3)),
        of(vec(container(), 0..3)),
        of(vec(volume(), 0..4)),
        of(vec(
            any_of(&[json!({"key": "a"}), json!({"key": "b", "effect": "x"})]),
            0..3,
        )),
    );
    let maps = (of(map()), of(map()), of(vec("[f-i]", 0..3)));
    let scalars = (
        of(any::<bool>()),
        of(any_of(&[json!({}), json!({"runAsUser": 1})])),
    );
    (lists, maps, scalars).prop_map(
        |((containers, init, volumes, tolerations), (labels, selector, finalizers), scalars)| {
            let spec = object(vec![
                ("containers", containers.map(Value::Array)),
                ("initContainers", init.map(Value::Array)),
                ("volumes", volumes.map(Value::Array)),
                ("tolerations", tolerations.map(Value::Array)),
                ("nodeSelector", selector),
                ("hostNetwork", scalars.0.map(Value::Bool)),
                ("securityContext", scalars.1),
            ]);
            let finalizers = finalizers.map(|names| json!(names));
            let metadata = object(vec![("labels", labels), ("finalizers", finalizers)]);
            json!({"metadata": metadata, "spec": spec})
        },
    )
}

fn field<'a>(shape: Shape<'a>, key: &str) -> Shape<'a> {
    match shape {
        Shape::Object(of, _) => of.field(key),
        Shape::Map(of) => of.shape(),
        _ => Shape::Unknown,
    }
}

/// Finds the last item with the keys of another one.
fn item<'v>(keyed: &Keyed, list: Option<&'v Value>, like: &Value) -> Option<&'v Value> {
    let key = |item: &Value| -> Vec<Value> {
        let keys = keyed.keys.iter();
        keys.map(|(name, default)| item.get(name).cloned().unwrap_or(json!(default)))
            .collect()
    };
    let mut items = list?.as_array()?.iter().rev();
    items.find(|item| key(item) == key(like))
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn fields(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    object.as_object().into_iter().flatten()
}

/// The places of the wanted items in a list, by their last occurrences.
fn places(keyed: &Keyed, desired: &Value, list: &Value) -> Vec<Option<usize>> {
    let place = |item: &Value| items(list).position(|other| std::ptr::eq(other, item));
    items(desired)
        .filter(|wanted| {
            item(keyed, Some(desired), wanted).is_some_and(|last| std::ptr::eq(last, *wanted))
        })
        .map(|wanted| item(keyed, Some(list), wanted).and_then(place))
        .collect()
}

/// Whether what is wanted has come about.
fn holds(shape: Shape<'_>, desired: &Value, applied: Option<&Value>) -> bool {
    let Some(applied) = applied else {
        return is_nothing(shape, desired);
    };
    match shape {
        Shape::Zero(Zero::Assigned) if desired == "" => true,
        Shape::Set(_) => items(desired).all(|item| items(applied).any(|other| item == other)),
        Shape::Keyed(keyed) => {
            let of = Shape::Object(keyed.item_type(), keyed.item_presence());
            let is_union = keyed.item_presence() == Presence::Retain;
            let items_of = |list| items(list).collect::<Vec<_>>();
            let placed = keyed.merge_key().map_or(desired.clone(), |key| {
                model::grouped(key, &items_of(desired)).into()
            });
            let same_order = keyed.is_custom()
                || [desired, &placed]
                    .iter()
                    .any(|order| places(keyed, order, applied).is_sorted());
            same_order
                && items(desired).all(|wanted| {
                    let last = item(keyed, Some(desired), wanted).unwrap_or(wanted);
                    let found = item(keyed, Some(applied), wanted);
                    let extra =
                        found.is_some_and(|found| fields(found).count() > fields(last).count());
                    !(is_union && extra) && holds(of, last, item(keyed, Some(applied), wanted))
                })
        }
        Shape::Items(of) => {
            let pairs = items(desired).zip(items(applied));
            items(desired).count() == items(applied).count()
                && pairs
                    .into_iter()
                    .all(|(a, b)| holds(of.shape(), a, Some(b)))
        }
        _ if desired.is_object() => {
            fields(desired).all(|(key, value)| holds(field(shape, key), value, applied.get(key)))
        }
        _ => same(shape, desired, applied),
    }
}

/// Whether nothing is left of what was applied and is no longer wanted.
fn is_gone(
    shape: Shape<'_>,
    base: &Value,
    desired: Option<&Value>,
    applied: Option<&Value>,
) -> bool {
    let Some(applied) = applied.filter(|applied| !is_nothing(shape, applied)) else {
        return true;
    };
    match shape {
        Shape::Set(_) => items(base).all(|item| {
            items(applied).all(|other| other != item)
                || desired.is_some_and(|desired| items(desired).any(|other| other == item))
        }),
        Shape::Keyed(keyed) => {
            let of = Shape::Object(keyed.item_type(), keyed.item_presence());
            items(base).all(|old| {
                let last = item(keyed, Some(base), old).unwrap_or(old);
                let applied = item(keyed, Some(applied), old);
                match item(keyed, desired, old) {
                    Some(desired) => is_gone(of, last, Some(desired), applied),
                    None => applied.is_none(),
                }
            })
        }
        Shape::Object(_, Presence::Always) | Shape::Map(_) => fields(base).all(|(key, base)| {
            let desired = desired.and_then(|desired| desired.get(key));
            is_gone(field(shape, key), base, desired, applied.get(key))
        }),
        Shape::Zero(Zero::Assigned) if base == "" => true,
        _ => desired.is_some(),
    }
}

/// Whether what nobody of us has ever named is as it was.
fn is_kept(shape: Shape<'_>, ours: &[&Value], live: &Value, applied: Option<&Value>) -> bool {
    if ours.is_empty() {
        return applied == Some(live) || is_nothing(shape, live);
    }
    match shape {
        Shape::Set(_) => items(live).all(|item| {
            ours.iter()
                .any(|ours| items(ours).any(|other| other == item))
                || applied.is_some_and(|applied| items(applied).any(|other| other == item))
        }),
        Shape::Keyed(keyed) => {
            let of = Shape::Object(keyed.item_type(), keyed.item_presence());
            items(live).all(|held| {
                let ours: Vec<&Value> = ours
                    .iter()
                    .filter_map(|ours| item(keyed, Some(ours), held))
                    .collect();
                let last = item(keyed, Some(live), held).unwrap_or(held);
                match item(keyed, applied, held) {
                    None => !ours.is_empty(),
                    applied => is_kept(of, &ours, last, applied),
                }
            })
        }
        Shape::Object(_, Presence::Always) | Shape::Map(_) => fields(live).all(|(key, live)| {
            let ours: Vec<&Value> = ours.iter().filter_map(|ours| ours.get(key)).collect();
            let applied = applied.and_then(|applied| applied.get(key));
            is_kept(field(shape, key), &ours, live, applied)
        }),
        _ => true,
    }
}

fn check(schema: Option<Type<'_>>, [base, desired, live]: [&Value; 3]) {
    check_all(schema, &[base], [desired, live]);
}

/// The same, where several manifests were applied.
fn check_all(schema: Option<Type<'_>>, base: &[&Value], [desired, live]: [&Value; 2]) {
    let sides = Sides {
        base,
        desired,
        live,
    };
    let difference = three_way(schema, &sides);
    let applied = difference.as_ref().map_or(Ok(live.clone()), |difference| {
        model::apply(schema, live, &difference.patch)
    });
    let applied = applied.unwrap();
    if let Some(difference) = &difference {
        assert!(!difference.changes.is_empty(), "{difference:#?}");
    }
    let second = Sides {
        base: &[desired],
        desired,
        live: &applied,
    };
    assert_eq!(
        three_way(schema, &second),
        None,
        "second comparison of {applied:#}"
    );

    let Some(schema) = schema else { return };
    let shape = Shape::Object(schema, Presence::Always);
    assert!(holds(shape, desired, Some(&applied)), "wanted: {applied:#}");
    for base in base {
        let is_gone = is_gone(shape, base, Some(desired), Some(&applied));
        assert!(is_gone, "left: {applied:#}");
    }
    let ours = [base, &[desired]].concat();
    let is_kept = is_kept(shape, &ours, live, Some(&applied));
    assert!(is_kept, "lost: {applied:#}");
}

/// A resource of the kind whose lists merge by what its schema says.
fn widget() -> impl Strategy<Value = Value> {
    let hosts = || vec("[h-j]", 0..3).prop_map(|hosts| json!(hosts));
    let rule = ("[a-d]", of("[xy]"), of(hosts())).prop_map(|(name, to, hosts)| {
        object(vec![
            ("name", Some(json!(name))),
            ("to", to.map(Value::from)),
            ("hosts", hosts),
        ])
    });
    let rules = vec(rule, 0..5).prop_map(Value::Array);
    let ports = ports().prop_map(|ports| {
        let items = ports.as_array().into_iter().flatten();
        let items = items.map(|item| {
            let mut item = item.clone();
            item["port"] = item["containerPort"].take();
            super::super::without_nulls(&item)
        });
        items.collect::<Value>()
    });
    let lists = (of(rules), of(ports), of(hosts()), of(hosts()));
    let maps = (of(map()), of(map()), of(map()));
    (lists, maps, of(hosts())).prop_map(
        |((rules, ports, tags, order), (limits, selector, open), inner)| {
            let pods = inner.map(|tags| json!({"web": {"tags": tags}}));
            let spec = object(vec![
                ("rules", rules),
                ("ports", ports),
                ("tags", tags),
                ("order", order),
                ("limits", limits),
                ("selector", selector),
                ("open", open),
                ("pods", pods),
            ]);
            json!({ "spec": spec })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn strategic_patches_keep_the_laws(base in pod(), desired in pod(), live in pod()) {
        check(builtin::schema("v1", "Pod"), [&base, &desired, &live]);
    }

    #[test]
    fn changes_of_what_is_live_keep_the_laws(base in pod(), desired in pod()) {
        check(builtin::schema("v1", "Pod"), [&base, &desired, &base]);
        check(builtin::schema("v1", "Pod"), [&base, &base, &desired]);
    }

    /// Of failed attempts, each may have been carried out in part.
    #[test]
    fn what_failed_attempts_have_applied_goes_too(
        good in pod(), failed in pod(), desired in pod(), others in pod(),
    ) {
        let schema = builtin::schema("v1", "Pod");
        for live in [&good, &failed, &others] {
            check_all(schema, &[&good, &failed], [&desired, live]);
            check_all(schema, &[&good, &failed], [&good, live]);
        }
    }

    #[test]
    fn merge_patches_settle(base in pod(), desired in pod(), live in pod()) {
        check(None, [&base, &desired, &live]);
    }

    #[test]
    fn whole_lists_keep_the_laws(base in widget(), desired in widget(), live in widget()) {
        let structure = super::listed::structure();
        check(Some(structure.root()), [&base, &desired, &live]);
        check(Some(structure.root()), [&base, &desired, &base]);
        check(Some(structure.root()), [&base, &base, &live]);
    }

    /// A schema leads to fewer changes, so that it need not be known where there are none without it.
    #[test]
    fn what_is_unchanged_without_a_schema_is_so_with_it(
        base in widget(), desired in widget(), others in widget(),
    ) {
        let structure = super::listed::structure();
        for live in [&desired, &others] {
            let sides = Sides { base: &[&base], desired: &desired, live };
            let known = three_way(Some(structure.root()), &sides);
            prop_assert!(known.is_none() || three_way(None, &sides).is_some());
        }
    }

    #[test]
    fn what_is_live_is_unchanged(pod in pod()) {
        let sides = Sides { base: &[&pod], desired: &pod, live: &pod };
        prop_assert_eq!(three_way(builtin::schema("v1", "Pod"), &sides), None);
    }
}
