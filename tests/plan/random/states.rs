//! Random states that are valid by themselves.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::Case;

fn any_of<const N: usize>(values: [Value; N]) -> impl Strategy<Value = Value> {
    prop::sample::select(Vec::from(values))
}

/// An object of those fields that have a value.
fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> Value {
    let fields = fields.into_iter();
    fields
        .filter_map(|(key, value)| Some((key.to_owned(), value?)))
        .collect()
}

fn map() -> impl Strategy<Value = Value> {
    btree_map("[a-d]", "[xy]", 0..3).prop_map(|entries| json!(entries))
}

/// Items by their keys, in any order.
fn list<K: Ord + std::fmt::Debug + Clone + 'static>(
    items: BTreeMap<K, Value>,
) -> impl Strategy<Value = Value> {
    let items: Vec<Value> = items.into_values().collect();
    Just(items).prop_shuffle().prop_map(Value::Array)
}

fn env() -> impl Strategy<Value = Value> {
    let field =
        json!({"valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}});
    let secret = json!({"valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}});
    let value = any_of([
        json!({"value": "x"}),
        json!({"value": "y"}),
        json!({}),
        field,
        secret,
    ]);
    let named = btree_map("[A-D]", value, 0..4).prop_map(|all| named(all, "name"));
    named.prop_flat_map(list)
}

/// Writes keys into items.
fn named(all: BTreeMap<String, Value>, field: &str) -> BTreeMap<String, Value> {
    let named = all.into_iter().map(|(name, mut item)| {
        item[field] = name.clone().into();
        (name, item)
    });
    named.collect()
}

fn ports() -> impl Strategy<Value = Value> {
    let number = prop::sample::select(vec![(53, "UDP"), (53, "TCP"), (80, "TCP"), (443, "UDP")]);
    btree_map(number, of(any::<bool>()), 0..4)
        .prop_map(|all| {
            let items = all.into_iter().map(|(key, name)| {
                let (number, protocol) = key;
                let name = name.map(|other| {
                    format!(
                        "{}{number}{}",
                        if other { "p" } else { "q" },
                        protocol.to_lowercase()
                    )
                });
                let protocol = (protocol != "TCP" || name.is_some()).then(|| json!(protocol));
                (
                    key,
                    object([
                        ("containerPort", Some(json!(number))),
                        ("protocol", protocol),
                        ("name", name.map(Value::from)),
                    ]),
                )
            });
            items.collect::<BTreeMap<_, _>>()
        })
        .prop_flat_map(list)
}

fn probe() -> impl Strategy<Value = Value> {
    let handler = any_of([
        json!({"httpGet": {"path": "/", "port": 80}}),
        json!({"httpGet": {"path": "/a", "port": "web"}}),
        json!({"exec": {"command": ["a"]}}),
        json!({"tcpSocket": {"port": 80}}),
    ]);
    (handler, of(1_i64..4)).prop_map(|(mut probe, period)| {
        if let Some(period) = period {
            probe["periodSeconds"] = period.into();
        }
        probe
    })
}

fn container() -> impl Strategy<Value = Value> {
    let limits = btree_map(
        "cpu|memory",
        any_of([json!("1"), json!("1000m"), json!(2)]),
        0..3,
    );
    let security = any_of([
        json!({}),
        json!({"runAsUser": 1}),
        json!({"runAsUser": 2, "privileged": false}),
    ]);
    let args = vec("[ab]", 0..3).prop_map(Value::from);
    let policy = any_of([json!("Always"), json!("Never")]);
    let image = any_of([json!("x:1"), json!("x:2"), json!("y:1")]);
    let lists = (of(env()), of(ports()), of(args));
    (
        image,
        lists,
        of(limits),
        of(security),
        of(probe()),
        of(policy),
    )
        .prop_map(
            |(image, (env, ports, args), limits, security, probe, policy)| {
                object([
                    ("image", Some(image)),
                    ("env", env),
                    ("ports", ports),
                    ("args", args),
                    ("resources", limits.map(|limits| json!({"limits": limits}))),
                    ("securityContext", security),
                    ("livenessProbe", probe),
                    ("imagePullPolicy", policy),
                ])
            },
        )
}

fn containers(least: usize) -> impl Strategy<Value = Value> {
    let all = btree_map("[abc]", container(), least..4);
    all.prop_map(|all| named(all, "name")).prop_flat_map(list)
}

fn init_containers() -> impl Strategy<Value = Value> {
    let all = btree_map("[ij]", container(), 0..3);
    let all = all.prop_map(|all| {
        let mut all = named(all, "name");
        // They have no probes.
        for item in all.values_mut().filter_map(Value::as_object_mut) {
            item.remove("livenessProbe");
        }
        all
    });
    all.prop_flat_map(list)
}

fn volumes() -> impl Strategy<Value = Value> {
    let source = any_of([
        json!({"emptyDir": {}}),
        json!({"emptyDir": {"medium": "Memory"}}),
        json!({"configMap": {"name": "a"}}),
        json!({"configMap": {"name": "b", "optional": true}}),
        json!({"secret": {"secretName": "a", "defaultMode": 256}}),
        json!({"hostPath": {"path": "/srv"}}),
    ]);
    let all = btree_map("[v-y]", source, 0..4);
    all.prop_map(|all| named(all, "name")).prop_flat_map(list)
}

fn spread() -> impl Strategy<Value = Value> {
    let key = (
        "zone|host",
        prop::sample::select(vec!["DoNotSchedule", "ScheduleAnyway"]),
    );
    btree_map(key, 1..4, 0..4)
        .prop_map(|all| {
            let items = all.into_iter().map(|((key, when), skew)| {
                let item = json!({"topologyKey": key, "whenUnsatisfiable": when, "maxSkew": skew});
                ((key, when), item)
            });
            items.collect::<BTreeMap<_, _>>()
        })
        .prop_flat_map(list)
}

fn aliases() -> impl Strategy<Value = Value> {
    let names = vec("[ab]", 1..3).prop_map(|names| json!({"hostnames": names}));
    let all = btree_map("10\\.9\\.0\\.[123]", names, 0..3);
    all.prop_map(|all| named(all, "ip")).prop_flat_map(list)
}

fn pod() -> impl Strategy<Value = Value> {
    let pulls = btree_map("[ab]", Just(json!({})), 0..3);
    let pulls = pulls.prop_map(|all| named(all, "name")).prop_flat_map(list);
    let toleration = any_of([
        json!({"key": "a", "operator": "Exists"}),
        json!({"key": "b", "value": "x"}),
    ]);
    let lists = (
        containers(1),
        of(init_containers()),
        of(volumes()),
        of(spread()),
        of(aliases()),
        of(pulls),
        of(vec(toleration, 0..3)),
    );
    let security = any_of([json!({}), json!({"runAsUser": 1}), json!({"fsGroup": 2})]);
    let rest = (
        of(map()),
        of(security),
        of(1_i64..4),
        of(any_of([json!("Default"), json!("ClusterFirst")])),
    );
    (lists, rest).prop_map(|(lists, (selector, security, grace, dns))| {
        let (containers, init, volumes, spread, aliases, pulls, tolerations) = lists;
        object([
            ("containers", Some(containers)),
            ("initContainers", init),
            ("volumes", volumes),
            ("topologySpreadConstraints", spread),
            ("hostAliases", aliases),
            ("imagePullSecrets", pulls),
            ("tolerations", tolerations.map(Value::Array)),
            ("nodeSelector", selector),
            ("securityContext", security),
            ("terminationGracePeriodSeconds", grace.map(Value::from)),
            ("dnsPolicy", dns),
        ])
    })
}

/// A Deployment that makes no pods.
pub(super) fn deployment() -> impl Strategy<Value = Value> {
    let strategy = any_of([
        json!({"type": "Recreate"}),
        json!({"type": "RollingUpdate"}),
        json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 2}}),
        json!({"rollingUpdate": {"maxUnavailable": 1}}),
    ]);
    (pod(), of(map()), of(map()), of(strategy), of(1_i64..4)).prop_map(|(pod, labels, annotations, strategy, ready)| {
        let mut all = labels.clone().unwrap_or(json!({}));
        all["app"] = "app".into();
        let spec = object([
            ("paused", Some(json!(true))),
            ("replicas", Some(json!(0))),
            ("selector", Some(json!({"matchLabels": {"app": "app"}}))),
            ("minReadySeconds", ready.map(Value::from)),
            ("strategy", strategy),
            ("template", Some(json!({"metadata": object([("labels", Some(all)), ("annotations", annotations.clone())]), "spec": pod}))),
        ]);
        let metadata = object([("labels", labels), ("annotations", annotations)]);
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec})
    })
}

fn service_ports() -> impl Strategy<Value = Value> {
    let number = prop::sample::select(vec![(53, "UDP"), (53, "TCP"), (80, "TCP"), (443, "UDP")]);
    let rest = (
        any::<bool>(),
        of(any_of([json!(1), json!(2), json!("web")])),
        of(any_of([json!("http"), json!("h2c")])),
    );
    btree_map(number, rest, 1..4)
        .prop_map(|all| {
            let items = all.into_iter().map(|(key, (other, target, protocol))| {
                let (number, transport) = key;
                let name = format!(
                    "{}{number}{}",
                    if other { "p" } else { "q" },
                    transport.to_lowercase()
                );
                let item = object([
                    ("port", Some(json!(number))),
                    (
                        "protocol",
                        (other || transport != "TCP").then(|| json!(transport)),
                    ),
                    ("name", Some(json!(name))),
                    ("targetPort", target),
                    ("appProtocol", protocol),
                ]);
                (key, item)
            });
            items.collect::<BTreeMap<_, _>>()
        })
        .prop_flat_map(list)
}

pub(super) fn service() -> impl Strategy<Value = Value> {
    let kind = any_of([json!("ClusterIP"), json!("NodePort")]);
    let affinity = any_of([json!("None"), json!("ClientIP")]);
    let addresses = vec("192\\.0\\.2\\.[123]", 0..3).prop_map(Value::from);
    let policy = any_of([json!("Local"), json!("Cluster")]);
    let scalars = (of(kind), of(affinity), of(policy), of(any::<bool>()));
    let maps = (of(map()), of(map()), of(map()));
    (service_ports(), scalars, maps, of(addresses)).prop_map(
        |(ports, (kind, affinity, policy, publish), (labels, annotations, selector), addresses)| {
            let spec = object([
                ("ports", Some(ports)),
                ("type", kind),
                ("sessionAffinity", affinity),
                ("internalTrafficPolicy", policy),
                ("publishNotReadyAddresses", publish.map(Value::from)),
                ("selector", selector),
                ("externalIPs", addresses),
            ]);
            let metadata = object([("labels", labels), ("annotations", annotations)]);
            json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec})
        },
    )
}

/// Three states, of which some are often the same.
pub(super) fn cases(states: &impl Strategy<Value = Value>) -> impl Strategy<Value = Case> {
    let roles = prop::sample::select(vec![[0, 1, 2], [0, 1, 2], [0, 1, 0], [0, 0, 1], [0, 1, 1]]);
    (states, states, states, roles).prop_map(|(a, b, c, roles)| {
        let [base, desired, live] = roles.map(|role| [&a, &b, &c][role].clone());
        Case {
            base,
            desired,
            live,
        }
    })
}
