//! Large charts and values without a cluster: an umbrella of many subcharts, many small resources,
//! a large file of values, and `lint`. Each chart is written twice, as Tera and as Go templates.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::table::{Goal, Row};
use crate::{Bench, ROOT};

/// How many charts the umbrella holds.
const SUBCHARTS: usize = 100;
/// How many resources the flat chart renders to, a hundred to a template.
const RESOURCES: usize = 2000;
/// How many entries the file of values has: 2.4 MB.
const ENTRIES: usize = 21_600;

/// One resource in both languages. `NUMBER` tells the resources of a chart apart.
const CONFIG_MAP: [&str; 2] = [
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ release.name }}-{{ chart.name }}-NUMBER\n  \
     labels:\n    app.kubernetes.io/instance: {{ release.name }}\ndata:\n  \
     image: {{ values.image | quote }}\n  replicas: {{ values.replicas | quote }}\n",
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-{{ .Chart.Name }}-NUMBER\n  \
     labels:\n    app.kubernetes.io/instance: {{ .Release.Name }}\ndata:\n  \
     image: {{ .Values.image | quote }}\n  replicas: {{ .Values.replicas | quote }}\n",
];
const VALUES: &str = "image: registry.example.com/web:1.2.3\nreplicas: 3\n";
const TERA: &str = "annotations:\n  pintle.dev/engine: tera\n";

/// The rows, none of which needs a cluster.
pub(crate) fn rendering(bench: &Bench) -> Vec<Row> {
    let umbrella = both(bench, "umbrella", umbrella);
    let flat = both(bench, "flat", flat);
    let values = bench.path("large.yaml");
    fs::write(&values, large_values()).expect("a file of values");
    let goal = |time| Goal { time, memory: 0.0 };
    let row = |name: &str, work: &[&str], charts: &[String; 2], time| {
        let args = |index: usize| [work, &[charts[index].as_str()]].concat();
        Row::new(name, bench.pair(&args(0), &args(1)), goal(time))
    };
    let template = ["template", "web"];
    let scaffold = [
        format!("{ROOT}/tests/cases/charts/scaffold"),
        bench.path("scaffold"),
    ];
    vec![
        row(
            "`template` of an umbrella of 100 subcharts",
            &template,
            &umbrella,
            15.0,
        ),
        row("`template` of 2,000 small resources", &template, &flat, 0.0),
        row(
            "`template` with 2.4 MB of values",
            &["template", "-f", &values, "web"],
            &scaffold,
            10.0,
        ),
        row("`lint` of the default scaffold", &["lint"], &scaffold, 0.0),
    ]
}

/// Writes a chart in both languages and gives the two folders.
fn both(bench: &Bench, name: &str, write: fn(&Path, usize)) -> [String; 2] {
    let folders = [
        bench.path(&format!("{name}-tera")),
        bench.path(&format!("{name}-go")),
    ];
    for (language, folder) in folders.iter().enumerate() {
        write(Path::new(folder), language);
    }
    folders
}

fn umbrella(folder: &Path, language: usize) {
    let mut text = metadata("umbrella", language);
    text.push_str("dependencies:\n");
    for number in 0..SUBCHARTS {
        let name = format!("part-{number}");
        let line = format!("- name: {name}\n  version: 1.0.0\n  condition: {name}.enabled\n");
        text.push_str(&line);
        let part = folder.join("charts").join(&name);
        file(&part, "Chart.yaml", &metadata(&name, language));
        file(&part, "values.yaml", VALUES);
        for resource in ["a", "b", "c"] {
            let template = CONFIG_MAP[language].replace("NUMBER", resource);
            file(&part, &format!("templates/{resource}.yaml"), &template);
        }
    }
    file(folder, "Chart.yaml", &text);
    file(folder, "values.yaml", "global:\n  region: eu\n");
}

fn flat(folder: &Path, language: usize) {
    file(folder, "Chart.yaml", &metadata("flat", language));
    file(folder, "values.yaml", VALUES);
    for first in (0..RESOURCES).step_by(100) {
        let resources = (first..first + 100)
            .map(|number| CONFIG_MAP[language].replace("NUMBER", &number.to_string()));
        let text = resources.collect::<Vec<_>>().join("---\n");
        file(folder, &format!("templates/{first:04}.yaml"), &text);
    }
}

fn metadata(name: &str, language: usize) -> String {
    let engine = if language == 0 { TERA } else { "" };
    format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n{engine}")
}

fn file(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder for the chart");
    fs::write(path, text).expect("a file of the chart");
}

/// Values that the chart never reads, as a tenant's whole configuration may be.
fn large_values() -> String {
    let mut text = String::from("tenants:\n");
    for number in 0..ENTRIES {
        // Writing into a string cannot fail.
        let _ = writeln!(
            text,
            "  tenant-{number:05}:\n    host: api-{number:05}.tenants.example.com\n    \
             replicas: 3\n    enabled: true\n    zones: [a, b, c]"
        );
    }
    text
}
