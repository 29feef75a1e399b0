//! Resources of Kubernetes' own kinds.

use super::check;

const DEPLOYMENT: (&str, &str) = ("apps/v1", "Deployment");
const POD: (&str, &str) = ("v1", "Pod");
const SERVICE: (&str, &str) = ("v1", "Service");
const SECRET: (&str, &str) = ("v1", "Secret");
const CONFIG: (&str, &str) = ("v1", "ConfigMap");

/// Wraps the fields of container `app` into a Pod.
fn app(fields: &str) -> String {
    format!("{{spec: {{containers: [{{name: app, {fields}}}]}}}}")
}

#[track_caller]
fn check_app([base, desired, live]: [&str; 3], expected: &[&str]) {
    let (base, desired, live) = (app(base), app(desired), app(live));
    let sides = [base.as_str(), &desired, &live];
    let text = super::outcome(crate::builtin::schema(POD.0, POD.1), sides)
        .replace(r#"{"spec":{"containers":["#, "")
        .replacen("]}}\n", "\n", 1)
        .replace("spec.containers[name=app].", "");
    assert_eq!(text, expected.join("\n"));
}

#[test]
fn changes_an_image() {
    check(
        DEPLOYMENT,
        [
            "{spec: {template: {spec: {containers: [{name: app, image: a:1}]}}}}",
            "{spec: {template: {spec: {containers: [{name: app, image: a:2}]}}}}",
            "{spec: {replicas: 4, template: {spec: {containers: [\
              {name: app, image: a:1, imagePullPolicy: Always}, {name: sidecar, image: s}]}}}}",
        ],
        &[
            r#"{"spec":{"template":{"spec":{"containers":[{"image":"a:2","name":"app"}]}}}}"#,
            r#"spec.template.spec.containers[name=app].image: "a:1" => "a:2" (chart)"#,
        ],
    );
}

#[test]
fn says_nothing_when_only_others_have_changed_something() {
    check(
        DEPLOYMENT,
        [
            "{metadata: {labels: {a: b}}, spec: {template: {spec: {containers: [{name: a}]}}}}",
            "{metadata: {labels: {a: b}}, spec: {template: {spec: {containers: [{name: a}]}}}}",
            "{metadata: {labels: {a: b, x: y}, annotations: {deployment.kubernetes.io/revision: '3'}}, \
              spec: {replicas: 7, template: {spec: {restartPolicy: Always, \
              containers: [{name: injected}, {name: a, env: [{name: X}]}]}}}, status: {replicas: 7}}",
        ],
        &["unchanged"],
    );
}

#[test]
fn leaves_replicas_to_an_autoscaler() {
    let omitted = "{spec: {paused: false}}";
    check(
        DEPLOYMENT,
        [omitted, omitted, "{spec: {replicas: 9}}"],
        &["unchanged"],
    );
    check(
        DEPLOYMENT,
        ["{spec: {replicas: 2}}", omitted, "{spec: {replicas: 9}}"],
        &[
            r#"{"spec":{"replicas":null}}"#,
            "spec.replicas: 9 => - (chart)",
        ],
    );
}

#[test]
fn an_account_goes_with_its_old_name() {
    let of = |spec: &str| {
        format!("{{apiVersion: apps/v1, kind: Deployment, spec: {{template: {{spec: {spec}}}}}}}")
    };
    let (none, one) = (
        of("{hostPID: true}"),
        of("{hostPID: true, serviceAccountName: a}"),
    );
    let live = of("{hostPID: true, serviceAccountName: a, serviceAccount: a}");
    check(
        DEPLOYMENT,
        [&one, &none, &live],
        &[
            r#"{"spec":{"template":{"spec":{"serviceAccount":null,"serviceAccountName":null}}}}"#,
            r#"spec.template.spec.serviceAccount: "a" => - (chart)"#,
            r#"spec.template.spec.serviceAccountName: "a" => - (chart)"#,
        ],
    );
    check(DEPLOYMENT, [&one, &one, &live], &["unchanged"]);
    check(
        DEPLOYMENT,
        [&one, &one.replace(": a}", ": b}"), &live],
        &[
            r#"{"spec":{"template":{"spec":{"serviceAccountName":"b"}}}}"#,
            r#"spec.template.spec.serviceAccountName: "a" => "b" (chart)"#,
        ],
    );
}

#[test]
fn adds_removes_and_changes_env() {
    check_app(
        [
            "env: [{name: A, value: '1'}, {name: B, value: '1'}]",
            "env: [{name: A, value: '2'}, {name: C, value: '3'}]",
            "env: [{name: A, value: '1'}, {name: B, value: '1'}, {name: X, value: x}]",
        ],
        &[
            r#"{"env":[{"name":"A","value":"2"},{"name":"C","value":"3"},{"$patch":"delete","name":"B"}],"name":"app"}"#,
            r#"env[name=A].value: "1" => "2" (chart)"#,
            r#"env[name=B]: {"name":"B","value":"1"} => - (chart)"#,
            r#"env[name=C]: - => {"name":"C","value":"3"} (chart)"#,
        ],
    );
}

#[test]
fn reorders_env() {
    check_app(
        [
            "env: [{name: A}, {name: B}]",
            "env: [{name: B}, {name: A}]",
            "env: [{name: A}, {name: X}, {name: B}]",
        ],
        &[
            r#"{"$setElementOrder/env":[{"name":"B"},{"name":"A"}],"name":"app"}"#,
            r#"env (order): ["A","B"] => ["B","A"] (chart)"#,
        ],
    );
    check_app(
        [
            "env: [{name: A}, {name: B}]",
            "env: [{name: A}, {name: B}]",
            "env: [{name: B}, {name: A}]",
        ],
        &[
            r#"{"$setElementOrder/env":[{"name":"A"},{"name":"B"}],"name":"app"}"#,
            r#"env (order): ["B","A"] => ["A","B"] (drift)"#,
        ],
    );
}

#[test]
fn puts_a_new_item_in_its_place() {
    check_app(
        [
            "env: [{name: A}, {name: B}]",
            "env: [{name: A}, {name: M}, {name: B}]",
            "env: [{name: A}, {name: B}]",
        ],
        &[
            r#"{"$setElementOrder/env":[{"name":"A"},{"name":"M"},{"name":"B"}],"env":[{"name":"M"}],"name":"app"}"#,
            r#"env[name=M]: - => {"name":"M"} (chart)"#,
        ],
    );
}

#[test]
fn says_where_a_new_item_goes_unless_the_api_server_puts_it_there() {
    let added = "env[name=C]: - => {\"name\":\"C\"} (chart)";
    check_app(
        [
            "env: [{name: A}, {name: B}]",
            "env: [{name: A}, {name: B}, {name: C}]",
            "env: [{name: A}, {name: B}, {name: X}]",
        ],
        &[
            r#"{"$setElementOrder/env":[{"name":"A"},{"name":"B"},{"name":"C"}],"env":[{"name":"C"}],"name":"app"}"#,
            added,
        ],
    );
    check_app(
        [
            "env: [{name: A}]",
            "env: [{name: C}, {name: A}]",
            "env: [{name: X}, {name: A}]",
        ],
        &[r#"{"env":[{"name":"C"}],"name":"app"}"#, added],
    );
}

#[test]
fn lets_the_last_of_two_equal_keys_win() {
    let twice = "env: [{name: A, value: '1'}, {name: B}, {name: A, value: '2'}]";
    check_app([twice, twice, twice], &["unchanged"]);
    check_app(
        [twice, "env: [{name: B}, {name: A, value: '3'}]", twice],
        &[
            r#"{"env":[{"$patch":"replace"},{"name":"B"},{"name":"A","value":"3"}],"name":"app"}"#,
            r#"env[name=A].value: "2" => "3" (chart)"#,
        ],
    );
    check_app(
        ["env: []", twice, "env: [{name: B}]"],
        &[
            r#"{"$setElementOrder/env":[{"name":"B"},{"name":"A"}],"env":[{"name":"A","value":"2"}],"name":"app"}"#,
            r#"env[name=A]: - => {"name":"A","value":"2"} (chart)"#,
        ],
    );
}

#[test]
fn switches_an_env_between_value_and_reference() {
    check_app(
        [
            "env: [{name: A, value: x}]",
            "env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}]",
            "env: [{name: A, value: x}]",
        ],
        &[
            r#"{"env":[{"name":"A","value":null,"valueFrom":{"secretKeyRef":{"key":"k","name":"s"}}}],"name":"app"}"#,
            r#"env[name=A].value: "x" => - (chart)"#,
            r#"env[name=A].valueFrom: - => {"secretKeyRef":{"key":"k","name":"s"}} (chart)"#,
        ],
    );
}

#[test]
fn knows_dropped_zero_values() {
    check_app(
        [
            "tty: false",
            "tty: false, env: [{name: A, value: ''}]",
            "env: [{name: A}]",
        ],
        &["unchanged"],
    );
    check_app(
        [
            "env: [{name: A, value: ''}]",
            "env: [{name: A, value: ''}]",
            "env: [{name: A, value: x}]",
        ],
        &[
            r#"{"env":[{"name":"A","value":""}],"name":"app"}"#,
            r#"env[name=A].value: "x" => "" (drift)"#,
        ],
    );
    check_app(
        [
            "imagePullPolicy: ''",
            "imagePullPolicy: ''",
            "imagePullPolicy: Always",
        ],
        &["unchanged"],
    );
    check_app(
        ["workingDir: /a", "workingDir: ''", "workingDir: /a"],
        &[
            r#"{"name":"app","workingDir":null}"#,
            r#"workingDir: "/a" => - (chart)"#,
        ],
    );
    check_app(
        [
            "image: a",
            "securityContext: {privileged: false}",
            "securityContext: {runAsUser: 1}",
        ],
        &[
            r#"{"name":"app","securityContext":{"privileged":false}}"#,
            "securityContext.privileged: - => false (chart)",
        ],
    );
}

#[test]
fn tells_ports_by_protocol() {
    check(
        SERVICE,
        [
            "{spec: {ports: [{name: dns, port: 53, protocol: UDP, targetPort: 53}, {name: tcp, port: 53, targetPort: 53}]}}",
            "{spec: {ports: [{name: dns, port: 53, protocol: UDP, targetPort: 1053}, {name: tcp, port: 53, targetPort: 53}]}}",
            "{spec: {clusterIP: 10.0.0.10, ports: [\
              {name: dns, port: 53, protocol: UDP, targetPort: 53, nodePort: 30053}, \
              {name: tcp, port: 53, protocol: TCP, targetPort: 53, nodePort: 30054}]}}",
        ],
        &[
            r#"{"spec":{"ports":[{"$patch":"replace"},{"name":"dns","nodePort":30053,"port":53,"protocol":"UDP","targetPort":1053},{"name":"tcp","nodePort":30054,"port":53,"protocol":"TCP","targetPort":53}]}}"#,
            "spec.ports[port=53,protocol=UDP].targetPort: 53 => 1053 (chart)",
        ],
    );
}

#[test]
fn adds_and_removes_ports() {
    check(
        SERVICE,
        [
            "{spec: {ports: [{port: 80}, {port: 443}]}}",
            "{spec: {ports: [{port: 53, protocol: UDP}, {port: 80}]}}",
            "{spec: {ports: [{port: 80, protocol: TCP, nodePort: 1}, {port: 443, protocol: TCP}, {port: 9, protocol: TCP}]}}",
        ],
        &[
            r#"{"spec":{"ports":[{"$patch":"replace"},{"port":9,"protocol":"TCP"},{"port":53,"protocol":"UDP"},{"nodePort":1,"port":80,"protocol":"TCP"}]}}"#,
            r#"spec.ports[port=443,protocol=TCP]: {"port":443,"protocol":"TCP"} => - (chart)"#,
            r#"spec.ports[port=53,protocol=UDP]: - => {"port":53,"protocol":"UDP"} (chart)"#,
        ],
    );
}

#[test]
fn asks_for_no_order_that_the_api_server_does_not_keep() {
    let ports = "{spec: {ports: [{port: 53, protocol: UDP}, {port: 80}, {port: 53}]}}";
    let kept = "{spec: {ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}, \
                {port: 80, protocol: TCP}]}}";
    check(SERVICE, [ports, ports, kept], &["unchanged"]);
    check(SERVICE, [ports, ports, ports], &["unchanged"]);
    let ours = "{spec: {ports: [{port: 80}, {port: 53, protocol: UDP}]}}";
    let theirs = "{spec: {ports: [{port: 53, protocol: TCP}]}}";
    check(
        SERVICE,
        ["{}", ours, theirs],
        &[
            r#"{"spec":{"ports":[{"$patch":"replace"},{"port":80},{"port":53,"protocol":"UDP"},{"port":53,"protocol":"TCP"}]}}"#,
            r#"spec.ports[port=53,protocol=UDP]: - => {"port":53,"protocol":"UDP"} (chart)"#,
            r#"spec.ports[port=80]: - => {"port":80} (chart)"#,
        ],
    );
}

#[test]
fn leaves_a_service_its_addresses() {
    check(
        SERVICE,
        [
            "{spec: {clusterIP: '', type: NodePort, ports: [{port: 80, targetPort: http}]}}",
            "{spec: {clusterIP: '', type: NodePort, ports: [{port: 80, targetPort: http}]}}",
            "{spec: {clusterIP: 10.0.0.1, clusterIPs: [10.0.0.1], type: NodePort, \
              ipFamilies: [IPv4], sessionAffinity: None, \
              ports: [{port: 80, protocol: TCP, targetPort: http, nodePort: 30080}]}}",
        ],
        &["unchanged"],
    );
}

#[test]
fn tells_a_port_number_from_a_name() {
    check(
        SERVICE,
        [
            "null",
            "{spec: {ports: [{port: 80, targetPort: '80'}]}}",
            "{spec: {ports: [{port: 80, targetPort: 80}]}}",
        ],
        &[
            r#"{"spec":{"ports":[{"$patch":"replace"},{"port":80,"targetPort":"80"}]}}"#,
            r#"spec.ports[port=80].targetPort: 80 => "80" (chart)"#,
        ],
    );
}

#[test]
fn switches_the_source_of_a_volume() {
    check(
        POD,
        [
            "{spec: {volumes: [{name: data, emptyDir: {}}]}}",
            "{spec: {volumes: [{name: data, configMap: {name: c}}]}}",
            "{spec: {volumes: [{name: data, emptyDir: {}}, {name: token, projected: {}}]}}",
        ],
        &[
            r#"{"spec":{"volumes":[{"$retainKeys":["configMap","name"],"configMap":{"name":"c"},"name":"data"}]}}"#,
            r#"spec.volumes[name=data].configMap: - => {"name":"c"} (chart)"#,
            "spec.volumes[name=data].emptyDir: {} => - (chart)",
        ],
    );
    check(
        POD,
        [
            "{spec: {volumes: [{name: data, emptyDir: {}}]}}",
            "{spec: {volumes: [{name: data, emptyDir: {}}]}}",
            "{spec: {volumes: [{name: data, hostPath: {path: /}}]}}",
        ],
        &[
            r#"{"spec":{"volumes":[{"$retainKeys":["emptyDir","name"],"emptyDir":{},"name":"data"}]}}"#,
            "spec.volumes[name=data].emptyDir: - => {} (drift)",
            r#"spec.volumes[name=data].hostPath: {"path":"/"} => - (drift)"#,
        ],
    );
}

#[test]
fn lets_defaults_stand_in_volumes() {
    check(
        POD,
        [
            "{spec: {volumes: [{name: c, configMap: {name: c}}]}}",
            "{spec: {volumes: [{name: c, configMap: {name: c}}]}}",
            "{spec: {volumes: [{name: c, configMap: {name: c, defaultMode: 420}}]}}",
        ],
        &["unchanged"],
    );
}

#[test]
fn switches_the_strategy() {
    check(
        DEPLOYMENT,
        [
            "{spec: {replicas: 1}}",
            "{spec: {replicas: 1, strategy: {type: Recreate}}}",
            "{spec: {replicas: 1, strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 25%}}}}",
        ],
        &[
            r#"{"spec":{"strategy":{"$retainKeys":["type"],"type":"Recreate"}}}"#,
            r#"spec.strategy.rollingUpdate: {"maxSurge":"25%"} => - (chart)"#,
            r#"spec.strategy.type: "RollingUpdate" => "Recreate" (chart)"#,
        ],
    );
}

#[test]
fn replaces_lists_without_keys() {
    check(
        POD,
        [
            "{spec: {tolerations: [{key: a, operator: Exists}]}}",
            "{spec: {tolerations: [{key: b, operator: Exists}, {key: c}]}}",
            "{spec: {tolerations: [{key: a, operator: Exists}]}}",
        ],
        &[
            r#"{"spec":{"tolerations":[{"key":"b","operator":"Exists"},{"key":"c"}]}}"#,
            r#"spec.tolerations: [{"key":"a","operator":"Exists"}] => [{"key":"b","operator":"Exists"},{"key":"c"}] (chart)"#,
        ],
    );
    check_app(
        ["args: [a, --v=1]", "args: [a, --v=2]", "args: [a, --v=1]"],
        &[
            r#"{"args":["a","--v=2"],"name":"app"}"#,
            r#"args[1]: "--v=1" => "--v=2" (chart)"#,
        ],
    );
}

#[test]
fn compares_quantities() {
    check_app(
        [
            "resources: {}",
            "resources: {limits: {cpu: 1000m, memory: 1Gi}, requests: {cpu: 0.5}}",
            "resources: {limits: {cpu: '1', memory: 1024Mi}, requests: {cpu: 500m, memory: 1Gi}}",
        ],
        &["unchanged"],
    );
    check_app(
        [
            "resources: {limits: {cpu: 1}}",
            "resources: {limits: {cpu: 2}}",
            "resources: {limits: {cpu: '1'}}",
        ],
        &[
            r#"{"name":"app","resources":{"limits":{"cpu":2}}}"#,
            r#"resources.limits.cpu: "1" => 2 (chart)"#,
        ],
    );
    check_app(
        [
            "resources: {limits: {cpu: 1}}",
            "resources: {limits: {cpu: 1000m}}",
            "resources: {limits: {cpu: '2'}}",
        ],
        &[
            r#"{"name":"app","resources":{"limits":{"cpu":"1000m"}}}"#,
            r#"resources.limits.cpu: "2" => "1000m" (drift)"#,
        ],
    );
}

#[test]
fn keeps_the_entries_of_others_in_what_it_removes() {
    check(
        POD,
        [
            "{spec: {nodeSelector: {a: b}, initContainers: [{name: i}], hostAliases: [{ip: x}]}}",
            "{spec: {}}",
            "{spec: {nodeSelector: {a: b, c: d}, initContainers: [{name: i}, {name: mesh}], hostAliases: [{ip: x}]}}",
        ],
        &[
            r#"{"spec":{"hostAliases":null,"initContainers":[{"$patch":"delete","name":"i"}],"nodeSelector":{"a":null}}}"#,
            r#"spec.hostAliases: [{"ip":"x"}] => - (chart)"#,
            r#"spec.initContainers[name=i]: {"name":"i"} => - (chart)"#,
            r#"spec.nodeSelector.a: "b" => - (chart)"#,
        ],
    );
    check_app(
        [
            "resources: {limits: {cpu: '1'}}, livenessProbe: {exec: {command: [x]}}",
            "image: a",
            "image: a, resources: {limits: {cpu: '1'}, requests: {cpu: '1'}}, \
              livenessProbe: {exec: {command: [x]}, periodSeconds: 10}",
        ],
        &[
            r#"{"livenessProbe":null,"name":"app","resources":{"limits":null}}"#,
            r#"livenessProbe: {"exec":{"command":["x"]},"periodSeconds":10} => - (chart)"#,
            r#"resources.limits: {"cpu":"1"} => - (chart)"#,
        ],
    );
}

#[test]
fn removes_what_is_null() {
    check(
        DEPLOYMENT,
        [
            "{metadata: {annotations: {a: b}}, spec: {minReadySeconds: null}}",
            "{metadata: {creationTimestamp: null, annotations: null, labels: null}, \
              spec: {paused: null, minReadySeconds: null, \
              template: {metadata: {creationTimestamp: null}}}}",
            "{metadata: {creationTimestamp: x, annotations: {a: b, deployment.kubernetes.io/revision: '1'}, \
              labels: {c: d}}, spec: {paused: true, minReadySeconds: 3, template: {metadata: {}}}}",
        ],
        &[
            r#"{"metadata":{"annotations":{"a":null}},"spec":{"minReadySeconds":null,"paused":null}}"#,
            r#"metadata.annotations.a: "b" => - (chart)"#,
            "spec.minReadySeconds: 3 => - (drift)",
            "spec.paused: true => - (chart)",
        ],
    );
}

#[test]
fn sees_a_changed_annotation() {
    let wanted = "{metadata: {annotations: {example.com/a: '1', b: '2'}}}";
    check(
        CONFIG,
        [
            wanted,
            wanted,
            "{metadata: {annotations: {example.com/a: x, other: y}}}",
        ],
        &[
            r#"{"metadata":{"annotations":{"b":"2","example.com/a":"1"}}}"#,
            r#"metadata.annotations.b: - => "2" (drift)"#,
            r#"metadata.annotations["example.com/a"]: "x" => "1" (drift)"#,
        ],
    );
}

#[test]
fn keeps_empty_config_entries() {
    check(
        CONFIG,
        ["null", "{data: {a: ''}}", "{data: {}}"],
        &[r#"{"data":{"a":""}}"#, r#"data.a: - => "" (chart)"#],
    );
    check(CONFIG, ["{data: {}}", "{data: {}}", "{}"], &["unchanged"]);
}

#[test]
fn folds_string_data() {
    let secret = |fields: &str| format!("{{apiVersion: v1, kind: Secret, {fields}}}");
    let desired = secret("stringData: {a: x}, data: {b: eQ==}");
    check(
        SECRET,
        [
            &desired,
            &desired,
            &secret("data: {a: eA==, b: eQ==, c: eg==}"),
        ],
        &["unchanged"],
    );
    check(
        SECRET,
        [
            &secret("stringData: {a: x, c: x}"),
            &desired,
            &secret("data: {a: eg==, c: eA==}"),
        ],
        &[
            r#"{"data":{"a":"eA==","b":"eQ==","c":null}}"#,
            r#"data.a: "eg==" => "eA==" (drift)"#,
            r#"data.b: - => "eQ==" (chart)"#,
            r#"data.c: "eA==" => - (chart)"#,
        ],
    );
}

#[test]
fn keeps_a_certificate_that_was_injected() {
    check(
        (
            "admissionregistration.k8s.io/v1",
            "ValidatingWebhookConfiguration",
        ),
        [
            "{webhooks: [{name: a.b.c, clientConfig: {service: {name: x}}}]}",
            "{webhooks: [{name: a.b.c, clientConfig: {service: {name: z}}}]}",
            "{webhooks: [{name: a.b.c, clientConfig: {service: {name: x}, caBundle: eA==}, timeoutSeconds: 10}]}",
        ],
        &[
            r#"{"webhooks":[{"clientConfig":{"service":{"name":"z"}},"name":"a.b.c"}]}"#,
            r#"webhooks[name=a.b.c].clientConfig.service.name: "x" => "z" (chart)"#,
        ],
    );
}

#[test]
fn adds_and_removes_finalizers() {
    check(
        CONFIG,
        [
            "{metadata: {finalizers: [a, b]}}",
            "{metadata: {finalizers: [a, c, c]}}",
            "{metadata: {finalizers: [x, b, a]}}",
        ],
        &[
            r#"{"metadata":{"$deleteFromPrimitiveList/finalizers":["b"],"finalizers":["c"]}}"#,
            r#"metadata.finalizers: ["x","b","a"] => ["x","a","c"] (chart)"#,
        ],
    );
}

#[test]
fn replaces_a_selector_that_cannot_be_merged() {
    check(
        ("policy/v1", "PodDisruptionBudget"),
        [
            "{spec: {selector: {matchLabels: {a: b}}}}",
            "{spec: {selector: {matchLabels: {a: c}}}}",
            "{spec: {selector: {matchLabels: {a: b, x: z}}}}",
        ],
        &[
            r#"{"spec":{"selector":{"matchLabels":{"a":"c","x":"z"}}}}"#,
            r#"spec.selector.matchLabels.a: "b" => "c" (chart)"#,
        ],
    );
}

#[test]
fn replaces_free_form_data() {
    check(
        ("apps/v1", "ControllerRevision"),
        ["null", "{data: {a: 1}}", "{data: {b: 1}}"],
        &[
            r#"{"data":{"$patch":"replace","a":1}}"#,
            r#"data: {"b":1} => {"a":1} (chart)"#,
        ],
    );
}

#[test]
fn merges_claims_without_a_merge_key() {
    check_app(
        [
            "resources: {claims: [{name: a}, {name: b}]}",
            "resources: {claims: [{name: a, request: r}]}",
            "resources: {claims: [{name: a}, {name: b}, {name: c}]}",
        ],
        &[
            r#"{"name":"app","resources":{"claims":[{"name":"a","request":"r"},{"name":"c"}]}}"#,
            r#"resources.claims[name=a].request: - => "r" (chart)"#,
            r#"resources.claims[name=b]: {"name":"b"} => - (chart)"#,
        ],
    );
}

#[test]
fn survives_items_without_keys() {
    check(
        ("v1", "Pod"),
        [
            "null",
            "{spec: {imagePullSecrets: [{}]}}",
            "{spec: {imagePullSecrets: [{name: a}, {name: b}]}}",
        ],
        &[
            r#"{"spec":{"imagePullSecrets":[{"$patch":"replace"},{}]}}"#,
            r#"spec.imagePullSecrets: [{"name":"a"},{"name":"b"}] => [{}] (chart)"#,
        ],
    );
}

#[test]
fn lets_defaults_stand_in_claim_templates() {
    let wanted = "{spec: {volumeClaimTemplates: [{metadata: {name: d}, spec: {resources: {requests: {storage: 1Gi}}}}]}}";
    check(
        ("apps/v1", "StatefulSet"),
        [
            wanted,
            wanted,
            "{spec: {volumeClaimTemplates: [{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: d}, \
              spec: {volumeMode: Filesystem, resources: {requests: {storage: 1024Mi}}}, status: {phase: Pending}}]}}",
        ],
        &["unchanged"],
    );
}

#[test]
fn removes_what_any_failed_attempt_has_left() {
    let read = |text: &str| crate::yaml::parse(text).unwrap();
    let (old, failed) = (read("{data: {a: '1'}}"), read("{data: {a: '1', b: '2'}}"));
    let (desired, live) = (
        read("{data: {a: '1'}}"),
        read("{data: {a: '1', b: '2', c: '3'}}"),
    );
    for base in [[&old, &failed], [&failed, &old]] {
        let sides = crate::plan::diff::Sides {
            base: &base,
            desired: &desired,
            live: &live,
        };
        let difference = super::three_way(crate::builtin::schema("v1", "ConfigMap"), &sides);
        assert_eq!(
            super::shown(&difference.unwrap()),
            "{\"data\":{\"b\":null}}\ndata.b: \"2\" => - (chart)"
        );
    }
}
