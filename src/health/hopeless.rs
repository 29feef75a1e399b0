//! Whether a pod that is not ready can still become so without anybody doing anything.
//!
//! A wait that ends too early is worse than one that ends late: it makes a failure of what would
//! have come. So only this is final:
//!
//! - an image name that is none, because only another template heals it;
//! - an image that its registry does not have or does not give, and one that may not be pulled and
//!   is not on the node. A registry that does not answer may come back, so it is waited for;
//! - a program that has crashed again and again, more often than one that waits for its database.
//!
//! All else is left to the deadline: a pod fits when a node or a quota grows; a probe succeeds when
//! what it asks for is there; `CreateContainerConfigError` ends as soon as the missing Secret,
//! ConfigMap or key appears, which other controllers may write at any time.

use std::collections::BTreeMap;

use serde_json::Value;

use super::pod::{Trouble, containers, name, trouble};
use super::{count, group, number, text, unobserved};

/// After how many restarts a program that goes on crashing is given up. With the pauses of a kubelet
/// (10 s, doubling) the fifth comes after two and a half minutes.
const RESTARTS: i64 = 5;

/// By what pods of a workload's newest template are told from older ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Template {
    /// Their replica set has this value of `deployment.kubernetes.io/revision`.
    Revision(String),
    /// They have this value of the label `controller-revision-hash`.
    Hash(String),
    /// There is one template only.
    Only,
}

/// The annotation that numbers a Deployment's templates, on itself and on its replica sets.
pub const REVISION: &str = "/metadata/annotations/deployment.kubernetes.io~1revision";

/// Returns how the pods of the newest template of a workload are known; none where that cannot be
/// told: the controller has not seen the newest template yet, or it is neither a
/// Deployment nor a `StatefulSet` nor a Job. The template of a `DaemonSet`'s pods can only be found among its `ControllerRevision`s,
/// which few may read.
pub fn newest_template(live: &Value) -> Option<Template> {
    match (group(live), text(live, "/kind")?) {
        ("batch", "Job") => return Some(Template::Only),
        ("apps", "Deployment" | "StatefulSet") => {}
        _ => return None,
    }
    if unobserved(live, number(live, "/status/observedGeneration")).is_some() {
        return None;
    }
    let template = text(live, "/status/updateRevision").map(|hash| Template::Hash(hash.to_owned()));
    template.or_else(|| Some(Template::Revision(text(live, REVISION)?.to_owned())))
}

/// What a pod had come to before a wait began, which says nothing about what is awaited: the
/// database that it lacked may be there by now. Such a state counts when it comes again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Past(BTreeMap<String, Container>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Container {
    /// What the container waited for; none when it has been in another state since.
    waited: Option<String>,
    /// After how many restarts its crashes count.
    enough: i64,
}

impl Past {
    /// Takes note of a pod as it is first seen. A pod that is new has the default, an empty past.
    pub fn of(pod: &Value) -> Self {
        let container = |one: &Value| {
            let waited = reason(one).map(str::to_owned);
            let more = match waited.as_deref() {
                // It has shown before that it goes on crashing, and need show it but once more.
                Some("CrashLoopBackOff") => 1,
                _ => RESTARTS,
            };
            let enough = count(one, "/restartCount").saturating_add(more);
            (name(one).to_owned(), Container { waited, enough })
        };
        Self(containers(pod).map(container).collect())
    }

    /// Forgets the states that have changed since.
    pub fn forget(&mut self, pod: &Value) {
        for container in containers(pod) {
            if let Some(past) = self.0.get_mut(name(container))
                && past.waited.as_deref() != reason(container)
            {
                past.waited = None;
            }
        }
    }

    fn waited(&self, container: &Value) -> Option<&str> {
        self.0.get(name(container))?.waited.as_deref()
    }

    fn enough(&self, container: &Value) -> i64 {
        let past = self.0.get(name(container));
        past.map_or(RESTARTS, |past| past.enough.max(RESTARTS))
    }
}

/// Returns what keeps a pod from ever becoming ready by itself, if anything does.
///
/// How often the pods of a Job may crash is said by its `backoffLimit`, which its controller holds.
pub fn hopeless(pod: &Value, past: &Past) -> Option<Trouble> {
    let ends = text(pod, "/metadata/deletionTimestamp").is_some();
    let is_counted = text(pod, "/metadata/ownerReferences/0/kind") == Some("Job");
    let is_final = |container: &Value| match reason(container) {
        Some("InvalidImageName") => true,
        // Somebody has to bring the image to the node, and the kubelet does not.
        Some(reason @ "ErrImageNeverPull") => past.waited(container) != Some(reason),
        Some(reason @ "ImagePullBackOff") => {
            let said = text(container, "/state/waiting/message").unwrap_or_default();
            past.waited(container) != Some(reason) && is_denied(said)
        }
        Some("CrashLoopBackOff") => {
            !is_counted && count(container, "/restartCount") >= past.enough(container)
        }
        _ => false,
    };
    if ends || !containers(pod).any(is_final) {
        return None;
    }
    trouble(pod)
}

fn reason(container: &Value) -> Option<&str> {
    text(container, "/state/waiting/reason")
}

/// What stands in messages about a registry that gives no answer, or about a node that cannot keep
/// what it got; a later try may well succeed.
const PASSING: [&str; 13] = [
    "dial tcp",
    "timeout",
    "deadline exceeded",
    "connection re",
    "no such host",
    "tls:",
    "x509:",
    "eof",
    "registry is unavailable",
    "too many requests",
    "toomanyrequests",
    "content digest",
    "no space left",
];

/// What registries say through containerd, CRI-O and Docker when they do not have an image, or not
/// for whom is asking. The blanks keep names of images from being taken for it.
const DENIED: [&str; 13] = [
    ": not found",
    " not found:",
    "manifest unknown",
    "name unknown",
    "does not exist",
    "pull access denied",
    "access denied",
    "is denied",
    "denied: ",
    "unauthorized: ",
    "401 unauthorized",
    "403 forbidden",
    "authorization failed",
];

/// Whether a registry has said that there is no such image, or that it may not be pulled. Kubelets
/// before 1.32 do not repeat in back-off what it said, so there the deadline has to end the wait.
fn is_denied(message: &str) -> bool {
    let message = message.to_lowercase();
    let says = |part: &&str| message.contains(*part);
    !PASSING.iter().any(says) && DENIED.iter().any(says)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(reason: &str, message: &str, restarts: i64) -> Value {
        json!({"metadata": {"name": "web-0"}, "status": {"phase": "Pending", "containerStatuses": [
            {"name": "log", "state": {"running": {}}, "ready": true, "restartCount": 90},
            {"name": "app", "restartCount": restarts,
                "lastState": {"terminated": {"exitCode": 1, "reason": "Error"}},
                "state": {"waiting": {"reason": reason, "message": message}}}]}})
    }

    #[track_caller]
    fn check(pod: &Value, past: &Past, want: Option<&str>) {
        let got = hopeless(pod, past).map(|trouble| trouble.to_string());
        assert_eq!(got.as_deref(), want);
    }

    #[track_caller]
    fn check_pull(cause: &str, want: Option<&str>) {
        let said = format!("Back-off pulling image \"r.example/a/app:1\": ErrImagePull: {cause}");
        let pulling = pod("ImagePullBackOff", &said, 0);
        let got = hopeless(&pulling, &Past::default()).and_then(|trouble| trouble.container);
        assert_eq!(got.as_deref(), want, "{cause}");
        // What was just tried is tried again before it counts.
        let trying = pod("ErrImagePull", cause, 0);
        check(&trying, &Past::default(), None);
    }

    #[test]
    fn crashes_count_when_there_are_many() {
        let none = Past::default();
        let crash = |restarts| pod("CrashLoopBackOff", "back-off 5m0s", restarts);
        check(&crash(4), &none, None);
        let said = "container app: CrashLoopBackOff: exit code 1, 5 restarts";
        check(&crash(5), &none, Some(said));
        let mut ending = crash(5);
        ending["metadata"]["deletionTimestamp"] = json!("2026-11-21T10:00:00Z");
        check(&ending, &none, None);
        let mut job = crash(9);
        job["metadata"]["ownerReferences"] = json!([{"kind": "Job", "name": "once"}]);
        check(&job, &none, None);
        let mut init = crash(5);
        let list = init["status"]["containerStatuses"].take();
        init["status"]["initContainerStatuses"] = list;
        check(&init, &none, Some(said));
    }

    #[test]
    fn crashes_of_the_past_do_not_count() {
        let crash = |restarts| pod("CrashLoopBackOff", "back-off 5m0s", restarts);
        let past = Past::of(&crash(7));
        check(&crash(7), &past, None);
        let said = "container app: CrashLoopBackOff: exit code 1, 8 restarts";
        check(&crash(8), &past, Some(said));
        // One that was well begins anew, however often it has crashed in its life.
        let past = Past::of(&pod("", "", 40));
        check(&crash(44), &past, None);
        let said = "container app: CrashLoopBackOff: exit code 1, 45 restarts";
        check(&crash(45), &past, Some(said));
    }

    #[test]
    fn pulls_of_the_past_do_not_count() {
        let said = "Back-off pulling image \"a\": ErrImagePull: a:1: not found";
        let pulling = pod("ImagePullBackOff", said, 0);
        let mut past = Past::of(&pulling);
        past.forget(&pulling);
        check(&pulling, &past, None);
        past.forget(&pod("ErrImagePull", "a:1: not found", 0));
        past.forget(&pulling);
        assert!(hopeless(&pulling, &past).is_some());
    }

    #[test]
    fn what_a_registry_does_not_have_or_give_is_final() {
        for cause in [
            "rpc error: code = NotFound desc = failed to pull and unpack image \
             \"r.example/a/app:1\": failed to resolve reference \"r.example/a/app:1\": \
             r.example/a/app:1: not found",
            "failed to resolve reference \"docker.io/a/app:1\": pull access denied, repository does \
             not exist or may require authorization: server message: insufficient_scope: \
             authorization failed",
            "failed to authorize: failed to fetch anonymous token: unexpected status from GET \
             request to https://r.example/token: 401 Unauthorized",
            "unexpected status from HEAD request to https://r.example/v2/a: 403 Forbidden",
            "reading manifest 1 in r.example/a/app: manifest unknown",
            "reading manifest 1 in r.example/a/app: unauthorized: authentication required",
            "Error response from daemon: manifest for a/app:1 not found: manifest unknown",
            "no match for platform in manifest sha256:4bc: not found",
        ] {
            check_pull(cause, Some("app"));
        }
    }

    #[test]
    fn a_registry_that_does_not_answer_may_come_back() {
        for cause in [
            "",
            "failed to do request: Head \"https://r.example/v2/a\": dial tcp: lookup r.example: \
             no such host",
            "dial tcp 192.0.2.1:443: connect: connection refused",
            "dial tcp: lookup r.example on 10.0.0.10:53: server misbehaving: name not found: x",
            "Head \"https://r.example/v2/not-found/unauthorized\": net/http: TLS handshake timeout",
            "unexpected status from HEAD request to https://r.example/v2/a: 503 Service Unavailable",
            "429 Too Many Requests - toomanyrequests: You have reached your pull rate limit",
            "failed to extract layer: content digest sha256:4bc: not found",
            "tls: failed to verify certificate: x509: certificate signed by unknown authority",
            "image pull failed for a because the registry is unavailable: unauthorized: x",
        ] {
            check_pull(cause, None);
        }
    }

    #[test]
    fn other_reasons_are_left_to_the_deadline() {
        let none = Past::default();
        check(
            &pod(
                "CreateContainerConfigError",
                "couldn't find key a in Secret b: not found",
                9,
            ),
            &none,
            None,
        );
        check(&pod("ContainerCreating", "", 9), &none, None);
        assert!(hopeless(&pod("InvalidImageName", "", 0), &none).is_some());
        let never = pod("ErrImageNeverPull", "", 0);
        assert!(hopeless(&never, &none).is_some());
        check(&never, &Past::of(&never), None);
        check(
            &json!({"status": {"conditions": [{"type": "PodScheduled", "status": "False"}]}}),
            &none,
            None,
        );
        check(&json!(null), &none, None);
        check(
            &json!({"status": {"containerStatuses": [3, {"state": 1}]}}),
            &none,
            None,
        );
    }

    #[test]
    fn templates_are_known_when_the_controller_has_seen_them() {
        let of = |kind: &str, observed: i64| {
            newest_template(&json!({"apiVersion": "apps/v1", "kind": kind,
                "metadata": {"generation": 2,
                    "annotations": {"deployment.kubernetes.io/revision": "7"}},
                "status": {"observedGeneration": observed}}))
        };
        assert_eq!(
            of("Deployment", 2),
            Some(Template::Revision("7".to_owned()))
        );
        assert_eq!(of("Deployment", 1), None);
        assert_eq!(of("DaemonSet", 2), None);
        let set = json!({"apiVersion": "apps/v1", "kind": "StatefulSet",
            "metadata": {"generation": 2},
            "status": {"observedGeneration": 2, "updateRevision": "web-5d8"}});
        assert_eq!(
            newest_template(&set),
            Some(Template::Hash("web-5d8".to_owned()))
        );
        let job = json!({"apiVersion": "batch/v1", "kind": "Job"});
        assert_eq!(newest_template(&job), Some(Template::Only));
        assert_eq!(newest_template(&json!(null)), None);
    }
}
