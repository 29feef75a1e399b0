//! That nodes pull what they do not have.

use lab::place::Place;
use serde_json::Value;

use crate::site::{Site, lab, output, shared, until};

/// An image that is in the registry alone.
const PULLED: &str = "docker.io/library/busybox:lab";

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
