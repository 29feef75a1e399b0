use super::*;
use crate::capabilities::Kinds;
use crate::manifest::{Manifest, Placement, Recorded};
use crate::render::{Rendered, RenderedFile};

/// Each chart is its path and, behind a space, an annotation as `key value`; each resource is the path of
/// its chart, then `: group`, then ` < group, group`.
fn rendered(charts: &[&str], resources: &[&str]) -> Rendered {
    let chart = |text: &&str| {
        let (path, order) = text.split_once(' ').unwrap_or((text, ""));
        let order = order.split_once(' ').into_iter();
        RenderedChart {
            path: path.to_owned(),
            order: order
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect(),
        }
    };
    let file = |(at, text): (usize, &&str)| {
        let (text, after) = text.split_once(" < ").unwrap_or((text, ""));
        let (chart, group) = text.split_once(": ").unwrap_or((text, ""));
        let mut annotations = String::new();
        if !group.is_empty() {
            let line = format!("    helm.sh/resource-group: {group}\n");
            annotations.push_str(&line);
        }
        if !after.is_empty() {
            let list = after.split(", ").collect::<Value>();
            let line = format!("    helm.sh/depends-on/resource-groups: '{list}'\n");
            annotations.push_str(&line);
        }
        if !annotations.is_empty() {
            annotations.insert_str(0, "  annotations:\n");
        }
        RenderedFile {
            path: format!("{chart}/templates/{at}.yaml"),
            text: format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata:\n{annotations}  name: c{at}\n"
            ),
        }
    };
    Rendered {
        files: resources.iter().enumerate().map(file).collect(),
        charts: charts.iter().map(chart).collect(),
        ..Rendered::default()
    }
}

fn parse(rendered: &Rendered) -> Result<Manifest, crate::manifest::Error> {
    let kinds = Kinds::default();
    let placement = Placement {
        namespace: "shop",
        kinds: &kinds,
    };
    let manifest = Manifest::parse(rendered, placement)?;
    // What is recorded says the same.
    let text = manifest.to_text();
    let recorded = Recorded {
        text: &text,
        generators: None,
    };
    let again = Manifest::from_record(recorded, placement)?;
    let bodies = |manifest: &Manifest| {
        let resources = manifest.resources.iter();
        resources
            .map(|resource| resource.body.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(bodies(&again), bodies(&manifest));
    Ok(manifest)
}

/// `expected` are the groups in their order, each as `group < group, group`.
#[track_caller]
fn check(charts: &[&str], resources: &[&str], expected: &[&str]) {
    let manifest = parse(&rendered(charts, resources)).unwrap();
    let groups = group::groups(&manifest.resources).unwrap();
    let shown = groups.into_iter().map(|group| {
        let after: Vec<String> = group.after.into_iter().collect();
        let mark = if after.is_empty() { "" } else { " < " };
        format!("{}{mark}{}", group.name, after.join(", "))
    });
    assert_eq!(shown.collect::<Vec<_>>(), expected);
}

#[track_caller]
fn check_error(charts: &[&str], resources: &[&str], expected: &str) {
    let error = parse(&rendered(charts, resources)).unwrap_err();
    assert_eq!(error.to_string(), expected);
}

const ONE_AFTER_OTHER: &str = r#"web pintle.dev/depends-on {"b":["a"]}"#;

#[test]
fn a_subchart_waits_for_another() {
    check(
        &[
            ONE_AFTER_OTHER,
            "web/charts/a",
            "web/charts/b",
            "web/charts/c",
        ],
        &["web", "web/charts/a", "web/charts/b", "web/charts/c"],
        &[
            "web",
            "web/charts/a",
            "web/charts/b < web/charts/a",
            "web/charts/c",
        ],
    );
}

#[test]
fn everything_in_a_subchart_waits_for_everything_in_the_other() {
    check(
        &[
            ONE_AFTER_OTHER,
            "web/charts/a",
            "web/charts/a/charts/in",
            "web/charts/b",
            "web/charts/b/charts/in",
        ],
        &[
            "web/charts/a: x",
            "web/charts/a: z < x",
            "web/charts/a/charts/in",
            "web/charts/b: x",
            "web/charts/b: z < x",
            "web/charts/b",
            "web/charts/b/charts/in",
        ],
        &[
            "web/charts/a/charts/in",
            "web/charts/a/x",
            "web/charts/a/z < web/charts/a/x",
            "web/charts/b/charts/in < web/charts/a/charts/in, web/charts/a/z",
            "web/charts/b/x < web/charts/a/charts/in, web/charts/a/z",
            "web/charts/b/z < web/charts/b/x",
            "web/charts/b < web/charts/b/z",
        ],
    );
}

#[test]
fn a_chart_can_wait_for_its_subcharts() {
    check(
        &[
            r#"web helm.sh/depends-on/subcharts ["a"]"#,
            "web/charts/a",
            "web/charts/b",
        ],
        &["web: x", "web", "web/charts/a", "web/charts/b"],
        &[
            "web/charts/a",
            "web/charts/b",
            "web/x < web/charts/a",
            "web < web/x",
        ],
    );
    check(
        &[
            r#"web helm.sh/depends-on/subcharts {"b":["a"]}"#,
            "web/charts/a",
            "web/charts/b",
        ],
        &["web", "web/charts/a", "web/charts/b"],
        &["web", "web/charts/a", "web/charts/b < web/charts/a"],
    );
}

#[test]
fn an_inner_order_is_part_of_the_outer() {
    check(
        &[
            ONE_AFTER_OTHER,
            r#"web/charts/a pintle.dev/depends-on {"y":["x"]}"#,
            "web/charts/a/charts/x",
            "web/charts/a/charts/y",
            "web/charts/b",
        ],
        &[
            "web/charts/a/charts/x",
            "web/charts/a/charts/y",
            "web/charts/b",
        ],
        &[
            "web/charts/a/charts/x",
            "web/charts/a/charts/y < web/charts/a/charts/x",
            "web/charts/b < web/charts/a/charts/y",
        ],
    );
}

#[test]
fn what_is_off_or_empty_hands_the_order_on() {
    let charts = [
        r#"web pintle.dev/depends-on {"c":["b"],"b":["a"]}"#,
        "web/charts/a",
        "web/charts/b",
        "web/charts/c",
    ];
    check(
        &charts,
        &["web/charts/a", "web/charts/c"],
        &["web/charts/a", "web/charts/c < web/charts/a"],
    );
    check(&charts, &["web/charts/c"], &["web/charts/c"]);
}

#[test]
fn groups_belong_to_their_chart() {
    check(
        &["web", "web/charts/a"],
        &["web: x", "web: z < x", "web/charts/a: x", "web/charts/a"],
        &[
            "web/charts/a/x",
            "web/charts/a < web/charts/a/x",
            "web/x",
            "web/z < web/x",
        ],
    );
    check_error(
        &["web", "web/charts/a"],
        &["web: x", "web/charts/a: z < x"],
        "line 1 of what web/charts/a/templates/1.yaml renders to: ConfigMap c1 depends on resource group \
         \"web/charts/a/x\", which nothing is in; there are web/charts/a/z, web/x",
    );
    check_error(
        &["web", "web/charts/a"],
        &["web: x", "web/charts/a < x"],
        "line 1 of what web/charts/a/templates/1.yaml renders to: ConfigMap c1 depends on resource groups and is in none; \
         give it helm.sh/resource-group",
    );
}

#[test]
fn what_has_no_order_is_left_as_it_is() {
    let plain = rendered(&["web", "web/charts/a"], &["web", "web/charts/a"]);
    let manifest = parse(&plain).unwrap();
    let texts = manifest.documents.iter().map(|document| &document.text);
    assert!(texts.eq(plain.files.iter().map(|file| &file.text)));
    // A chart that contains no other has its groups as they are.
    check(&["web"], &["web: x", "web"], &["x"]);
}

#[test]
fn what_is_recorded_says_the_order() {
    let two = rendered(
        &[ONE_AFTER_OTHER, "web/charts/a", "web/charts/b"],
        &["web/charts/a", "web/charts/b: x"],
    );
    insta::assert_snapshot!(parse(&two).unwrap().to_text());
}

#[test]
fn hooks_and_generators_are_in_no_group() {
    let mut both = rendered(
        &[ONE_AFTER_OTHER, "web/charts/a", "web/charts/b"],
        &["web/charts/a"],
    );
    let hook =
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  annotations: {helm.sh/hook: test}\n";
    let generator = "apiVersion: generate.pintle.dev/v1\nkind: CertificateAuthority\n\
        metadata: {name: ca}\nspec: {commonName: x}\n";
    let more = format!("---\n{hook}---\n{generator}");
    both.files[0].text.push_str(&more);
    let manifest = parse(&both).unwrap();
    assert_eq!(manifest.hooks[0].text, hook);
    let groups = manifest
        .resources
        .iter()
        .map(|resource| group::group_of(&resource.body));
    assert_eq!(groups.collect::<Vec<_>>(), [None, Some("web/charts/a")]);
}

#[test]
fn what_makes_no_order_is_refused() {
    let two = |order: &str| {
        let charts = [
            &format!("web {order}"),
            "web/charts/a",
            "web/charts/b",
            "web/charts/a/charts/in",
        ];
        parse(&rendered(&charts, &[])).unwrap_err().to_string()
    };
    let all = [
        r#"pintle.dev/depends-on {"b":["c"]}"#,
        r#"pintle.dev/depends-on {"in":["a"]}"#,
        r#"pintle.dev/depends-on {"b":["a"],"a":["b"]}"#,
        r#"pintle.dev/depends-on {"b":["b"]}"#,
        r#"pintle.dev/depends-on ["b"]"#,
        "pintle.dev/depends-on b: [a]",
        r#"helm.sh/depends-on/subcharts ["web"]"#,
        "helm.sh/depends-on/subcharts a",
    ];
    insta::assert_snapshot!(all.map(two).join("\n"));
    check_error(
        &[r#"web pintle.dev/depends-on {"b":["a"]}"#],
        &["web"],
        "Chart.yaml of web: the annotation pintle.dev/depends-on names \"b\", which is no subchart; \
         there are none",
    );
}

#[test]
fn a_dependency_says_what_it_comes_after() {
    check(
        &[
            r#"web depends-on {"b":["a"]}"#,
            "web/charts/a",
            "web/charts/b",
        ],
        &["web/charts/b", "web/charts/a"],
        &["web/charts/a", "web/charts/b < web/charts/a"],
    );
    check_error(
        &[r#"web depends-on {"b":["c"]}"#, "web/charts/b"],
        &["web/charts/b"],
        "Chart.yaml of web: depends-on of a dependency names \"c\", which is no subchart; there are b",
    );
}
