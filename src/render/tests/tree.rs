//! Trees of charts.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::{RELEASE, capabilities, chart, check_same, pairs, values};
use crate::chart::{Chart, Node, Selection, Tree, Values};
use crate::render::{Budget, Error, Notes, Rendered, Scope, Templates, render};

/// A chart by its path in a tree, and its files. The last part of the path may have another name behind
/// an `=`, which is then the chart's own; a path that starts with `+` is that of a library.
type Given<'a> = (&'a str, &'a [(&'a str, &'a str)]);

/// The charts of a tree that a test describes.
struct Charts(Vec<(String, Chart)>);

impl Charts {
    fn of(given: &[Given<'_>]) -> Self {
        let made = given.iter().map(|(path, files)| {
            let (kind, path) = match path.strip_prefix('+') {
                Some(path) => ("library", path),
                None => ("", *path),
            };
            let (path, own) = path.split_once('=').unwrap_or((path, ""));
            let last = path.rsplit('/').next().unwrap();
            let mut chart = chart(files);
            chart.metadata.name = if own.is_empty() { last } else { own }.to_owned();
            chart.metadata.kind = kind.to_owned();
            (path.to_owned(), chart)
        });
        Self(made.collect())
    }

    fn tree(&self) -> Tree<'_> {
        Tree {
            root: self.node(&self.0[0].0, vec![]),
        }
    }

    fn node(&self, path: &str, keys: Vec<String>) -> Node<'_> {
        let below = format!("{path}/charts/");
        let subcharts = self.0.iter().filter_map(|(path, _)| {
            let name = path.strip_prefix(&below)?;
            let keys = [keys.clone(), vec![name.to_owned()]].concat();
            (!name.contains('/')).then(|| self.node(path, keys))
        });
        let (path, chart) = self.0.iter().find(|(found, _)| found == path).unwrap();
        Node {
            path: path.clone(),
            chart,
            entry: None,
            subcharts: subcharts.collect(),
            keys,
        }
    }

    fn render(&self, given: &Json, off: &[&str]) -> Result<Rendered, Error> {
        let selection = Selection {
            values: values(given),
            off: off
                .iter()
                .map(|path| (*path).to_owned())
                .collect::<BTreeSet<_>>(),
        };
        let scope = Scope {
            release: RELEASE,
            values: selection.values,
            off: &selection.off,
            capabilities: &capabilities(),
        };
        render(&self.tree(), scope)
    }
}

#[track_caller]
fn check(given: &[Given<'_>], values: &Json, expected: &[(&str, &str)]) {
    let rendered = Charts::of(given).render(values, &[]);
    let rendered = rendered.unwrap_or_else(|error| panic!("{}", error.report()));
    let files: Vec<_> = (rendered.files.into_iter())
        .map(|file| (file.path, file.text))
        .collect();
    assert_eq!(files, pairs(expected));
}

fn report(given: &[Given<'_>]) -> String {
    let error = Charts::of(given).render(&json!({}), &[]).unwrap_err();
    error.report() + "\n\n"
}

#[test]
fn every_chart_has_its_own_scope() {
    let scope = "{{ chart.name }} {{ chart.is_root }} {{ values | to_json }} {{ template.name }} \
        {{ template.base_path }} {{ release.name }} {{ capabilities.kube_version.minor }} \
        {{ files_glob(pattern='*') | keys | join(sep=',') }}";
    check(
        &[
            ("web", &[("templates/a.yaml", scope), ("root.txt", "")]),
            ("web/charts/cache=redis", &[("templates/a.yaml", scope)]),
            (
                "web/charts/db",
                &[("templates/a.yaml", scope), ("db.txt", "")],
            ),
            ("web/charts/db/charts/disk", &[("templates/a.yaml", scope)]),
        ],
        &json!({"a": 1, "db": {"b": 2, "disk": {"c": 3}}, "cache": "no map"}),
        &[
            (
                "web/charts/cache/templates/a.yaml",
                "cache false {} web/charts/cache/templates/a.yaml web/charts/cache/templates shop 36 ",
            ),
            (
                "web/charts/db/charts/disk/templates/a.yaml",
                "disk false {\"c\":3} web/charts/db/charts/disk/templates/a.yaml \
                 web/charts/db/charts/disk/templates shop 36 ",
            ),
            (
                "web/charts/db/templates/a.yaml",
                "db false {\"b\":2,\"disk\":{\"c\":3}} web/charts/db/templates/a.yaml \
                 web/charts/db/templates shop 36 db.txt",
            ),
            (
                "web/templates/a.yaml",
                "web true {\"a\":1,\"cache\":\"no map\",\"db\":{\"b\":2,\"disk\":{\"c\":3}}} \
                 web/templates/a.yaml web/templates shop 36 root.txt",
            ),
        ],
    );
}

#[test]
fn what_is_off_gives_nothing() {
    let fails: &[(&str, &str)] = &[("templates/a.yaml", "{{ fail(message='x') }}")];
    let charts = Charts::of(&[
        ("web", &[("templates/a.yaml", "a")]),
        ("web/charts/db", fails),
        ("web/charts/db/charts/disk", fails),
        ("web/charts/db-2", &[("templates/a.yaml", "b")]),
    ]);
    let rendered = charts.render(&json!({}), &["web/charts/db"]).unwrap();
    let paths: Vec<_> = rendered.files.iter().map(|file| &*file.path).collect();
    assert_eq!(
        paths,
        ["web/charts/db-2/templates/a.yaml", "web/templates/a.yaml"]
    );
}

#[test]
fn the_same_name_in_two_charts_means_two_things() {
    let chart = |text| {
        vec![
            ("templates/_labels.yaml", text),
            (
                "templates/a.yaml",
                "{% include '_labels.yaml' %} {{ <name /> }} {{ values.text | tpl }}",
            ),
        ]
    };
    let text = "{% include '_labels.yaml' %} {{ <name /> }}";
    check(
        &[
            (
                "web",
                &chart("w{% component name() %}web{% endcomponent %}"),
            ),
            (
                "web/charts/a",
                &chart("a{% component name() %}A{% endcomponent %}"),
            ),
            (
                "web/charts/b",
                &chart("b{% component name() %}B{% endcomponent %}"),
            ),
        ],
        &json!({"text": text, "a": {"text": text}, "b": {"text": text}}),
        &[
            ("web/charts/a/templates/a.yaml", "a A a A"),
            ("web/charts/b/templates/a.yaml", "b B b B"),
            ("web/templates/a.yaml", "w web w web"),
        ],
    );
}

#[test]
fn the_whole_path_works_wherever_a_chart_stands() {
    let all = "{% include '_a.yaml' %}{% include 'db/templates/_a.yaml' %}\
        {% include 'web/charts/db/templates/_a.yaml' %}{% include 'mysql/templates/_a.yaml' %}";
    check(
        &[
            ("web", &[]),
            (
                "web/charts/db=mysql",
                &[("templates/_a.yaml", "a"), ("templates/b.yaml", all)],
            ),
        ],
        &json!({}),
        &[("web/charts/db/templates/b.yaml", "aaaa")],
    );
}

const LIBRARY: &[(&str, &str)] = &[
    (
        "templates/_a.yaml",
        "{% component common.name(@chart) %}{{ chart.name }}-{{ <suffix /> }}{% endcomponent common.name %}",
    ),
    (
        "templates/_b.yaml",
        "{% component suffix() %}{% include '_c.yaml' %}{% endcomponent %}\
         {% component box() %}[{{ body }}]{% endcomponent box %}",
    ),
    ("templates/_c.yaml", "common{{ file(path='name.txt') }}"),
    ("templates/never.yaml", "never {{ never }}"),
    ("name.txt", "of the library"),
];

#[test]
fn libraries_lend_their_components_and_partials() {
    let user = "{{ <common.name /> }} {% include 'common/_c.yaml' %} \
        {% include 'common/templates/_c.yaml' %} {% <box> %}in{% </box> %} {{ values.text | tpl }}";
    let text = "{{ <common.name /> }}{% include 'common/_c.yaml' %}";
    check(
        &[
            (
                "web",
                &[
                    ("templates/a.yaml", user),
                    ("templates/_c.yaml", "own"),
                    (
                        "templates/_d.yaml",
                        "{% component suffix() %}own{% endcomponent %}",
                    ),
                    (
                        "templates/b.yaml",
                        "{{ <suffix /> }} {% include '_c.yaml' %}",
                    ),
                    ("name.txt", "!"),
                ],
            ),
            ("+web/charts/common", LIBRARY),
        ],
        &json!({ "text": text }),
        &[
            (
                "web/templates/a.yaml",
                "web-common! common! common! [in] web-common!common!",
            ),
            ("web/templates/b.yaml", "own own"),
        ],
    );
}

#[test]
fn a_library_uses_its_own_libraries() {
    let component = |name: &str, text: &str| {
        format!("{{% component {name}() %}}{text}{{% endcomponent {name} %}}")
    };
    let [outer, inner, other] = [
        component("outer", "{{ <name /> }}{% include 'inner/_x.yaml' %}"),
        component("name", "inner"),
        component("name", "other"),
    ];
    check(
        &[
            (
                "web",
                &[("templates/a.yaml", "{{ <outer /> }} {{ <name /> }}")],
            ),
            ("+web/charts/outer", &[("templates/_a.yaml", &outer)]),
            (
                "+web/charts/outer/charts/inner",
                &[("templates/_a.yaml", &inner), ("templates/_x.yaml", "x")],
            ),
            ("+web/charts/other", &[("templates/_a.yaml", &other)]),
        ],
        &json!({}),
        &[("web/templates/a.yaml", "innerx other")],
    );
}

#[test]
fn nothing_of_other_charts_is_visible() {
    let lend: &[(&str, &str)] = &[(
        "templates/_lent.yaml",
        "{% component lent() %}x{% endcomponent lent %}",
    )];
    let reports = |path: &'static str, text: &'static str| {
        report(&[
            ("web", lend),
            ("web/charts/db", lend),
            ("+web/charts/common", lend),
            (path, &[("templates/_a.yaml", text)]),
        ])
    };
    let mut all = String::new();
    for text in [
        "a\n  {{ <lent /> }}",
        "{% include '_lent.yaml' %}",
        "{% include 'web/templates/_lent.yaml' %}",
        "{% include 'common/_lent.yaml' %}",
    ] {
        all.push_str(&reports("web/charts/other", text));
        all.push_str(&reports("+web/charts/library", text));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn faults_in_a_tree_are_explained() {
    let lend =
        "{% component common.name(x, @values) %}\n  {{ values.nme }}{{ x }}\n{% endcomponent %}";
    let common: Given<'_> = (
        "+web/charts/db/charts/common",
        &[("templates/_n.yaml", lend)],
    );
    let db = |text: &'static str| {
        let files: &[(&str, &str)] = &[
            ("templates/a.yaml", text),
            (
                "templates/_b.yaml",
                "b:\n {{ 1 ~ <common.name x={1} /> ~ values.x }}",
            ),
            (
                "templates/_c.yaml",
                "c: {{ <common.name x={1} /> ~ values.x }}",
            ),
        ];
        report(&[("web", &[]), ("web/charts/db", files), common])
    };
    let mut all = [
        "a: 1\nb:\n    {{ values.x }}",
        "{% include '_b.yaml' %}",
        "{{ <common.nam x={1} /> }}",
        "{{ <common.name y={1} /> }}",
        "{{ <common.name x={1} /> | upper | toYaml }}",
        "{% include 'common/n.yaml' %}",
        "{% include '_d.yaml' %}",
        "{{ '{{ <common.nam /> }}' | tpl }}",
        "{{ '{{ <common.name x={1} /> }}' | tpl }}",
        "{{ common.name }}",
    ]
    .map(db)
    .concat();
    let twice = "{% component twice() %}{% endcomponent %}";
    let lender: &[(&str, &str)] = &[("templates/_a.yaml", twice)];
    for text in ["x\n{{ <twice /> }}", "{{ '{{ <twice /> }}' | tpl }}"] {
        all += &report(&[
            ("web", &[("templates/a.yaml", text)]),
            ("+web/charts/one", lender),
            ("+web/charts/two", lender),
        ]);
    }
    all += &report(&[
        ("web", &[]),
        (
            "+web/charts/one",
            &[("templates/_a.yaml", twice), ("templates/_b.yaml", twice)],
        ),
    ]);
    insta::assert_snapshot!(all);
}

#[test]
fn charts_may_have_different_engines() {
    let mut charts = Charts::of(&[
        ("web", &[("templates/a.yaml", "a: {{ chart.name }}")]),
        (
            "web/charts/plain",
            &[("templates/a.yaml", "{% b %}"), ("templates/_p.yaml", "")],
        ),
        (
            "web/charts/plain/charts/tera",
            &[("templates/a.yaml", "{{ chart.name }}")],
        ),
    ]);
    charts.0[1].1.metadata.annotations.clear();
    let rendered = charts.render(&json!({}), &[]).unwrap();
    let texts: Vec<_> = rendered.files.iter().map(|file| &*file.text).collect();
    assert_eq!(texts, ["tera", "{% b %}", "a: web"]);
}

#[test]
fn limits_are_those_of_the_whole_tree() {
    let ten: &[(&str, &str)] = &[
        ("templates/a.yaml", "0123456789"),
        ("templates/NOTES.txt", "0123456789"),
    ];
    let charts = Charts::of(&[("web", ten), ("web/charts/db", ten)]);
    let templates = Templates::prepare(&charts.tree()).unwrap();
    let render = |output_bytes| {
        let scope = Scope {
            release: RELEASE,
            values: Values::default(),
            off: &BTreeSet::new(),
            capabilities: &capabilities(),
        };
        let budget = Budget {
            output_bytes,
            ..Budget::default()
        };
        templates.render_within(scope, budget)
    };
    assert!(render(40).is_ok());
    let path = "web/charts/db/templates/NOTES.txt".to_owned();
    assert_eq!(render(39), Err(Error::TooLarge { path, limit: 39 }));
}

#[test]
fn notes_are_the_roots_unless_more_are_asked_for() {
    let files: &[(&str, &str)] = &[("templates/NOTES.txt", "of {{ chart.name }}\n")];
    let charts = Charts::of(&[
        ("web", files),
        ("web/charts/b", files),
        ("web/charts/a", files),
        ("web/charts/off", files),
        ("web/charts/blank", &[("templates/NOTES.txt", "\n")]),
    ]);
    let rendered = charts.render(&json!({}), &["web/charts/off"]).unwrap();
    assert_eq!(rendered.notes(Notes::Root).as_deref(), Some("of web\n"));
    let all = rendered.notes(Notes::WithSubcharts);
    assert_eq!(all.as_deref(), Some("of web\n\nof a\n\nof b\n"));
    let charts = Charts::of(&[("web", &[]), ("web/charts/a", files)]);
    let rendered = charts.render(&json!({}), &[]).unwrap();
    assert_eq!(rendered.notes(Notes::Root), None);
    assert_eq!(
        rendered.notes(Notes::WithSubcharts).as_deref(),
        Some("of a\n")
    );
}

/// Checks that a tree of many charts gives the same bytes each time.
pub(super) fn check_same_tree() {
    let text = "{{ values | to_yaml }}{{ chart | to_json }}{{ <common.name /> }}";
    let files: &[(&str, &str)] = &[
        ("templates/a.yaml", text),
        ("templates/NOTES.txt", "{{ values | to_json }}"),
        ("name.txt", "n"),
    ];
    let mut given = vec![
        ("web".to_owned(), files),
        ("+web/charts/common".to_owned(), LIBRARY),
    ];
    for at in 0..10 {
        given.push((format!("web/charts/c{at}"), files));
        given.push((format!("+web/charts/c{at}/charts/common"), LIBRARY));
    }
    let given: Vec<Given<'_>> = given
        .iter()
        .map(|(path, files)| (&**path, *files))
        .collect();
    let charts = Charts::of(&given);
    let values = (0..10).map(|at| (format!("c{at}"), json!({"b": at, "a": {"z": 1, "y": 2}})));
    check_same(&charts.tree(), &Json::Object(values.collect()));
}
