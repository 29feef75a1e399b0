use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::chart::dotted_path;

fn newest() -> Minor {
    *Minor::all().last().unwrap()
}

/// Each fault as `rule path message`.
#[track_caller]
fn check(kind: &str, body: &Value, expected: &[&str]) {
    let (api_version, kind) = kind.rsplit_once('/').unwrap();
    let root = newest().root(api_version, kind).unwrap();
    let found = faults(body, root, newest());
    let shown = found.iter().map(|fault| {
        format!(
            "{} {} {}",
            fault.rule.id,
            dotted_path(&fault.path),
            fault.message
        )
    });
    assert_eq!(shown.collect::<Vec<_>>(), expected);
}

/// A pod with one container of these fields.
fn pod(container: &Value) -> Value {
    let mut fields = json!({"name": "a", "image": "a"});
    for (key, value) in container.as_object().unwrap() {
        fields[key] = value.clone();
    }
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"},
        "spec": {"containers": [fields]}})
}

#[track_caller]
fn check_pod(container: &Value, expected: &[&str]) {
    check("v1/Pod", &pod(container), expected);
}

#[test]
fn unknown_fields_name_the_nearest() {
    check(
        "apps/v1/Deployment",
        &json!({"spec": {"updateStrategy": {}, "selector": {}, "template": {}, "replica": 1}}),
        &[
            "unknown-field spec.replica is not a field of DeploymentSpec: did you mean replicas?",
            "unknown-field spec.updateStrategy is not a field of DeploymentSpec: did you mean strategy?",
        ],
    );
    check_pod(
        &json!({"zzz": 1}),
        &["unknown-field spec.containers[0].zzz is not a field of Container"],
    );
}

#[test]
fn types_are_checked() {
    check_pod(
        &json!({"env": [{"name": "A", "value": "1"}], "tty": true}),
        &[],
    );
    check_pod(
        &json!({"env": [{"name": "A", "value": 1}], "tty": "true", "command": "x"}),
        &[
            "field-type spec.containers[0].command must be a list, is a string",
            "field-type spec.containers[0].env[0].value must be a string, is an integer",
            "field-type spec.containers[0].tty must be a boolean, is a string",
        ],
    );
    check_pod(
        &json!({"ports": [{"containerPort": 1.5}, {"containerPort": 3_000_000_000_u64}]}),
        &[
            "field-type spec.containers[0].ports[0].containerPort must be an integer, is a number \
             with a fraction",
            "field-value spec.containers[0].ports[1].containerPort does not fit into 32 bits",
        ],
    );
}

#[test]
fn what_is_required_is_missed() {
    check(
        "v1/Pod",
        &json!({"spec": {}}),
        &["missing-field spec.containers is required"],
    );
    check_pod(
        &json!({"ports": [{"name": "http"}]}),
        &["missing-field spec.containers[0].ports[0].containerPort is required"],
    );
    check(
        "v1/Pod",
        &json!({"spec": {"containers": null}}),
        &["missing-field spec.containers is required"],
    );
    // The API server fills in the group of a role.
    check(
        "rbac.authorization.k8s.io/v1/RoleBinding",
        &json!({"roleRef": {"kind": "Role", "name": "a"}}),
        &[],
    );
}

#[test]
fn integers_or_strings_take_both() {
    let probe = |port: Value| json!({"livenessProbe": {"httpGet": {"port": port}}});
    check_pod(&probe(json!(80)), &[]);
    check_pod(&probe(json!("http")), &[]);
    check_pod(
        &probe(json!(true)),
        &[
            "field-type spec.containers[0].livenessProbe.httpGet.port must be an integer or a string, \
           is a boolean",
        ],
    );
}

#[test]
fn quantities_are_read() {
    let limit = |cpu: Value| json!({"resources": {"limits": {"cpu": cpu}}});
    for good in [
        json!("500m"),
        json!("1Gi"),
        json!(2),
        json!("1e3"),
        json!(".5"),
        json!("-1.5k"),
    ] {
        check_pod(&limit(good), &[]);
    }
    for bad in ["1 Gi", "1gb", "", "Mi"] {
        check_pod(
            &limit(json!(bad)),
            &[
                "field-value spec.containers[0].resources.limits.cpu is not a quantity such as 500m or \
               1Gi",
            ],
        );
    }
    check_pod(
        &limit(Value::Null),
        &[
            "field-type spec.containers[0].resources.limits.cpu is null, which an API server reads as \
           the quantity 0",
        ],
    );
}

#[test]
fn enumerations_are_read() {
    check_pod(&json!({"imagePullPolicy": "Always"}), &[]);
    check_pod(&json!({"imagePullPolicy": ""}), &[]);
    check_pod(
        &json!({"imagePullPolicy": "IfNotPresnt"}),
        &[
            "field-value spec.containers[0].imagePullPolicy must be one of Always, IfNotPresent, Never: \
           did you mean IfNotPresent?",
        ],
    );
}

#[test]
fn nulls_are_told_where_scalars_belong() {
    check(
        "apps/v1/Deployment",
        &json!({"spec": {"replicas": null, "selector": {}, "template": {"metadata": {
            "creationTimestamp": null, "annotations": null}}}}),
        &["null-field spec.replicas is null where an integer belongs"],
    );
    check_pod(
        &json!({"args": ["a", null]}),
        &["null-field spec.containers[0].args[1] is null where a string belongs"],
    );
}

#[test]
fn free_forms_are_left_alone() {
    check(
        "apps/v1/ControllerRevision",
        &json!({"revision": 1, "data": {"x": [1]}}),
        &[],
    );
    let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true,
        "properties": {"a": {"items": {"type": "string"}, "default": {"b": 1}}}});
    let crd = json!({"spec": {"group": "g", "names": {"kind": "K", "plural": "ks"}, "scope": "Cluster",
        "versions": [{"name": "v1", "served": true, "storage": true,
            "schema": {"openAPIV3Schema": schema}}]}});
    check(
        "apiextensions.k8s.io/v1/CustomResourceDefinition",
        &crd,
        &[],
    );
    check("v1/Pod", &json!({"status": {"zzz": 1}}), &[]);
}

#[test]
fn base64_and_times_are_read() {
    check("v1/Secret", &json!({"data": {"a": "YQ=="}}), &[]);
    check(
        "v1/Secret",
        &json!({"data": {"a": "a"}}),
        &["field-value data.a is not base64"],
    );
    let lease = |time: &str| json!({"spec": {"renewTime": time}});
    check(
        "coordination.k8s.io/v1/Lease",
        &lease("2026-01-31T12:00:00.123456Z"),
        &[],
    );
    check(
        "coordination.k8s.io/v1/Lease",
        &lease("soon"),
        &["field-value spec.renewTime is not a time such as 2026-01-31T12:00:00Z"],
    );
}

/// Any JSON whose keys are often fields.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|float| json!(float)),
        ".{0,6}".prop_map(Value::from),
    ];
    let key = prop_oneof![
        Just("spec".to_owned()),
        Just("metadata".to_owned()),
        Just("template".to_owned()),
        Just("containers".to_owned()),
        Just("selector".to_owned()),
        Just("matchLabels".to_owned()),
        Just("env".to_owned()),
        Just("name".to_owned()),
        "[a-z.]{0,4}",
    ];
    leaf.prop_recursive(6, 64, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key.clone(), inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// The findings of a chart that renders to this body.
fn linted(body: &Value) -> Vec<crate::lint::Finding> {
    let file = |path: &str, text: String| crate::chart::File {
        path: path.to_owned(),
        data: text.into(),
    };
    let head = "apiVersion: v2\nname: a\nversion: 1.0.0\nicon: https://h/i.png\n".to_owned();
    let text = crate::yaml::to_string(body);
    let files = vec![file("Chart.yaml", head), file("templates/a.yaml", text)];
    let request = crate::lint::Request {
        overrides: &crate::chart::Overrides::default(),
        kube_version: None,
        charts: crate::lint::Charts::Root,
    };
    crate::lint::lint(files, &request)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_resource_can_be_linted(body in json(), index in any::<prop::sample::Index>()) {
        let kinds: Vec<&str> = newest().kinds().collect();
        let (api_version, kind) = kinds[index.index(kinds.len())].rsplit_once('/').unwrap();
        let mut resource = json!({"metadata": {"name": "a"}});
        resource["spec"] = body;
        resource["apiVersion"] = api_version.into();
        resource["kind"] = kind.into();
        for finding in linted(&resource) {
            prop_assert!(!finding.message.is_empty() && !finding.place.file.is_empty());
        }
    }
}

proptest! {
    #[test]
    fn any_json_can_be_checked(body in json(), index in any::<prop::sample::Index>()) {
        let minors = Minor::all();
        let minor = minors[index.index(minors.len())];
        let kinds: Vec<&str> = minor.kinds().collect();
        let (api_version, kind) = kinds[index.index(kinds.len())].rsplit_once('/').unwrap();
        for fault in faults(&body, minor.root(api_version, kind).unwrap(), minor) {
            prop_assert!(!fault.message.is_empty());
        }
    }
}
