use super::*;

/// A head of `Chart.yaml` that has nothing wrong.
const CHART: &str = "apiVersion: v2\nname: web\nversion: 1.0.0\nicon: https://h/i.png\n";
const TERA: &str = "annotations: {pintle.dev/engine: tera}\n";
const GOOD: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";

fn tera() -> String {
    format!("{CHART}{TERA}")
}

/// What is found in a Tera chart of these files; a `Chart.yaml` among them replaces the usual one.
fn found(files: &[(&str, &str)]) -> Vec<Finding> {
    let usual = ("Chart.yaml", tera());
    let given = files.iter().map(|(path, text)| (*path, (*text).to_owned()));
    let has = |start: &str| files.iter().any(|(path, _)| path.starts_with(start));
    let has_templates = has("templates/") || has("charts/");
    let others = [
        (!has("Chart.yaml")).then_some(usual),
        (!has("values.yaml")).then(|| ("values.yaml", String::new())),
        (!has_templates).then(|| ("templates/NOTES.txt", String::new())),
    ];
    let files = given.chain(others.into_iter().flatten());
    let files = files.map(|(path, text)| File {
        path: path.to_owned(),
        data: text.into(),
    });
    let request = Request {
        overrides: &Overrides::default(),
        kube_version: None,
        charts: Charts::Root,
    };
    lint(files.collect(), &request)
}

fn shown(findings: &[Finding]) -> Vec<String> {
    let shown = |finding: &Finding| format!("{} {}", finding.rule.id, finding.place);
    findings.iter().map(shown).collect()
}

#[track_caller]
fn check(files: &[(&str, &str)], expected: &[&str]) {
    let found = found(files);
    assert_eq!(shown(&found), expected, "{found:#?}");
}

/// A workload, from its `spec` on.
fn workload(kind: &str, spec: &str) -> String {
    format!("apiVersion: apps/v1\nkind: {kind}\nmetadata:\n  name: a\nspec:\n{spec}")
}

const SELECTOR: &str = "  selector: {matchLabels: {app: a}}\n";
const POD: &str = "  template:\n    metadata:\n      labels: {app: a}\n    spec:\n      containers:\n        - name: a\n          image: a\n";

/// A rule, and a chart that breaks it.
type Case = (&'static str, Vec<(&'static str, String)>);

fn file(path: &'static str, text: &str) -> Vec<(&'static str, String)> {
    vec![(path, text.to_owned())]
}

fn head(rest: &str) -> Vec<(&'static str, String)> {
    file("Chart.yaml", &format!("{}{rest}", tera()))
}

fn template(text: &str) -> Vec<(&'static str, String)> {
    file("templates/a.yaml", text)
}

/// A chart with the subchart b, which `rest` of `Chart.yaml` speaks of.
fn subchart(rest: &str) -> Vec<(&'static str, String)> {
    let sub = ("charts/b/Chart.yaml", CHART.replace("name: web", "name: b"));
    [head(rest), vec![sub]].concat()
}

fn deployment(rest: &str) -> Vec<(&'static str, String)> {
    template(&workload("Deployment", &format!("{SELECTOR}{POD}{rest}")))
}

/// For each rule a chart that breaks it and no other.
fn cases() -> Vec<Case> {
    [
        chart_cases(),
        dependency_cases(),
        file_cases(),
        manifest_cases(),
        resource_cases(),
    ]
    .concat()
}

/// Charts that break the rules about dependencies.
fn dependency_cases() -> Vec<Case> {
    vec![
        (
            "dependency",
            head("dependencies: [{name: b, version: '1'}]\n"),
        ),
        ("unlisted-chart", subchart("")),
        (
            "dependency-values",
            subchart("dependencies: [{name: b, version: ^1, condition: x.y}]\n"),
        ),
        (
            "depends-on",
            subchart(
                "dependencies: [{name: b, version: ^1, depends-on: [c]}, {name: b, version: ^1, alias: c}]\n",
            ),
        ),
        (
            "stale-lock",
            [
                subchart("dependencies: [{name: b, version: ^1}]\n"),
                vec![("Chart.lock", "digest: x\n".to_owned())],
            ]
            .concat(),
        ),
    ]
}

fn chart_cases() -> Vec<Case> {
    vec![
        ("chart-file", file("Chart.yaml", "name: [")),
        ("engine-field", head("engine: tera\n")),
        (
            "no-annotation",
            vec![
                ("Chart.yaml", CHART.to_owned()),
                ("templates/a.yaml", "{{ .Values.a }}".to_owned()),
            ],
        ),
        (
            "chart-name",
            file("Chart.yaml", &CHART.replace("web", "Web")),
        ),
        (
            "chart-version",
            file("Chart.yaml", &CHART.replace("1.0.0", "'1.0'")),
        ),
        (
            "chart-api-version",
            file("Chart.yaml", &CHART.replace("v2", "v1")),
        ),
        (
            "chart-type",
            file(
                "Chart.yaml",
                &format!("{}type: application\n", CHART.replace("v2", "v1")),
            ),
        ),
        ("chart-field", head("owner: me\n")),
        ("deprecated-chart", head("deprecated: true\n")),
        ("app-version", head("appVersion: 1.1\n")),
        ("chart-url", head("sources: [h]\n")),
        ("maintainer", head("maintainers: [{email: a@b}]\n")),
        (
            "chart-icon",
            file("Chart.yaml", &tera().replace("icon: https://h/i.png\n", "")),
        ),
        ("kube-version", head("kubeVersion: '<1.30'\n")),
    ]
}

fn file_cases() -> Vec<Case> {
    vec![
        ("crds", file("crds/a.yaml", "kind: ConfigMap\n")),
        ("template-extension", file("templates/a.jinja", "")),
        (
            "silent-in-helm",
            template(&format!(
                "{GOOD}data:\n  a: |\n    {{% if true %}}x{{% endif %}}\n"
            )),
        ),
        ("values-file", file("values.yaml", "- 1\n")),
        ("schema", file("values.schema.json", "{")),
        (
            "values",
            vec![("values.schema.json", r#"{"required": ["a"]}"#.to_owned())],
        ),
        ("boolean-key", file("values.yaml", "global: {on: 1}\n")),
        ("unused-value", file("values.yaml", "a: 1\n")),
        (
            "undeclared-value",
            template(&format!(
                "{GOOD}{{% if false %}}{{{{ values.a }}}}{{% endif %}}"
            )),
        ),
        ("template", template("a: {{ 1 + }}\n")),
    ]
}

fn manifest_cases() -> Vec<Case> {
    vec![
        ("manifest", template("a: {{ 1 }}\n")),
        ("separator", template(&format!("---{GOOD}"))),
        (
            "generator",
            template("apiVersion: generate.pintle.dev/v1\nkind: X\nmetadata: {name: a}\n"),
        ),
        (
            "unused-generator",
            template(
                "apiVersion: generate.pintle.dev/v1\nkind: RandomSecret\nmetadata: {name: a}\nspec: {keys: {a: {}}}\n",
            ),
        ),
        (
            "groups",
            template(&GOOD.replace(
                "{name: a}",
                "{name: a, annotations: {helm.sh/depends-on/resource-groups: '[\"x\"]'}}",
            )),
        ),
        (
            "readiness",
            template(&GOOD.replace(
                "{name: a}",
                "{name: a, annotations: {helm.sh/readiness-success: '[\"{.a} == 1\"]'}}",
            )),
        ),
        (
            "duplicate-resource",
            template(&format!("{GOOD}---\n{GOOD}")),
        ),
        (
            "resource-name",
            template(&GOOD.replace("name: a", "name: A")),
        ),
        (
            "unserved-api",
            template("apiVersion: batch/v1beta1\nkind: CronJob\nmetadata: {name: a}\n"),
        ),
        (
            "deprecated-api",
            template("apiVersion: v1\nkind: Endpoints\nmetadata: {name: a}\n"),
        ),
    ]
}

fn resource_cases() -> Vec<Case> {
    vec![
        ("unknown-field", deployment("  updateStrategy: {}\n")),
        ("missing-field", template(&workload("Deployment", POD))),
        ("field-type", deployment("  replicas: one\n")),
        ("field-value", deployment("  strategy: {type: Rolling}\n")),
        ("null-field", deployment("  replicas: {{ '' }}\n")),
        (
            "duplicate-item",
            deployment("          env: [{name: A}, {name: A}]\n"),
        ),
        (
            "selector-mismatch",
            template(&workload(
                "Deployment",
                &format!("{}{POD}", SELECTOR.replace("app: a", "app: b")),
            )),
        ),
        (
            "immutable-field",
            template(&workload(
                "StatefulSet",
                &format!("  serviceName: a-{{{{ chart.version }}}}\n{SELECTOR}{POD}"),
            )),
        ),
        (
            "hard-coded-namespace",
            template(&GOOD.replace("{name: a}", "\n  name: a\n  namespace: shop")),
        ),
        (
            "config-rollout",
            template(&format!(
                "{GOOD}---\n{}",
                workload(
                    "Deployment",
                    &format!("{SELECTOR}{POD}          envFrom: [{{configMapRef: {{name: a}}}}]\n")
                )
            )),
        ),
    ]
}

#[test]
fn every_rule_has_a_chart_that_breaks_it() {
    let cases = cases();
    for (rule, files) in &cases {
        let files: Vec<(&str, &str)> = files
            .iter()
            .map(|(path, text)| (*path, text.as_str()))
            .collect();
        let found = found(&files);
        assert!(
            found.iter().any(|finding| finding.rule.id == *rule),
            "{rule}: {found:#?}"
        );
        for finding in &found {
            assert!(
                !finding.message.is_empty() && !finding.place.file.is_empty(),
                "{finding:?}"
            );
        }
        // What stands in the way of all else is alone; a few break what they must.
        let also: &[&str] = match *rule {
            "chart-type" => &["chart-api-version"],
            "undeclared-value" | "null-field" => &["silent-in-helm"],
            _ => &[],
        };
        let others = found.iter().map(|finding| finding.rule.id);
        let others: Vec<&str> = others
            .filter(|id| id != rule && !also.contains(id))
            .collect();
        assert!(others.is_empty(), "{rule} and {others:?}: {found:#?}");
    }
    let mut covered: Vec<&str> = cases.iter().map(|(rule, _)| *rule).collect();
    covered.push(bad_ignore_file(1, "x").rule.id);
    covered.extend(layout::missing(&[]).iter().map(|finding| finding.rule.id));
    for rule in RULES {
        assert!(covered.contains(&rule.id), "{} has no case", rule.id);
    }
}

#[test]
fn the_documentation_has_every_rule() {
    let text = include_str!("../../docs/lint.md");
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let rows: Vec<String> = rows.map(str::to_owned).collect();
    let expected = RULES.iter().map(|rule| {
        format!(
            "| `{}` | {} | {} |",
            rule.id,
            rule.severity.name(),
            rule.about
        )
    });
    assert_eq!(rows, expected.collect::<Vec<_>>());
}

#[test]
fn a_good_chart_has_nothing() {
    let text = workload(
        "Deployment",
        &format!("  replicas: {{{{ values.replicas }}}}\n{SELECTOR}{POD}"),
    );
    check(
        &[
            ("values.yaml", "replicas: 2\n"),
            ("templates/a.yaml", &text),
        ],
        &[],
    );
    check(
        &[("Chart.yaml", &format!("{}type: library\n", tera()))],
        &[],
    );
}

#[test]
fn places_are_lines_of_the_template_where_the_key_stands_once() {
    let text = workload(
        "Deployment",
        &format!("{{% if true %}}\n{SELECTOR}{POD}  updateStrategy: {{}}\n{{% endif %}}\n"),
    );
    let found = found(&[("templates/a.yaml", &text)]);
    assert_eq!(shown(&found), ["unknown-field templates/a.yaml:15"]);
    let excerpt = found[0].place.excerpt.as_ref().unwrap();
    let index = usize::try_from(excerpt.marked - excerpt.first).unwrap();
    assert_eq!(excerpt.lines[index], "  updateStrategy: {}");
    let twice = format!(
        "{GOOD}x: 1\n---\n{}x: 1\n",
        GOOD.replace("name: a", "name: b")
    );
    check(
        &[("templates/a.yaml", &twice)],
        &["unknown-field templates/a.yaml"; 2],
    );
}

#[test]
fn secrets_are_not_shown() {
    let secret =
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  a: hunter2\nb: 1\n";
    let found = found(&[("templates/a.yaml", secret)]);
    assert_eq!(found.len(), 1);
    assert!(!format!("{found:?}").contains("hunter2"));
}

#[test]
fn a_finding_names_the_minors_it_concerns() {
    let policy = "apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingAdmissionPolicy\nmetadata: {name: a}\n";
    let found = found(&[("templates/a.yaml", policy)]);
    let minors = |finding: &Finding| {
        finding
            .minors
            .iter()
            .map(Minor::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(found[0].rule.id, "unserved-api");
    assert_eq!(minors(&found[0]), ["1.34", "1.35"]);
    let every = self::found(&[("templates/a.yaml", &format!("{GOOD}x: 1\n"))]);
    assert_eq!(minors(&every[0]), [] as [&str; 0]);
    let head = format!("{}kubeVersion: '>=1.36.0-0'\n", tera());
    check(
        &[
            ("Chart.yaml", &head),
            (
                "templates/a.yaml",
                &policy.replace("metadata", "spec: {}\nmetadata"),
            ),
        ],
        &[],
    );
}

#[test]
fn values_of_ci_are_rendered_too() {
    let schema = r#"{"properties": {"a": {"type": "integer"}}, "required": ["a"]}"#;
    let template = format!("{GOOD}{{% if values.a == 2 %}}x: 1{{% endif %}}\n");
    let files = |ci: &'static str| {
        [
            ("values.schema.json", schema),
            ("templates/a.yaml", template.as_str()),
            ("ci/x-values.yaml", ci),
        ]
    };
    // The defaults lack what the schema asks for, but the file has it.
    assert_eq!(shown(&found(&files("a: 1\n"))), [] as [&str; 0]);
    let found = found(&files("a: 2\n"));
    assert_eq!(shown(&found), ["unknown-field templates/a.yaml:4"]);
    assert_eq!(found[0].values, ["ci/x-values.yaml"]);
    check(&files("a: b\n"), &["values ci/x-values.yaml:1"]);
}

#[test]
fn what_is_asked_for_and_not_known_is_told_and_the_rest_is_checked() {
    let check = |version: &str, expected: &[&str]| {
        let file = |path: &str, text: &str| File {
            path: path.to_owned(),
            data: text.into(),
        };
        let files = vec![
            file("Chart.yaml", &tera()),
            file("values.yaml", "a: 1\n"),
            file(
                "templates/a.yaml",
                &GOOD.replace("metadata", "metdata: {}\nmetadata"),
            ),
        ];
        let request = Request {
            overrides: &Overrides::default(),
            kube_version: Some(&KubeVersion::parse(version).unwrap()),
            charts: Charts::Root,
        };
        assert_eq!(shown(&lint(files, &request)), expected);
    };
    let unused = "unused-value values.yaml:1";
    check(
        "v1.35.1-eks-1",
        &["unknown-field templates/a.yaml:3", unused],
    );
    check("1.20", &["kube-version Chart.yaml", unused]);
}

#[test]
fn jobs_that_change_under_the_same_name_are_found() {
    let job = |name: &str| {
        format!(
            "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: {name}}}\nspec:\n  template:\n    spec:\n      \
             containers: [{{name: a, image: 'a:{{{{ chart.app_version }}}}'}}]\n"
        )
    };
    check(
        &[("templates/a.yaml", &job("a"))],
        &["immutable-field templates/a.yaml:5"],
    );
    check(
        &[(
            "templates/a.yaml",
            &job("'a-{{ chart.app_version | k8s_name }}x'"),
        )],
        &[],
    );
}

#[test]
fn rules_behind_references_are_found_in_every_chart() {
    let schema = r##"{"properties": {"a": {"$ref": "#/properties/b"},
        "b": {"x-kubernetes-validations": [{"rule": "self > 1"}]}}}"##;
    check(
        &[("values.schema.json", schema)],
        &["schema values.schema.json"],
    );
    let found = found(&[
        ("charts/b/Chart.yaml", &CHART.replace("web", "b")),
        ("charts/b/values.schema.json", schema),
    ]);
    let found = found.iter().find(|finding| finding.rule.id == "schema");
    let found = found.unwrap();
    assert_eq!(found.place.file, "charts/b/values.schema.json");
    assert_eq!(
        found.message,
        "/properties/a/$ref leads to #/properties/b, whose rules are not evaluated there"
    );
    assert!(found.hint.is_some());
}

#[test]
fn what_rules_name_in_vain_is_found() {
    let schema = r#"{"properties": {"a": {"properties": {"b": {}}, "x-kubernetes-validations": [
        {"rule": "foo(self) >= oldSelf"}, {"rule": "self.c >= oldSelf.c", "message": "x"}]}}}"#;
    let files = [
        ("values.schema.json", schema),
        ("values.yaml", "a: {b: 1}\n"),
        ("templates/NOTES.txt", "{{ values.a | to_yaml }}"),
    ];
    let found = found(&files);
    let messages: Vec<&str> = found.iter().map(|it| it.message.as_str()).collect();
    assert_eq!(
        messages[..2],
        [
            "\"foo(self) >= oldSelf\", a rule for a, cannot be evaluated: there is no function foo",
            "\"self.c >= oldSelf.c\", a rule for a, cannot be evaluated: the schema has no field c there",
        ]
    );
}

#[test]
fn rules_about_optional_old_values_are_asked() {
    let check = |rule: &str, expected: &[&str]| {
        let rule = format!(r#"{{"rule": "{rule}", "optionalOldSelf": true}}"#);
        let schema =
            format!(r#"{{"properties": {{"a": {{"x-kubernetes-validations": [{rule}]}}}}}}"#);
        let template = format!("{GOOD}data: {{a: '{{{{ values.a }}}}'}}\n");
        check(
            &[
                ("values.schema.json", &schema),
                ("values.yaml", "a: 1\n"),
                ("templates/a.yaml", &template),
            ],
            expected,
        );
    };
    check("!oldSelf.hasValue() || self >= oldSelf.value()", &[]);
    check("oldSelf.hasValue()", &["values values.yaml:1"]);
}

#[test]
fn what_cannot_follow_the_version_is_found() {
    let check = |text: &str, expected: &[&str]| check(&[("templates/a.yaml", text)], expected);
    let version = "{{ chart.version | k8s_name }}";
    let set = |name: &str| {
        let text = workload("StatefulSet", &format!("  serviceName: a\n{SELECTOR}{POD}"));
        text.replace("name: a\nspec", &format!("name: {name}\nspec"))
    };
    let at = |line: u64| format!("immutable-field templates/a.yaml:{line}");
    check(&set(&format!("a-{version}")), &[&at(4)]);
    check(&set("a"), &[]);
    let claim = |name: &str, class: &str| {
        format!(
            "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: {name}\nspec:\n  \
             accessModes: [ReadWriteOnce]\n  resources: {{requests: {{storage: 1Gi}}}}\n  \
             storageClassName: {class}\n"
        )
    };
    check(&claim(&format!("a-{version}"), "b"), &[&at(4)]);
    check(&claim("a", &format!("b-{version}")), &[&at(8)]);
    check(&claim("a", "b"), &[]);
    for kind in ["RoleBinding", "ClusterRoleBinding"] {
        let binding = format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\nmetadata: {{name: a}}\nroleRef:\n  \
             apiGroup: rbac.authorization.k8s.io\n  kind: ClusterRole\n  name: a-{version}\n"
        );
        check(&binding, &[&at(4)]);
    }
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  ports: [{port: 1}]\n  \
                   clusterIP: 10.0.0.{{ chart.version | split(pat=\".\") | last }}\n";
    check(service, &[&at(6)]);
}

#[test]
fn namespaces_of_subjects_are_found() {
    let binding = |name: &str, subjects: &str| {
        format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {{name: {name}}}\n\
             roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: a}}\nsubjects:\n{subjects}"
        )
    };
    let subject = |namespace: &str| {
        format!("  - kind: ServiceAccount\n    name: a\n    namespace: {namespace}\n")
    };
    let text = binding(
        "a",
        &[
            subject("kube-system"),
            subject("prod"),
            subject("{{ release.namespace }}"),
        ]
        .concat(),
    );
    check(
        &[("templates/a.yaml", &text)],
        &["hard-coded-namespace templates/a.yaml:11"],
    );
    let flow = binding(
        "a",
        "  - {kind: ServiceAccount, name: a, namespace: prod}\n",
    );
    check(
        &[("templates/a.yaml", &flow)],
        &["hard-coded-namespace templates/a.yaml:6"],
    );
}

#[test]
fn boolean_keys_are_found_in_all_files_of_values() {
    let template = format!("{GOOD}data: {{a: '{{{{ values.a }}}}'}}\n");
    check(
        &[
            ("values.yaml", "a:\n  on: 1\n"),
            ("ci/x-values.yaml", "a: {'on': 1}\n"),
            ("ci/y-values.yaml", "a: {no: 1}\n"),
            ("templates/a.yaml", &template),
        ],
        &[
            "boolean-key ci/y-values.yaml:1",
            "boolean-key values.yaml:2",
        ],
    );
}

#[test]
fn charts_inside_are_checked_on_request() {
    let file = |(path, text): (&str, &str)| File {
        path: path.to_owned(),
        data: text.into(),
    };
    let icon = "icon: https://h/i.png\n";
    let head = |name: &str| format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n");
    let wrong = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {replica: 1}\n";
    let files = [
        ("Chart.yaml", &*(head("web") + icon)),
        ("values.yaml", ""),
        ("charts/db/Chart.yaml", &*(head("db") + icon)),
        ("charts/db/values.yaml", ""),
        ("charts/db/charts/agent/Chart.yaml", &*head("agent")),
        ("charts/db/charts/agent/templates/a.yaml", wrong),
    ];
    let found = |charts: Charts| {
        let request = Request {
            overrides: &Overrides::default(),
            kube_version: None,
            charts,
        };
        let found = lint(files.map(file).to_vec(), &request);
        let places = found.iter().map(|finding| finding.place.file.clone());
        places.collect::<std::collections::BTreeSet<_>>()
    };
    let agent = "charts/db/charts/agent";
    let all = found(Charts::All);
    assert!(all.contains(&format!("{agent}/Chart.yaml")), "{all:?}");
    assert!(
        all.contains(&format!("{agent}/templates/a.yaml")),
        "{all:?}"
    );
    let root = found(Charts::Root);
    assert!(!root.contains(&format!("{agent}/Chart.yaml")), "{root:?}");
}

#[test]
fn a_file_that_cannot_be_read_is_the_one_that_is_told() {
    let b = CHART.replace("name: web", "name: b");
    let with_b = |path, text| vec![("charts/b/Chart.yaml", b.as_str()), (path, text)];
    check(&[("values.yaml", "a: [")], &["values-file values.yaml:1"]);
    check(&[("Chart.lock", "\na: [")], &["chart-file Chart.lock:2"]);
    check(
        &[("requirements.yaml", "a: [")],
        &["chart-file requirements.yaml:1"],
    );
    check(
        &[("charts/b/Chart.yaml", "\n- [")],
        &["chart-file charts/b/Chart.yaml:2"],
    );
    check(
        &with_b("charts/b/values.yaml", "- 1"),
        &["values-file charts/b/values.yaml:1"],
    );
    check(&[("charts/x.txt", "")], &["chart-file charts/x.txt"]);
    let found = found(&[("Chart.lock", "digest: [1]")]);
    assert_eq!(found[0].message, "digest must be a string");
}

#[test]
fn a_new_chart_can_stand_twice_in_another() {
    let inside = |name: &str| {
        let files = crate::chart::Starter::App.files(name).into_iter();
        let files = files.map(|file| File {
            path: format!("charts/{name}/{}", file.path),
            ..file
        });
        files.collect::<Vec<_>>()
    };
    let file = |path: &str, text: &str| File {
        path: path.to_owned(),
        data: text.into(),
    };
    let own = [
        file("Chart.yaml", &tera()),
        file("values.yaml", ""),
        file("templates/a.yaml", GOOD),
    ];
    let request = Request {
        overrides: &Overrides::default(),
        kube_version: None,
        charts: Charts::Root,
    };
    let both = inside("shop").into_iter().chain(inside("till")).chain(own);
    let found = lint(both.collect(), &request);
    let errors = found.iter().filter(|it| it.severity() == Severity::Error);
    assert_eq!(errors.collect::<Vec<_>>(), Vec::<&Finding>::new());
}
