//! What is shipped of Kubernetes' own kinds is what real API servers say.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use testbed::{Place, Running};

use crate::support::api;
use crate::support::schemas::openapi::{self, Minor};
use crate::support::schemas::{Documents, table};
use crate::support::{path, testbed};

/// The Go modules and folders that hold the API's types.
const GO: [(&str, &str); 4] = [
    ("k8s.io/api", ""),
    ("k8s.io/apimachinery", "pkg/apis"),
    ("k8s.io/apiextensions-apiserver", "pkg/apis"),
    ("k8s.io/kube-aggregator", "pkg/apis"),
];
/// The minors before the testbed's own whose API servers are asked as well.
const OLDER: [&str; 2] = ["1.34", "1.35"];
const DISCOVERY: &str = "application/json;v=v2;g=apidiscovery.k8s.io;as=APIGroupDiscoveryList";

#[test]
fn the_table_is_what_the_api_server_says() {
    let file = path("schemas/kubernetes-1.36.json");
    let documents = Documents {
        version: version(testbed()),
        discovery: discovery(testbed()),
        openapi: openapi(testbed()),
        go: go(&of_types),
    };
    assert!(documents.openapi.len() > 20 && documents.go.len() > 50);
    hold(&file, &table(&documents));
}

#[test]
fn the_schemas_are_what_the_api_server_of_each_minor_says() {
    let older = OLDER.map(|minor| Running::start_older(minor).expect("the testbed starts"));
    let places = older.iter().map(|running| &**running).chain([&**testbed()]);
    let minors: Vec<Minor> = places
        .map(|place| Minor {
            version: version(place),
            discovery: discovery(place),
            openapi: openapi(place),
        })
        .collect();
    let go = go(&|name| matches!(name, "register.go" | "zz_generated.prerelease-lifecycle.go"));
    assert!(minors.iter().all(|minor| minor.openapi.len() > 20) && go.len() > 50);
    let sources = self::go(&of_types);
    for older in &minors[..OLDER.len()] {
        let documents = Documents {
            version: older.version.clone(),
            discovery: older.discovery.clone(),
            openapi: older.openapi.clone(),
            go: sources.clone(),
        };
        check_older(&table(&documents));
    }
    hold(&path("schemas/openapi.json"), &openapi::text(&minors, &go));
}

/// Whether a Go file declares types of the API.
fn of_types(name: &str) -> bool {
    let is_other = name.ends_with("_test.go") || name.contains("swagger");
    name.starts_with("types") && !is_other
}

/// An alpha field that came with 1.35 and went with it. Being a mapping, it merges as what nothing is known of.
const GONE: &str = "core.v1.PodSpec.workloadRef";

/// Checks that what is shipped of how fields merge is true of an earlier minor as well, of all fields that it has.
#[track_caller]
fn check_older(older: &str) {
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let shipped = fs::read_to_string(path("schemas/kubernetes-1.36.json")).unwrap();
    let (shipped, older) = (read(&shipped), read(older));
    let types = older["types"].as_object().unwrap();
    assert!(types.len() > 250, "{} types", types.len());
    let mut others = vec![];
    for (name, fields) in types {
        for (field, form) in fields.as_object().unwrap() {
            let now = &shipped["types"][name][field];
            let field = format!("{name}.{field}");
            if now != form && field != GONE {
                others.push(format!("{field}: {form}, and {now} in 1.36"));
            }
        }
    }
    assert!(
        others.is_empty(),
        "{}:\n{}",
        older["version"],
        others.join("\n")
    );
}

/// Checks that a shipped file is `fresh`, or makes it so.
#[track_caller]
fn hold(file: &str, fresh: &str) {
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        fs::write(file, fresh).unwrap();
    }
    let shipped = fs::read_to_string(file).unwrap();
    assert!(
        fresh == shipped,
        "{file} is not what the API server says: run `make schemas`"
    );
}

fn version(place: &Place) -> String {
    let version = get(place, "/version", "application/json");
    version["gitVersion"].as_str().unwrap().to_owned()
}

/// Whether a group is Kubernetes' own, and not one that another test defines at the same time.
fn is_built_in(group: &str) -> bool {
    !group.contains('.') || group.ends_with(".k8s.io")
}

fn discovery(place: &Place) -> Vec<Value> {
    let mut lists = ["/api", "/apis"].map(|path| get(place, path, DISCOVERY));
    for list in &mut lists {
        let items = list["items"].as_array_mut().unwrap();
        items.retain(|item| is_built_in(item["metadata"]["name"].as_str().unwrap_or_default()));
    }
    lists.into()
}

fn openapi(place: &Place) -> Vec<Value> {
    let index = get(place, "/openapi/v3", "application/json");
    let paths = index["paths"].as_object().unwrap();
    let versions = paths
        .iter()
        .filter(|(path, _)| match path.split('/').collect::<Vec<_>>()[..] {
            ["api", _] => true,
            ["apis", group, _] => is_built_in(group),
            _ => false,
        });
    versions
        .map(|(_, entry)| {
            let path = entry["serverRelativeURL"].as_str().unwrap();
            get(place, path, "application/json")
        })
        .collect()
}

/// What the API server answers to a GET request as the administrator.
fn get(place: &Place, path: &str, accept: &str) -> Value {
    let request = http::Request::get(path)
        .header("Accept", accept)
        .body(vec![])
        .unwrap();
    let text = api::send(&place.kubeconfig, request).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The import path and text of each file of the API's Go modules whose name is `wanted`.
fn go(wanted: &dyn Fn(&str) -> bool) -> Vec<(String, String)> {
    let files = GO.into_iter();
    let files = files.flat_map(|(module, folder)| go_files(module, folder, wanted));
    files.collect()
}

fn go_files(module: &str, folder: &str, wanted: &dyn Fn(&str) -> bool) -> Vec<(String, String)> {
    let output = Command::new("go")
        .args(["list", "-m", "-f", "{{.Dir}}", module])
        .current_dir(path("tests/testbed/modules/kubernetes"))
        .output()
        .expect("go runs");
    let root = String::from_utf8(output.stdout).unwrap();
    let root = Path::new(root.trim());
    assert!(
        root.is_absolute(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut found = vec![];
    let mut open = vec![root.join(folder)];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let name = path.file_name().unwrap().to_str().unwrap();
            let is_go = path.extension().is_some_and(|extension| extension == "go");
            if is_go && wanted(name) {
                let package = folder.strip_prefix(root).unwrap().display().to_string();
                let import = format!("{module}/{package}");
                found.push((
                    import.trim_end_matches('/').to_owned(),
                    fs::read_to_string(&path).unwrap(),
                ));
            }
        }
    }
    found.sort();
    found
}
