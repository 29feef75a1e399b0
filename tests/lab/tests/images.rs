//! That nodes pull what they do not have, and are told what there is not.

use lab::place::Place;
use serde_json::Value;

use crate::site::{Site, lab, output, shared, until};

/// An image that is in the registry alone.
const PULLED: &str = "docker.io/library/busybox:lab";

/// An image that is nowhere.
const MISSING: &str = "registry.k8s.io/etcd:0.0.0";

/// A pod that goes with this value.
struct Pod<'a> {
    place: &'a Place,
    name: String,
}

impl<'a> Pod<'a> {
    fn run(site: &'a Site, name: &str, image: &str, command: &str) -> Self {
        let name = format!("{name}-{}", std::process::id());
        let image = format!("--image={image}");
        let run = ["run", &name, &image, "--command", "--", "sh", "-c", command];
        site.kubectl(&run);
        Self { place: site, name }
    }

    /// What the cluster says about its container.
    fn status(&self) -> Value {
        let mut kubectl = self.place.command("kubectl");
        kubectl.args(["get", "pod", &self.name, "--output=json"]);
        let pod: Value = serde_json::from_str(&output(&mut kubectl)).unwrap();
        pod["status"]["containerStatuses"][0].clone()
    }
}

impl Drop for Pod<'_> {
    fn drop(&mut self) {
        let mut kubectl = self.place.command("kubectl");
        let _ = kubectl
            .args(["delete", "pod", &self.name, "--grace-period=0", "--force"])
            .output();
    }
}

pub(crate) fn in_the_registry_alone() {
    let site = shared();
    let images = ["ctr", "--namespace=k8s.io", "images", "list", "--quiet"];
    // A new node has pulled nothing yet.
    output(lab().args(["node", "add", "bare-2", "--bare"]));
    let listed = output(lab().args(["node", "exec", "bare-2", "--"]).args(images));
    output(lab().args(["node", "remove", "bare-2"]));
    assert!(listed.contains("/pause:"), "{listed}");
    assert!(!listed.contains(PULLED), "{listed}");

    let pod = Pod::run(&site, "pulled", PULLED, "exec sleep 1000");
    until("a pod whose image is in the registry does not run", || {
        pod.status()["state"]["running"].is_object()
    });
}

pub(crate) fn that_is_nowhere() {
    let site = shared();
    let pod = Pod::run(&site, "missing", MISSING, "true");
    let mut seen = Value::Null;
    until("an image that is nowhere is not said to be missing", || {
        let waiting = pod.status()["state"]["waiting"].clone();
        let is_refused =
            waiting["reason"] == "ErrImagePull" || waiting["reason"] == "ImagePullBackOff";
        seen = waiting;
        is_refused
    });
    assert!(
        seen["message"].as_str().unwrap().contains("not found"),
        "{seen:#}"
    );
}

pub(crate) fn that_fails() {
    let site = shared();
    let pod = Pod::run(&site, "failing", PULLED, "exit 3");
    until("a container that fails is not restarted 5 times", || {
        pod.status()["restartCount"].as_u64() >= Some(5)
    });
    assert_eq!(pod.status()["lastState"]["terminated"]["exitCode"], 3);
}
