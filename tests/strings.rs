//! Strings as Kubernetes reads them from the text that pintle makes.

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::support::Place;

/// Strings that YAML would take for something else, or has no plain way to write.
#[rustfmt::skip]
const TEXTS: &[&str] = &[
    "yes", "No", "on", "y", "~", "null", "true", "0644", "0x1F", "0o17", "0b1", "1_000", "1e6",
    "1e400", ".5", "6443.0", "+1", "-0", ".inf", ".nan", "1:30", "2001-12-14", "=", "<<", "",
    " ", " a", "a ", "a: b", "a #b", "#", "- a", "? a", "{", "[", "*a", "&a", "!a", "|", ">",
    "@a", "`a", "%a", "'", "\"", "\\", "\\n", "a\nb", "a\n", "\na", "\n\n", "a\n\n", " a\nb",
    "\ta", "a\r\nb", "\r", "---", "...", "--- a", "\u{7f}", "\u{85}", "\u{a0}", "\u{2028}",
    "\u{feff}", "\u{1}", "\u{1b}[2J", "\u{9b}2J", "\u{202e}", "\u{1f600}", "\u{e000}", "{{ a }}",
];

/// So many more are made up in each run.
const RANDOM: usize = 400;

/// Any text, and what looks like numbers, words and marks of YAML.
fn random() -> Vec<String> {
    let mut runner = TestRunner::default();
    let text = "(?s:.{0,20})|[-+0-9.eExXoObB_:ynYN~#&*!|>'\"%@` \n\t\r\\[\\]{},?<=\\\\]{1,8}|[\\PC\n ]{0,200}";
    let texts = proptest::collection::vec(text, RANDOM);
    texts.new_tree(&mut runner).unwrap().current()
}

/// A chart that puts [`TEXTS`] and random ones into two `ConfigMap`s, and their data as it must be.
fn chart(place: &Place) -> (String, Value) {
    let texts = TEXTS.iter().map(|text| (*text).to_owned()).chain(random());
    let wanted: Value = texts
        .enumerate()
        .map(|(at, text)| (format!("k{at}"), json!(text)))
        .collect();
    let values = pintle::yaml::to_string(&json!({"texts": wanted}));
    place.file("texts/values.yaml", &values);
    place.file(
        "texts/templates/maps.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: dumped}\n\
         data: {{ values.texts | to_yaml | nindent(n=2) }}\n---\n\
         apiVersion: v1\nkind: ConfigMap\nmetadata: {name: quoted}\ndata:\n\
         {% for key, text in values.texts %}  {{ key }}: {{ text | quote }}\n{% endfor %}",
    );
    let chart = place.file(
        "texts/Chart.yaml",
        "apiVersion: v2\nname: texts\nversion: 1.0.0\nannotations: {pintle.dev/engine: tera}\n",
    );
    (chart.trim_end_matches("/Chart.yaml").to_owned(), wanted)
}

/// The objects that kubectl reads from the text of a manifest, by the reader that Helm uses too.
fn read(place: &Place, manifest: &str) -> Vec<Value> {
    let file = place.file("printed.yaml", manifest);
    let run = place.kubectl(&["create", "--dry-run=client", "-o", "json", "-f", &file]);
    let run = run.ok();
    let found = serde_json::Deserializer::from_str(&run.stdout).into_iter::<Value>();
    let objects = found
        .map(Result::unwrap)
        .flat_map(|one| match one["items"].as_array() {
            Some(items) => items.clone(),
            None => vec![one],
        });
    objects.collect()
}

#[track_caller]
fn check(found: &Value, wanted: &Value) {
    for (key, text) in wanted.as_object().unwrap() {
        assert_eq!(&found[key], text, "{text:?}");
    }
    assert_eq!(found, wanted);
}

/// What the API server reads from the text that pintle makes is the string that went in.
#[test]
fn strings_reach_the_cluster_as_they_are() {
    let place = Place::new("strings");
    let (chart, wanted) = chart(&place);
    place.pintle(&["install", "texts", &chart]).ok();
    let printed = place.pintle(&["template", "texts", &chart]).ok().stdout;
    let printed = read(&place, &printed);
    for name in ["dumped", "quoted"] {
        check(&place.get(&["configmap", name])["data"], &wanted);
        let object = printed.iter().find(|one| one["metadata"]["name"] == name);
        check(&object.unwrap()["data"], &wanted);
    }
}
