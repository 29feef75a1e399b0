//! Archives as Helm packs them.

use pintle::source::{self, ChartRef};

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
