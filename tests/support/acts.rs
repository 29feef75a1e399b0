//! What others do to the resources of a place while a command is at work.

use ::testbed::Gateway;

use super::{Place, testbed};

impl Place {
    /// A way to the API server with the rights of this place, on which somebody can get in between.
    pub(crate) fn gateway(&self) -> Gateway {
        let kubectl = testbed().bin.join("kubectl");
        Gateway::start(&kubectl, self.kubeconfig(), self.folder()).unwrap()
    }

    /// Keeps a resource from being gone when it is deleted.
    pub(crate) fn hold(&self, resource: &str) {
        self.merge(
            resource,
            r#"{"metadata":{"finalizers":["test.pintle.dev/hold"]}}"#,
        );
    }

    /// Lets a resource go that was [held](Self::hold).
    pub(crate) fn let_go(&self, resource: &str) {
        self.merge(resource, r#"{"metadata":{"finalizers":null}}"#);
    }

    /// Lets the pods of a workload run that found no node.
    pub(crate) fn let_run(&self, workload: &str) {
        self.merge(
            workload,
            r#"{"spec":{"template":{"spec":{"nodeSelector":null}}}}"#,
        );
    }

    /// Lets a suspended Job run, and waits until it is complete.
    pub(crate) fn complete(&self, job: &str) {
        self.merge(job, r#"{"spec":{"suspend":false}}"#);
        self.wait_for("condition=complete", job);
    }

    /// Waits until a resource is being deleted.
    pub(crate) fn wait_for_deletion(&self, resource: &str) {
        self.wait_for("jsonpath={.metadata.deletionTimestamp}", resource);
    }

    /// Waits for a condition as `kubectl wait --for` has it.
    pub(crate) fn wait_for(&self, condition: &str, resource: &str) {
        let condition = format!("--for={condition}");
        self.kubectl(&["wait", &condition, resource, "--timeout=60s"])
            .ok();
    }

    /// Begins to uninstall the release `app`, and kills that when it has begun to delete a resource that is
    /// [held](Self::hold) for so long.
    pub(crate) fn kill_uninstallation(&self, held: &str) {
        self.hold(held);
        let started = self.start_pintle(&["uninstall", "app"]);
        self.wait_for_deletion(held);
        started.kill();
        self.let_go(held);
    }

    fn merge(&self, resource: &str, patch: &str) {
        self.kubectl(&["patch", resource, "--type=merge", "-p", patch])
            .ok();
    }
}
