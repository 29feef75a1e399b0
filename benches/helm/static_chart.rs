//! What pintle has rendered, as a chart for Helm.
//!
//! Its templates are plain YAML without a single action, so that Helm has nothing to compute.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use pintle::capabilities::Kinds;
use pintle::manifest::{Document, Manifest, Placement, Recorded};
use pintle::yaml;
use serde_json::{Value, json};

/// Writes the chart into `folder`: each document of `manifest` into the file of the template that
/// it came from, and each Secret with its `data`, by name, where there is any.
pub(crate) fn write(folder: &Path, manifest: &str, data: &BTreeMap<String, Value>) {
    let recorded = Recorded {
        text: manifest,
        generators: None,
    };
    let placement = Placement {
        namespace: "default",
        kinds: &Kinds::default(),
    };
    let manifest = Manifest::from_record(recorded, placement).expect("a manifest of pintle");
    fs::create_dir_all(folder).expect("a folder for the chart");
    let metadata = "apiVersion: v2\nname: kcp\nversion: 0.1.0\n";
    fs::write(folder.join("Chart.yaml"), metadata).expect("Chart.yaml");
    let mut filled = 0;
    for document in &manifest.documents {
        let text = with_data(document, data);
        filled += usize::from(text.is_some());
        append(folder, document, text.as_ref().unwrap_or(&document.text));
    }
    assert_eq!(filled, data.len(), "each Secret is in the manifest");
}

/// A Secret with its data.
fn with_data(document: &Document, data: &BTreeMap<String, Value>) -> Option<String> {
    if document.kind != "Secret" {
        return None;
    }
    let mut secret = yaml::parse(&document.text).expect("a Secret");
    let name = secret["metadata"]["name"].as_str().expect("a name");
    let data = data.get(name)?;
    secret["data"] = json!(data);
    Some(yaml::to_string(&secret))
}

fn append(folder: &Path, document: &Document, text: &str) {
    assert!(!text.contains("{{"), "Helm would compute something");
    let (_, path) = document.template.split_once('/').expect("a chart's name");
    let path = folder.join(path);
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder for the template");
    let file = OpenOptions::new().create(true).append(true).open(path);
    let mut file = file.expect("a template");
    write!(file, "---\n{text}\n").expect("a template");
}
