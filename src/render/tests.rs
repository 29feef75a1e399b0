//! Charts in memory, and what they render to.

use serde_json::{Value as Json, json};

use super::*;
use crate::capabilities::KubeVersion;
use crate::chart::{Chart, File, Metadata, Values};

mod charts;
mod tree;

/// A Tera chart `web` of the given files.
pub(super) fn chart(files: &[(&str, &str)]) -> Chart {
    let file = |(path, text): &(&str, &str)| File {
        path: (*path).to_owned(),
        data: text.as_bytes().to_vec(),
    };
    let (templates, files) =
        (files.iter().map(file)).partition(|file: &File| file.path.starts_with("templates/"));
    Chart {
        metadata: Metadata {
            name: "web".to_owned(),
            version: "1.2.3".to_owned(),
            app_version: "4.5".to_owned(),
            annotations: [("pintle.dev/engine".to_owned(), "tera".to_owned())].into(),
            ..Metadata::default()
        },
        values: Values::default(),
        values_text: String::new(),
        schema: None,
        templates,
        files,
        ..Chart::default()
    }
}

pub(super) fn capabilities() -> Capabilities {
    Capabilities {
        kube_version: KubeVersion::parse("1.36.3").unwrap(),
        api_versions: ["v1", "apps/v1", "apps/v1/Deployment"]
            .map(str::to_owned)
            .into(),
    }
}

pub(super) fn values(values: &Json) -> Values {
    Values(values.as_object().unwrap().clone())
}

pub(super) const RELEASE: ReleaseFacts<'_> = ReleaseFacts {
    name: "shop",
    namespace: "tenant-a",
    revision: 3,
    operation: Operation::Upgrade,
};

pub(super) fn try_render(chart: &Chart, given: &Json) -> Result<Rendered, Error> {
    let scope = Scope {
        release: RELEASE,
        values: values(given),
        off: &BTreeSet::new(),
        capabilities: &capabilities(),
    };
    render(&Tree::of(chart).unwrap(), scope)
}

/// What the one template `text` renders to.
pub(super) fn try_text(text: &str, given: &Json) -> Result<String, Error> {
    let rendered = try_render(&chart(&[("templates/a.yaml", text)]), given)?;
    Ok(rendered.files.into_iter().map(|file| file.text).collect())
}

fn given() -> Json {
    json!({
        "image": "s3cret",
        "replicas": 12_345_678,
        "service": {"port": 80, "token": "s3cret"},
        "list": ["s3cret"],
        "text": "s3cret {{ values.q }}",
    })
}

fn rendered(files: &[(&str, &str)]) -> Vec<(String, String)> {
    let rendered = try_render(&chart(files), &given()).unwrap();
    (rendered.files.into_iter())
        .map(|file| (file.path, file.text))
        .collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|&(path, text)| (path.to_owned(), text.to_owned()))
        .collect()
}

#[test]
fn a_template_sees_its_scope() {
    let text = "{{ release.name }} {{ release.namespace }} {{ release.revision }} \
        {{ release.is_install }} {{ release.is_upgrade }} {{ release.service }}\n\
        {{ chart.name }} {{ chart.version }} {{ chart.app_version }} {{ chart.type }} \
        {{ chart.description }} {{ chart.annotations['pintle.dev/engine'] }}\n\
        {{ capabilities.kube_version.version }} {{ capabilities.kube_version.minor }} \
        {{ 'v1' in capabilities.api_versions }}\n\
        {{ template.name }} {{ template.base_path }}";
    assert_eq!(
        try_text(text, &json!({})).unwrap(),
        "shop tenant-a 3 false true Helm\n\
         web 1.2.3 4.5 application  tera\n\
         v1.36.3 36 true\n\
         web/templates/a.yaml web/templates"
    );
}

#[test]
fn partials_blank_files_and_notes_are_no_output() {
    let files = [
        ("templates/tests/t.yaml", "t"),
        ("templates/b.yaml", "b"),
        ("templates/_x.yaml", "x"),
        ("templates/sub/_y.yaml", "y"),
        ("templates/blank.yaml", " \n{# note #}\n"),
        ("templates/comment.yaml", "# note\n"),
        ("templates/NOTES.txt", "Hi {{ release.name }}\n"),
        ("templates/sub/NOTES.txt", "no"),
        ("README.md", "no"),
    ];
    assert_eq!(
        rendered(&files),
        pairs(&[
            ("web/templates/b.yaml", "b"),
            ("web/templates/comment.yaml", "# note\n"),
            ("web/templates/tests/t.yaml", "t"),
        ])
    );
    let notes = try_render(&chart(&files), &given()).unwrap().notes;
    assert_eq!(notes.as_deref(), Some("Hi shop\n"));
}

#[test]
fn templates_find_each_other_by_both_names() {
    let files = [
        (
            "templates/_a.yaml",
            "a{% component c(x) %}{{ x }}{% endcomponent c %}",
        ),
        (
            "templates/b.yaml",
            "{% include '_a.yaml' %}{% include 'web/templates/_a.yaml' %}{{ <c x='1' /> }}",
        ),
    ];
    assert_eq!(rendered(&files), pairs(&[("web/templates/b.yaml", "aa1")]));
}

#[test]
fn nothing_is_escaped_and_maps_are_in_order() {
    let text = "{{ '<&>' }}{% for k, v in values.service %}{{ k }}{% endfor %}";
    let files = [("templates/a.xml", text)];
    assert_eq!(
        rendered(&files),
        pairs(&[("web/templates/a.xml", "<&>porttoken")])
    );
}

#[test]
fn numbers_keep_their_kind() {
    let values = json!({"port": 6443, "big": 1e6, "half": 0.5, "list": [1.0]});
    let text = "{{ values.port }} {{ values.big }} {{ values.half }} {{ values | to_yaml }}";
    assert_eq!(
        try_text(text, &values).unwrap(),
        "6443 1000000 0.5 big: 1000000\nhalf: 0.5\nlist:\n- 1\nport: 6443"
    );
}

#[test]
fn what_may_be_missing_can_be_asked_for() {
    let text = "{% if values.x %}1{% endif %}{% if not values.x %}2{% endif %}\
        {{ values.x | default(value=3) }}{{ values.x or 4 }}{{ values.x is defined }}\
        {% if values.x?.y == 1 %}5{% endif %}{{ values.x?.y | required(message='m') or 6 }}";
    let error = try_text(text, &given()).unwrap_err();
    assert!(error.to_string().ends_with(": m"), "{error}");
    let text = text.replace(" | required(message='m')", "");
    assert_eq!(try_text(&text, &given()).unwrap(), "234false6");
}

#[test]
fn a_chart_without_engine_is_passed_on() {
    let mut chart = chart(&[
        ("templates/a.yaml", "a: {{ x }}"),
        ("templates/_b.yaml", "b"),
        ("templates/NOTES.txt", "notes"),
    ]);
    chart.metadata.annotations.clear();
    let rendered = try_render(&chart, &given()).unwrap();
    assert_eq!(rendered.files.len(), 1);
    assert_eq!(rendered.files[0].text, "a: {{ x }}");
    assert_eq!(rendered.notes.as_deref(), Some("notes"));

    let engine = "pintle.dev/engine".to_owned();
    chart
        .metadata
        .annotations
        .insert(engine, "jinja".to_owned());
    let error = try_render(&chart, &given()).unwrap_err();
    assert!(matches!(error, Error::UnknownEngine { engine, .. } if engine == "jinja"));
}

/// The reports of all templates, each after its text.
fn reports(templates: &[&str]) -> String {
    let mut all = String::new();
    for text in templates {
        let error = try_text(text, &given()).expect_err(text);
        let report = error.report();
        let headline = error.to_string();
        assert!(
            report.starts_with(headline.split(" (and").next().unwrap()),
            "{report}"
        );
        let shown = report.replace(text, "");
        assert!(
            !shown.contains("s3cret") && !shown.contains("12345678"),
            "{report}"
        );
        all.push_str(&report);
        all.push_str("\n\n");
    }
    all
}

#[test]
fn missing_names_are_explained() {
    insta::assert_snapshot!(reports(&[
        "kind: X\nreplicas: {{ values.replica }}\n",
        "{{ values.service.prot }}",
        "{{ values.servce.port.x }}",
        "{{ values.image.tag }}",
        "{{ value.image }}",
        "{{ values.missing | to_yaml }}",
        "{{ values.missing | upper }}",
        "{{ values.missing | int }}",
        "{% if values.missing == 1 %}{% endif %}",
        "{% if 1 == 1 and values.list != values.missing %}{% endif %}{{ values.z }}",
        "{{ 'x' ~ values.replicas }} {{ values.missing }}",
        "{{ 'x' ~ values.missing }}",
        "{{ values.replicas + values.missing }}",
        "{{ values.missing > 1 }}",
        "{% if values.missing in ['a'] %}{% endif %}",
        "{% if 1 in values.missing %}{% endif %}",
        "{% for x in values.missing %}{% endfor %}",
        "{% for x in values.list %}{{ x.foo }}{% endfor %}",
        "{% for k, v in values.service %}{{ v.foo | quote }}{% endfor %}",
        "{% set q = values.service %}{{ q.prot }}",
        "{% set q = values.missing %}{{ q }}",
        "{{ values.list[4] }}",
        "{{ values['imag'] }}",
        "{{ { 'k': values.missing } | to_yaml }}",
        "{% component c(x) %}{{ values.a }}{{ x }}{% endcomponent c %}\n{{ <c x={1}/> }}",
        "{% component c(x, @values) %}{{ values.a }}{{ x }}{% endcomponent c %}\n{{ <c x={1}/> }}",
    ]));
}

#[test]
fn other_faults_are_explained() {
    insta::assert_snapshot!(reports(&[
        "{{ values.service | toYaml }}\n{{ values.x | nope }}",
        "{{ fial(message='x') }}",
        "{{ .Values.image }}",
        "a:\n\t{% if %}",
        "{% if values.image %}",
        "{{ values.image | int }}",
        "{{ values.replicas | float | round(method='x') }}",
        "{{ values.service + 1 }}",
        "{{ values.replicas * 1000000000000000000000000000000000 }}",
        "{% include 'nope.yaml' %}",
        "{{ values.text | tpl }}",
        "{{ '{{ x |' | tpl }}",
        "{{ '{{ 1 | toYaml }}' | tpl }}",
        "{{ '{{ __tera_context }}' | tpl }}",
        "{{ __tera_context }}",
        "{{ fail(message='Say it so.') }}",
        "{% component c(x) %}{{ x }}{% endcomponent c %}{{ <c y={1}/> }}",
        "{% component c(x: string) %}{{ x }}{% endcomponent c %}{{ <c x={1}/> }}",
    ]));
}

#[test]
fn faults_name_the_calls_that_led_there() {
    let chart = chart(&[
        (
            "templates/_c.yaml",
            "{% component c(x) %}\n  {{ x.y }}\n{% endcomponent c %}",
        ),
        ("templates/_b.yaml", "b:\n{{ <c x={1} /> }}\n"),
        ("templates/a.yaml", "a:\n  {% include '_b.yaml' %}\n"),
    ]);
    let error = try_render(&chart, &given()).unwrap_err();
    insta::assert_snapshot!(error.report());
}

#[test]
fn templates_that_do_not_fit_together_are_refused() {
    let report = |files: &[(&str, &str)]| try_render(&chart(files), &given()).unwrap_err().report();
    let circle = report(&[
        ("templates/a.yaml", "a\n{% include '_b.yaml' %}"),
        ("templates/_b.yaml", "{% include 'a.yaml' %}"),
    ]);
    insta::assert_snapshot!(circle);
    let chain: Vec<_> = (0..5000)
        .map(|at| {
            (
                format!("templates/{at}.yaml"),
                format!("{{% include '{}.yaml' %}}", at + 1),
            )
        })
        .chain([("templates/5000.yaml".to_owned(), String::new())])
        .collect();
    let chain: Vec<_> = (chain.iter())
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    let deep = report(&chain);
    assert!(
        deep.contains("include each other more than 10 levels deep"),
        "{deep}"
    );
    assert!(try_render(&chart(&chain[4990..]), &given()).is_ok());
    let twice = "{% component c(x) %}{% endcomponent c %}";
    let twice = report(&[("templates/a.yaml", twice), ("templates/b.yaml", twice)]);
    insta::assert_snapshot!(twice);
    let mut binary = chart(&[]);
    binary.templates.push(File {
        path: "templates/a.yaml".to_owned(),
        data: vec![0xff],
    });
    let error = try_render(&binary, &given()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "reading web/templates/a.yaml: it is not UTF-8 text"
    );
}

#[test]
fn what_an_expression_asks_for_in_vain_is_named() {
    let given = json!({"m": {"a": 1, "bee": {}}, "s": "s3cret", "l": [1]});
    for (text, expected) in [
        (
            "{{ values.m[values.s] }}",
            "1:4: values.m[values.s] is not defined; values.m has: a, bee",
        ),
        (
            "{{ values.m[values.s] | upper }}",
            "1:4: values.m[values.s] is not defined; values.m has: a, bee",
        ),
        (
            "{{ values.m[values.s].b }}",
            "1:4: values.m[values.s] is not defined; values.m has: a, bee",
        ),
        (
            "{% for x in values.m[values['s']] %}{% endfor %}",
            "1:13: values.m[values['s']] is not defined; values.m has: a, bee",
        ),
        (
            "{% if values.m[values.s] == 1 %}{% endif %}",
            "1:7: values.m[values.s] is not defined; values.m has: a, bee",
        ),
        (
            "{% set k = 'x' %}{{ values.m[k] }}",
            "1:21: values.m[k] is not defined",
        ),
        (
            "{{ values.m[values.ss] }}",
            "1:13: values.ss is not defined; did you mean s? values has: l, m, s",
        ),
        (
            "{{ values.m is definedd }}",
            "1:16: there is no test definedd; did you mean defined?",
        ),
    ] {
        let error = try_text(text, &given).unwrap_err().to_string();
        assert_eq!(error, format!("web/templates/a.yaml:{expected}"), "{text}");
    }
}

fn try_budget(text: &str, budget: Budget<'_>) -> Result<Rendered, Error> {
    let chart = chart(&[("templates/a.yaml", text)]);
    let templates = Templates::prepare(&Tree::of(&chart).unwrap()).unwrap();
    let scope = Scope {
        release: RELEASE,
        values: Values::default(),
        off: &BTreeSet::new(),
        capabilities: &capabilities(),
    };
    templates.render_within(scope, budget)
}

#[test]
fn output_and_time_have_limits() {
    let output_bytes = 1000;
    let text = "{% for i in range(end=100) %}0123456789{% endfor %}";
    let small = Budget {
        output_bytes,
        ..Budget::default()
    };
    assert!(try_budget(text, small).is_ok());
    let error = try_budget(&format!("{text}x"), small).unwrap_err();
    assert_eq!(
        error.to_string(),
        "rendering web/templates/a.yaml: all output together is larger than the limit of 1000 bytes"
    );
    let late = Budget {
        expired: Some(&|| true),
        ..Budget::default()
    };
    let error = try_budget(text, late).unwrap_err();
    assert_eq!(
        error,
        Error::TooSlow {
            path: "web/templates/a.yaml".to_owned()
        }
    );
}

#[test]
fn values_have_a_depth_limit() {
    let deep = |levels| (0..levels).fold(json!({}), |below, _| json!({ "a": below }));
    assert!(try_text("{{ values | to_yaml }}", &deep(value::MAX_DEPTH - 2)).is_ok());
    let error = try_text("x", &deep(value::MAX_DEPTH)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "reading the values of web: they are nested more than 256 deep"
    );
}

#[test]
fn recursion_has_limits() {
    let values = json!({"again": "{{ values.again | tpl }}"});
    let error = try_text("{{ values.again | tpl }}", &values)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("tpl: it calls itself more than 4 times"),
        "{error}"
    );
    // A component hides its caller's variables, but not how deep the calls are.
    let values = json!({"again": "{{ <c text={text} depth={18} /> }}"});
    let mut files: Vec<(String, String)> = (1..9)
        .map(|at| {
            (
                format!("templates/_{at}.yaml"),
                format!("{{% include '_{}.yaml' %}}", at + 1),
            )
        })
        .collect();
    let include = "{% component c(text, depth) %}{% include '_1.yaml' %}{% endcomponent c %}";
    files.push(("templates/_c.yaml".to_owned(), include.to_owned()));
    let last = "{% if depth > 0 %}{{ <c text={text} depth={depth - 1} /> }}\
        {% else %}{{ text | tpl(vars={'text': text}) }}{% endif %}";
    files.push(("templates/_9.yaml".to_owned(), last.to_owned()));
    let start = "{{ <c text={values.again} depth={18} /> }}";
    files.push(("templates/a.yaml".to_owned(), start.to_owned()));
    let files: Vec<_> = (files.iter())
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    let error = try_render(&chart(&files), &values).unwrap_err().to_string();
    assert!(
        error.contains("tpl: it calls itself more than 4 times"),
        "{error}"
    );
    let text = "{% component c(x) %}{{ <c x={x} /> }}{% endcomponent c %}{{ <c x={1} /> }}";
    let error = try_text(text, &values).unwrap_err().to_string();
    assert_eq!(
        error,
        "rendering web/templates/a.yaml: components call each other too deeply"
    );
    // The count is back at zero after each error.
    let values = json!({"once": "{{ release.name }}"});
    assert_eq!(
        try_text("{{ values.once | tpl }}", &values).unwrap(),
        "shop"
    );
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let text = "{{ values | to_yaml }}{{ chart | to_json }}{{ capabilities | to_json }}\
        {% for k, v in { ...values.service, 'a': 1 } | merge(with={}) %}{{ k }}{% endfor %}";
    let chart = chart(&[("templates/a.yaml", text)]);
    check_same(&Tree::of(&chart).unwrap(), &given());
    tree::check_same_tree();
}

/// Prepares `tree` twice, and renders it on 1 and on 8 threads.
#[track_caller]
fn check_same(tree: &Tree<'_>, given: &Json) {
    let [templates, again] = [0, 1].map(|_| Templates::prepare(tree).unwrap());
    let scope = Scope {
        release: RELEASE,
        values: values(given),
        off: &BTreeSet::new(),
        capabilities: &capabilities(),
    };
    let first = templates.render(scope.clone()).unwrap();
    assert!(!first.files.is_empty());
    assert_eq!(templates.render(scope.clone()).unwrap(), first);
    assert_eq!(again.render(scope.clone()).unwrap(), first);
    std::thread::scope(|threads| {
        let all: Vec<_> = (0..8)
            .map(|_| threads.spawn(|| templates.render(scope.clone()).unwrap()))
            .collect();
        for other in all {
            assert_eq!(other.join().unwrap(), first);
        }
    });
}

/// Pieces that templates are made of.
const PIECES: [&str; 38] = [
    "{{ ",
    " }}",
    "{% if ",
    "{% for x in ",
    "{% set x = ",
    " %}",
    "{% endif %}",
    "{% endfor %}",
    "{% include 'a.yaml' %}",
    "{#",
    "#}",
    "{%- raw %}",
    "{% endraw %}",
    "values",
    ".image",
    "?.x",
    "[0]",
    "['y']",
    ".list",
    ".text",
    " | ",
    "upper",
    "tpl",
    "quote",
    "int",
    "nindent(n=2)",
    "merge(with=values)",
    " ~ ",
    " == ",
    " in ",
    "not ",
    "'x'",
    "1",
    "\n",
    "é",
    "}",
    "__tera_context",
    "<c />",
];

proptest::proptest! {
    #[test]
    fn any_template_renders_or_is_explained(
        pieces in proptest::collection::vec(proptest::sample::select(&PIECES[..]), 0..20)
    ) {
        if let Err(error) = try_text(&pieces.concat(), &given()) {
            proptest::prop_assert!(error.report().starts_with("web/templates/a.yaml:"), "{error}");
        }
    }
}

#[test]
fn a_message_of_several_lines_is_told_once() {
    let text = "{{ fail(message='a\\nb\\nc') }}";
    let error = try_text(text, &json!({})).unwrap_err();
    assert_eq!(error.to_string(), "web/templates/a.yaml:1:4: a\nb\nc");
    let details = error.details().unwrap();
    assert_eq!(details.lines().count(), 3, "{details}");
    assert_eq!(error.report(), format!("{error}\n{details}"));
}

#[test]
fn long_lines_and_messages_are_cut() {
    let long = "x".repeat(100_000);
    let text = format!("{long}{{{{ values.zz }}}}{long}");
    let report = try_text(&text, &json!({})).unwrap_err().report();
    assert!(report.len() < 1000, "{}", report.len());
    let mut lines = report.lines().rev();
    let (marks, source) = (lines.next().unwrap(), lines.next().unwrap());
    let at = marks.chars().position(|c| c == '^').unwrap();
    let marked: String = source.chars().skip(at).take(2).collect();
    assert_eq!(marked, "zz", "{report}");
    let error = try_text("{{ fail(message=values.long) }}", &json!({"long": long})).unwrap_err();
    assert!(error.to_string().len() < 3000);
}
