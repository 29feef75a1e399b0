//! The table of Kubernetes' own kinds is what the real API server says.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::schemas::{Documents, table};
use crate::support::{path, testbed};

/// The Go modules and folders that hold the API's types.
const GO: [(&str, &str); 4] = [
    ("k8s.io/api", ""),
    ("k8s.io/apimachinery", "pkg/apis"),
    ("k8s.io/apiextensions-apiserver", "pkg/apis"),
    ("k8s.io/kube-aggregator", "pkg/apis"),
];
const DISCOVERY: &str = "application/json;v=v2;g=apidiscovery.k8s.io;as=APIGroupDiscoveryList";

#[test]
fn the_table_is_what_the_api_server_says() {
    let file = path("schemas/kubernetes-1.36.json");
    let documents = Documents {
        version: get("/version", "application/json")["gitVersion"]
            .as_str()
            .unwrap()
            .to_owned(),
        discovery: ["/api", "/apis"].map(|path| get(path, DISCOVERY)).into(),
        openapi: openapi(),
        go: GO
            .into_iter()
            .flat_map(|(module, folder)| go_files(module, folder))
            .collect(),
    };
    assert!(documents.openapi.len() > 20 && documents.go.len() > 50);
    let fresh = table(&documents);
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        fs::write(&file, &fresh).unwrap();
    }
    let shipped = fs::read_to_string(&file).unwrap();
    assert!(
        fresh == shipped,
        "{file} is not what the API server says: run `make schemas`"
    );
}

fn openapi() -> Vec<Value> {
    let index = get("/openapi/v3", "application/json");
    let paths = index["paths"].as_object().unwrap();
    let versions = paths.iter().filter(|(path, _)| {
        matches!(
            path.split('/').collect::<Vec<_>>()[..],
            ["api", _] | ["apis", _, _]
        )
    });
    versions
        .map(|(_, entry)| {
            get(
                entry["serverRelativeURL"].as_str().unwrap(),
                "application/json",
            )
        })
        .collect()
}

/// What the API server answers to a GET request as the administrator.
fn get(path: &str, accept: &str) -> Value {
    let kubeconfig = testbed().kubeconfig.clone();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let text = runtime.block_on(async {
        let kubeconfig = kube::config::Kubeconfig::read_from(kubeconfig).unwrap();
        let options = kube::config::KubeConfigOptions::default();
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options)
            .await
            .unwrap();
        let client = kube::Client::try_from(config).unwrap();
        let request = http::Request::get(path)
            .header("Accept", accept)
            .body(vec![])
            .unwrap();
        client.request_text(request).await.unwrap()
    });
    serde_json::from_str(&text).unwrap()
}

/// The import path and text of each file with types, below a folder of a Go module.
fn go_files(module: &str, folder: &str) -> Vec<(String, String)> {
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
            let is_other = name.ends_with("_test.go") || name.contains("swagger");
            if is_go && name.starts_with("types") && !is_other {
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
