//! `template` with its flags beside Helm's, on two charts that say the same.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{Place, path};

const TERA: &str = "tests/cases/charts/twin-tera";
const GO: &str = "tests/cases/charts/twin-go";

/// A template and what came from it.
type Printed = (String, Vec<Value>);

/// Each document with the line that names its template.
fn documents(text: &str) -> Vec<Printed> {
    let parts = text.split("# Source: ").skip(1).map(|part| {
        let (source, body) = part.split_once('\n').unwrap();
        let values = pintle::yaml::parse_all(body).unwrap();
        let values = values.into_iter().map(|document| document.value);
        let values = values.filter(|value| !value.is_null());
        (source.to_owned(), values.collect())
    });
    parts.collect()
}

/// Both programs print the same with these arguments; gives pintle's text.
#[track_caller]
fn check(place: &Place, args: &[&str]) -> String {
    let (tera, go) = (path(TERA), path(GO));
    let ours = place.pintle(&[&["template", "shop", &tera], args].concat());
    let theirs = place.helm(&[&["template", "shop", &go], args].concat());
    let (ours, theirs) = (ours.ok().stdout, theirs.ok().stdout);
    let (left, right) = (documents(&ours), documents(&theirs));
    assert_eq!(left, right, "{args:?}");
    ours
}

#[test]
fn flags_choose_the_same_as_in_helm() {
    let place = Place::without_namespace("template");
    let all = check(&place, &[]);
    assert!(all.contains("templates/tests/reach.yaml"), "{all}");
    let cut = check(&place, &["--no-hooks"]);
    assert!(!cut.contains("templates/tests/"), "{cut}");
    assert_eq!(check(&place, &["--skip-tests"]), cut);
    let same = [
        "--dry-run=client",
        "--skip-crds",
        "--skip-schema-validation",
    ];
    assert_eq!(check(&place, &same), all);
    let upgrade = check(&place, &["--is-upgrade"]);
    assert!(upgrade.contains("UPGRADED") && !all.contains("UPGRADED"));
    let service = ["--show-only", "templates/service.yaml"];
    assert_eq!(documents(&check(&place, &service)).len(), 1);
    check(&place, &["-s", "templates/*.yaml"]);
    check(
        &place,
        &["-s", "templates/config.yaml", "-s", "templates/s*"],
    );
    check(&place, &["-s", "templates/tests/*"]);
    // README tells of this one: two stars are one to Helm.
    let deep = ["template", "shop", "-s", "templates/**"];
    let ours = place.pintle(&[&deep[..], &[path(TERA).as_str()]].concat());
    let theirs = place.helm(&[&deep[..], &[path(GO).as_str()]].concat());
    assert_eq!(documents(&ours.ok().stdout), documents(&all));
    assert_eq!(documents(&theirs.ok().stdout), documents(&cut));
    let (tera, service) = (path(TERA), "templates/service.yaml");
    let between = place.pintle(&["template", "shop", "-s", service, &tera]);
    assert_eq!(documents(&between.ok().stdout).len(), 1);
}

/// A chart of plain YAML, which is the same to both programs: a config map, hooks, a definition, and a chart in it.
fn plain(place: &Place) -> String {
    let map = |name: &str, annotations: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  annotations: {annotations}\n"
        )
    };
    let head = "apiVersion: v2\nname: plain\nversion: 1.0.0\n";
    let sub = "dependencies: [{name: inner, version: 1.0.0}]\n";
    let inner = head.replace("plain", "inner");
    let chart = place.file("plain/Chart.yaml", &format!("{head}{sub}"));
    let files = [
        ("templates/map.yaml", map("map", "{}")),
        ("templates/before.yaml", map("before", "{helm.sh/hook: pre-install}")),
        ("templates/test.yaml", map("test", "{helm.sh/hook: test}")),
        ("charts/inner/Chart.yaml", inner),
        ("charts/inner/templates/map.yaml", map("inner", "{}")),
        ("charts/inner/templates/test.yaml", map("inner-test", "{helm.sh/hook: test}")),
        (
            "crds/a.yaml",
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a}\n"
                .to_owned(),
        ),
    ];
    for (file, text) in files {
        place.file(&format!("plain/{file}"), &text);
    }
    chart.trim_end_matches("/Chart.yaml").to_owned()
}

#[test]
fn hooks_tests_definitions_and_charts_inside_are_chosen_as_in_helm() {
    let place = Place::without_namespace("template-plain");
    let chart = plain(&place);
    let check = |args: &[&str], expected: &[&str]| {
        let all = [&["template", "shop", &chart], args].concat();
        let ours = documents(&place.pintle(&all).ok().stdout);
        assert_eq!(ours, documents(&place.helm(&all).ok().stdout), "{args:?}");
        let names = ours.iter().map(|(source, _)| source.as_str());
        let mut names: Vec<&str> = names
            .map(|source| source.trim_start_matches("plain/"))
            .collect();
        names.sort_unstable();
        assert_eq!(names, expected, "{args:?}");
    };
    let [map, before, test, inner, inner_test, crd] = [
        "templates/map.yaml",
        "templates/before.yaml",
        "templates/test.yaml",
        "charts/inner/templates/map.yaml",
        "charts/inner/templates/test.yaml",
        "crds/a.yaml",
    ];
    check(&[], &[inner, inner_test, before, map, test]);
    check(&["--skip-tests"], &[inner, before, map]);
    check(&["--no-hooks"], &[inner, map]);
    check(&["--include-crds", "--no-hooks"], &[inner, crd, map]);
    check(&["-s", "charts/*/templates/*"], &[inner, inner_test]);
    check(&["--include-crds", "-s", crd], &[crd]);
}

#[test]
fn what_is_asked_for_in_vain_is_an_error_in_both() {
    let place = Place::without_namespace("template-vain");
    for glob in ["templates/none.yaml", "none/*", "service.yaml"] {
        let helm = place.helm(&["template", "shop", &path(GO), "-s", glob]);
        assert!(helm.code != Some(0), "{glob}: {helm}");
        let ours = place.pintle(&["template", "shop", &path(TERA), "-s", glob]);
        ours.fails_with(2)
            .says(&[glob, "there are: templates/config.yaml"]);
    }
    let bad = place.pintle(&["template", "shop", &path(TERA), "-s", "a[b"]);
    bad.fails_with(2)
        .says(&["--show-only a[b is no pattern of paths"]);
}

/// The files below a folder with their texts.
fn files(folder: &Path) -> Vec<(String, Vec<Printed>)> {
    let mut all = vec![];
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let entry = entry.unwrap().path();
            if entry.is_dir() {
                open.push(entry);
                continue;
            }
            let below = entry.strip_prefix(folder).unwrap();
            let text = fs::read_to_string(&entry).unwrap();
            all.push((below.to_str().unwrap().to_owned(), documents(&text)));
        }
    }
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

#[test]
fn files_are_written_as_helm_writes_them() {
    let place = Place::without_namespace("template-files");
    for more in [&[][..], &["--release-name"]] {
        let folder = |name: &str| place.folder().join(format!("{name}-{}", more.len()));
        let (ours, theirs) = (folder("ours"), folder("theirs"));
        let args = |folder: &Path| vec!["--output-dir".to_owned(), folder.display().to_string()];
        let run = |program: &str, chart: &str, folder: &Path| {
            let out = args(folder);
            let chart = path(chart);
            let mut all = vec!["template", "shop", &chart, &out[0], &out[1]];
            all.extend(more);
            match program {
                "helm" => place.helm(&all).ok(),
                _ => place.pintle(&all).ok(),
            }
        };
        run("helm", GO, &theirs);
        let said = run("pintle", TERA, &ours).stdout;
        assert!(
            said.lines().all(|line| line.starts_with("wrote ")),
            "{said}"
        );
        assert_eq!(files(&ours), files(&theirs));
        assert_eq!(said.lines().count(), files(&ours).len());
    }
}

#[test]
fn a_link_in_the_folder_leads_nowhere() {
    let place = Place::without_namespace("template-link");
    let out = place.folder().join("out");
    let outside = place.folder().join("outside");
    fs::create_dir_all(&out).unwrap();
    fs::create_dir_all(&outside).unwrap();
    std::os::unix::fs::symlink(&outside, out.join("twin")).unwrap();
    let out = out.to_str().unwrap();
    let run = place.pintle(&["template", "shop", &path(TERA), "--output-dir", out]);
    run.fails_with(2)
        .says(&["it would lead out of that folder"]);
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
}

#[test]
fn a_chart_is_told_of_a_cluster() {
    let place = Place::without_namespace("template-cluster");
    let tera = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  version: \
                {{ capabilities.kube_version.version }}\n  has: \"{{ \
                has_api(name='example.com/v1') ~ has_api(name='batch/v1') }}\"\n";
    let go = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  version: \
              {{ .Capabilities.KubeVersion.Version }}\n  has: \"{{ .Capabilities.APIVersions.Has \
              \"example.com/v1\" }}{{ .Capabilities.APIVersions.Has \"batch/v1\" }}\"\n";
    let chart = "apiVersion: v2\nname: a\nversion: 1.0.0\n";
    place.file("go/Chart.yaml", chart);
    place.file("go/templates/a.yaml", go);
    let engine = "annotations: {pintle.dev/engine: tera}\n";
    place.file("tera/Chart.yaml", &format!("{chart}{engine}"));
    place.file("tera/templates/a.yaml", tera);
    for args in [
        &[
            "--kube-version",
            "1.34.2",
            "--api-versions",
            "example.com/v1",
        ][..],
        &["--kube-version", "v1.35.0", "-a", "other/v1,example.com/v1"],
        &["--kube-version", "1.99.0"],
    ] {
        let [ours, theirs] = told(&place, args);
        assert_eq!(ours, theirs, "{args:?}");
    }
    // README tells of this one: a chart is told a version as an API server has it.
    let [ours, theirs] = told(&place, &["--kube-version", "1.99"]);
    let version = |found: &[Printed]| found[0].1[0]["data"]["version"].clone();
    assert_eq!([version(&ours), version(&theirs)], ["v1.99.0", "v1.99"]);
}

/// Every kind that Helm's order names, and two that it does not, the last ones first.
const KINDS: [(&str, &str); 35] = [
    ("example.com/v1", "Zebra"),
    ("example.com/v1", "Ant"),
    (
        "admissionregistration.k8s.io/v1",
        "ValidatingWebhookConfiguration",
    ),
    (
        "admissionregistration.k8s.io/v1",
        "MutatingWebhookConfiguration",
    ),
    ("apiregistration.k8s.io/v1", "APIService"),
    ("networking.k8s.io/v1", "Ingress"),
    ("networking.k8s.io/v1", "IngressClass"),
    ("batch/v1", "CronJob"),
    ("batch/v1", "Job"),
    ("apps/v1", "StatefulSet"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "ReplicaSet"),
    ("v1", "ReplicationController"),
    ("v1", "Pod"),
    ("apps/v1", "DaemonSet"),
    ("v1", "Service"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
    ("rbac.authorization.k8s.io/v1", "Role"),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"),
    ("rbac.authorization.k8s.io/v1", "ClusterRole"),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    ("v1", "PersistentVolumeClaim"),
    ("v1", "PersistentVolume"),
    ("storage.k8s.io/v1", "StorageClass"),
    ("v1", "ConfigMap"),
    ("v1", "Secret"),
    ("v1", "ServiceAccount"),
    ("policy/v1", "PodDisruptionBudget"),
    ("policy/v1beta1", "PodSecurityPolicy"),
    ("v1", "LimitRange"),
    ("v1", "ResourceQuota"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("v1", "Namespace"),
    ("scheduling.k8s.io/v1", "PriorityClass"),
];

#[test]
fn kinds_come_in_the_order_of_helm() {
    let place = Place::without_namespace("template-kinds");
    for (program, engine) in [
        ("tera", "annotations: {pintle.dev/engine: tera}\n"),
        ("go", ""),
    ] {
        let file = |name: &str, text: &str| place.file(&format!("{program}/{name}"), text);
        file(
            "Chart.yaml",
            &format!("apiVersion: v2\nname: x\nversion: 1.0.0\n{engine}"),
        );
        // Names fall within a file, and files stand against the order of what is in them.
        for (number, text) in KINDS.chunks(7).enumerate() {
            let document = |(api, kind): &(&str, &str), name: &str| {
                format!(
                    "---\napiVersion: {api}\nkind: {kind}\nmetadata: {{name: {name}{number}}}\n"
                )
            };
            let both = text
                .iter()
                .map(|one| document(one, "b") + &document(one, "a"));
            let text: String = both.collect();
            file(&format!("templates/{number}.yaml"), &text);
            file(
                &format!("templates/below/{}.yaml", 9 - number),
                &text.replace("name: ", "name: z"),
            );
        }
    }
    let [ours, theirs] = told(&place, &[]);
    assert_eq!(theirs.len(), 4 * KINDS.len());
    let kinds = |printed: &[Printed]| -> Vec<String> {
        let names = printed.iter().flat_map(|(file, all)| {
            let one =
                move |one: &Value| format!("{file} {} {}", one["kind"], one["metadata"]["name"]);
            all.iter().map(one)
        });
        names.collect()
    };
    assert_eq!(kinds(&ours), kinds(&theirs));
    assert_eq!(ours, theirs);
}

/// What the twins `tera` and `go` in a place's folder render to with these arguments.
fn told(place: &Place, args: &[&str]) -> [Vec<Printed>; 2] {
    ["tera", "go"].map(|program| {
        let chart = place.folder().join(program);
        let all = [&["template", "x", chart.to_str().unwrap()], args].concat();
        let run = match program {
            "go" => place.helm(&all),
            _ => place.pintle(&all),
        };
        documents(&run.ok().stdout)
    })
}

#[test]
fn a_release_that_is_only_rendered_needs_no_name() {
    let place = Place::without_namespace("template-name");
    let (tera, go) = (path(TERA), path(GO));
    let ours = place.pintle(&["template", &tera]).ok().stdout;
    assert_eq!(
        documents(&ours),
        documents(&place.helm(&["template", &go]).ok().stdout)
    );
    let template = "{{ chart.name }}-{{ release.namespace }}";
    let named = place.pintle(&["template", &tera, "--name-template", template]);
    named
        .ok()
        .prints(&[&format!("name: twin-{}", place.namespace)]);
    let both = place.pintle(&["template", "shop", &tera, "--name-template", "x"]);
    let turned = place.pintle(&["template", &tera, "shop"]);
    turned.fails_with(2).says(&["no chart at shop"]);
    let swapped = place.pintle(&["template", &tera, &tera]);
    swapped
        .fails_with(2)
        .says(&["the name of the release comes first, then the chart"]);
    both.fails_with(2)
        .says(&["the release is named twice", "--name-template"]);
}

#[test]
fn generators_are_shown_on_request() {
    let place = Place::without_namespace("template-generators");
    let chart = path("charts/kcp");
    let plain = place.pintle(&["template", "a", &chart]).ok().stdout;
    assert!(!plain.contains("generate.pintle.dev/v1"), "{plain}");
    let shown = place.pintle(&["template", "a", &chart, "--show-generators"]);
    shown.ok().prints(&[
        "apiVersion: generate.pintle.dev/v1",
        "kind: CertificateAuthority",
    ]);
    let generator = "apiVersion: generate.pintle.dev/v1\nkind: RandomSecret\nmetadata: {name: token}\n\
                     spec: {keys: {token: {bytes: 32, encoding: hex}}}\n";
    place.file(
        "one/Chart.yaml",
        "apiVersion: v2\nname: one\nversion: 1.0.0\n",
    );
    place.file("one/templates/token.yaml", generator);
    let one = place.folder().join("one");
    let one = one.to_str().unwrap();
    let [plain, shown] = [&[][..], &["--show-generators"]].map(|more| {
        place
            .pintle(&[&["template", "a", one], more].concat())
            .ok()
            .stdout
    });
    insta::assert_snapshot!(
        "generators",
        format!("{plain}=== with --show-generators\n{shown}")
    );
}

#[test]
fn a_chart_is_shown_in_parts() {
    let place = Place::without_namespace("show");
    place.file(
        "web/Chart.yaml",
        "apiVersion: v2\nname: web\nversion: 1.0.0\n",
    );
    place.file("web/values.yaml", "# how many\nreplicas: 2");
    place.file("web/README.md", "# web\n");
    place.file("web/crds/a.yaml", "# \u{1b}[2J\u{9b}\nkind: A\r\n");
    place.file("web/values.schema.json", "{\"type\": \"object\"}\n");
    let web = place.folder().join("web");
    let web = web.to_str().unwrap();
    let show = |what: &str| place.pintle(&["show", what, web]).ok().stdout;
    assert_eq!(show("values"), "# how many\nreplicas: 2\n");
    assert_eq!(show("readme"), "# web\n");
    assert_eq!(show("schema"), "{\"type\": \"object\"}\n");
    // Nothing of a chart steers a terminal.
    assert_eq!(show("crds"), "# \\u001b[2J\\u009b\nkind: A\r\n");
    let said = pintle::yaml::parse(&show("chart")).unwrap();
    assert_eq!(
        said,
        serde_json::json!({"apiVersion": "v2", "name": "web", "version": "1.0.0"})
    );
    let all = [show("chart"), show("values"), show("readme"), show("crds")].join("---\n");
    assert_eq!(show("all"), all);
    let helm = |what: &str| place.helm(&["show", what, web]).ok().stdout;
    let parsed = |text: &str| pintle::yaml::parse(text).unwrap();
    assert_eq!(said, parsed(&helm("chart")));
    for what in ["values", "readme"] {
        assert_eq!(show(what).trim(), helm(what).trim(), "{what}");
    }
}

#[test]
fn definitions_are_shown_on_request() {
    let place = Place::without_namespace("template-crds");
    let text = |kind: &str| {
        format!(
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: {kind}}}\n"
        )
    };
    let metadata = |name: &str| format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n");
    let dependency = "dependencies:\n- {name: db, version: 1.0.0, condition: db.enabled}\n";
    place.file("web/Chart.yaml", &(metadata("web") + dependency));
    place.file("web/values.yaml", "db: {enabled: true}\n");
    place.file("web/crds/a.yaml", &text("a"));
    place.file("web/crds/README.md", "no definition\n");
    place.file("web/charts/db/Chart.yaml", &metadata("db"));
    place.file("web/charts/db/crds/b.yaml", &format!("---\n{}", text("b")));
    let web = place.folder().join("web");
    let web = web.to_str().unwrap();
    for more in [
        &["--include-crds"][..],
        &["--include-crds", "--set", "db.enabled=false"],
        &[],
    ] {
        let all = [&["template", "x", web], more].concat();
        let (ours, theirs) = (place.pintle(&all).ok(), place.helm(&all).ok());
        assert_eq!(
            documents(&ours.stdout),
            documents(&theirs.stdout),
            "{more:?}"
        );
        let count = documents(&ours.stdout).len();
        assert_eq!(
            count,
            [2, 1, 0][if more.is_empty() { 2 } else { more.len() / 3 }]
        );
    }
    let shown = place.pintle(&["show", "crds", web]).ok().stdout;
    assert_eq!(
        shown.matches("kind: CustomResourceDefinition").count(),
        2,
        "{shown}"
    );
}
