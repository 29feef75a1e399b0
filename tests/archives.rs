//! Charts as Helm packs, pulls and vendors them.

use std::fs;

use pintle::source::{self, ChartRef};

use crate::support::served::served;
use crate::support::{Place, path};

fn load(path: &str) -> pintle::chart::Chart {
    source::load(&ChartRef::parse(path).unwrap()).unwrap()
}

/// A chart that Helm has packed is the chart of its folder, but for what Helm says in other words.
#[test]
fn what_helm_packs_is_the_folder() {
    let place = Place::without_namespace("packed");
    for (name, chart) in [
        ("kcp", "charts/kcp"),
        ("tenant", "charts/tenant"),
        ("web", "examples/web"),
    ] {
        let folder = path(chart);
        let into = place.folder().join(name);
        let into = into.to_str().unwrap();
        place.helm(&["package", &folder, "-d", into]).ok();
        let written = load(&folder);
        let archive = format!("{into}/{name}-{}.tgz", written.metadata.version);
        assert_eq!(load(&archive), written, "{chart}");
        let shown = |chart: &str| place.pintle(&["show", "all", chart]).ok().stdout;
        assert_eq!(shown(&archive), shown(&folder), "{chart}");
    }
}

#[test]
fn what_helm_pulls_and_vendors_is_the_same_chart() {
    let place = Place::without_namespace("pulled");
    let web = path("examples/web");
    let written = load(&web);
    let name = format!("web-{}.tgz", written.metadata.version);
    let into = place.folder().join("packed");
    place
        .helm(&["package", &web, "-d", into.to_str().unwrap()])
        .ok();
    let archive = fs::read(into.join(&name)).unwrap();
    let address = format!("{}/{name}", served(move |_| Some(archive.clone())));
    let pulled = place.folder().join("pulled");
    let pull = ["pull", &address, "--untar", "--untardir"];
    place
        .helm(&[&pull[..], &[pulled.to_str().unwrap()]].concat())
        .ok();
    let folder = pulled.join("web");
    assert_eq!(load(folder.to_str().unwrap()), written);

    let head = format!(
        "apiVersion: v2\nname: parent\nversion: 1.0.0\nannotations: {{pintle.dev/engine: tera}}\n\
         dependencies: [{{name: web, version: {}, repository: 'file://{web}'}}]\n",
        written.metadata.version
    );
    let chart = place.file("parent/Chart.yaml", &head);
    let parent = chart.trim_end_matches("/Chart.yaml");
    place.helm(&["dependency", "update", parent]).ok();
    let vendored = load(parent);
    assert_eq!(vendored.subcharts[0].metadata, written.metadata);
    assert_eq!(vendored.subcharts[0].templates, written.templates);
    assert!(vendored.lock.is_some());
    place
        .pintle(&["template", "x", parent])
        .ok()
        .prints(&["# Source: parent/charts/web/templates/", "kind: Deployment"]);
}
