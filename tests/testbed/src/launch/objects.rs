//! The objects that a testbed begins with: simulated nodes and the default storage class. Plain
//! JSON goes out; creating them is left to the launcher.

use serde_json::{Value, json};

/// Returns a `List` of `nodes` nodes, spread over three zones, and the storage class `standard`.
///
/// kwok fills in the nodes' addresses and capacity, and provisions the class (`stages/`).
pub(super) fn initial(nodes: usize) -> Value {
    let mut items: Vec<Value> = (1..=nodes).map(node).collect();
    items.push(json!({
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": "standard",
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": "testbed/hostpath",
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "Immediate",
    }));
    json!({"apiVersion": "v1", "kind": "List", "items": items})
}

fn node(number: usize) -> Value {
    let name = format!("node-{number}");
    let zone = format!("zone-{}", (number - 1) % 3 + 1);
    json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "annotations": {"kwok.x-k8s.io/node": "fake"},
            "labels": {
                "kubernetes.io/arch": "amd64",
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "topology.kubernetes.io/zone": zone,
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::initial;

    #[track_caller]
    fn check(nodes: usize, expected: &[&str]) {
        let list = initial(nodes);
        let items = list["items"].as_array().unwrap();
        let names: Vec<&str> = items
            .iter()
            .map(|item| item["metadata"]["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, expected);
    }

    #[test]
    fn lists_nodes_and_class() {
        check(0, &["standard"]);
        check(2, &["node-1", "node-2", "standard"]);
    }

    #[test]
    fn zones_repeat_after_three_nodes() {
        let list = initial(4);
        let zone = |index: usize| {
            let labels = &list["items"][index]["metadata"]["labels"];
            labels["topology.kubernetes.io/zone"].as_str().unwrap()
        };
        assert_eq!([zone(0), zone(2), zone(3)], ["zone-1", "zone-3", "zone-1"]);
    }
}
