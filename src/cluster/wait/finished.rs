//! What has run to its end, and is done whether it is still there or not.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use super::{ResourceId, text};
use crate::health;

/// The resources that were seen to have finished, with their uids.
#[derive(Default)]
pub(in crate::cluster) struct Finished(BTreeMap<ResourceId, String>);

/// Takes note of a resource, and tells whether it has finished: it, and not another of its name.
pub(super) fn note(finished: &Mutex<Finished>, id: &ResourceId, live: Option<&Value>) -> bool {
    let mut finished = finished.lock().unwrap_or_else(PoisonError::into_inner);
    finished.note(id, live)
}

impl Finished {
    fn note(&mut self, id: &ResourceId, live: Option<&Value>) -> bool {
        let Some(live) = live else {
            return self.0.contains_key(id);
        };
        let uid = text(live, "/metadata/uid");
        if health::has_finished(live) {
            self.0.insert(id.clone(), uid.to_owned());
        } else if self.0.get(id).is_some_and(|known| known != uid) {
            self.0.remove(id);
        }
        self.0.contains_key(id)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::cluster::Wait;
    use crate::cluster::tests::{answer, mock};
    use crate::health::Condition;

    #[test]
    fn a_pod_that_has_finished_is_done_until_there_is_another() {
        let id = ResourceId {
            group: String::new(),
            kind: "Pod".to_owned(),
            namespace: None,
            name: "once".to_owned(),
        };
        let pod = |uid: &str, phase: &str, is_leaving: bool| {
            let deleted = is_leaving.then_some("2026-11-21T10:00:00Z");
            json!({"apiVersion": "v1", "kind": "Pod", "status": {"phase": phase},
                "metadata": {"name": "once", "uid": uid, "deletionTimestamp": deleted}})
        };
        let mut finished = Finished::default();
        let mut check = |live: Option<Value>, expected: bool| {
            assert_eq!(finished.note(&id, live.as_ref()), expected, "{live:?}");
        };
        check(None, false);
        check(Some(pod("1", "Running", false)), false);
        check(None, false);
        check(Some(pod("2", "Succeeded", true)), false);
        check(None, false);
        check(Some(pod("3", "Succeeded", false)), true);
        check(Some(pod("3", "Succeeded", true)), true);
        check(None, true);
        check(Some(pod("4", "Pending", false)), false);
        check(None, false);
    }

    #[tokio::test(start_paused = true)]
    async fn what_one_wait_has_seen_to_finish_the_next_one_does_not_need() {
        let (cluster, asked) = mock(|_, number| async move {
            let job = json!({"metadata": {"name": "migrate", "uid": "1"},
                "status": {"conditions": [{"type": "Complete", "status": "True"}]}});
            let items = match number {
                1 => json!([job]),
                _ => json!([]),
            };
            let list = json!({"metadata": {"resourceVersion": "10"}, "items": items});
            Ok(answer(200, &list.to_string()))
        });
        let id = ResourceId {
            group: "batch".to_owned(),
            kind: "Job".to_owned(),
            namespace: Some("shop".to_owned()),
            name: "migrate".to_owned(),
        };
        let kind = crate::builtin::kind("batch", "Job").unwrap().clone();
        let wait = Wait {
            wanted: &[(id, kind)],
            until: Condition::Ready,
            deadline: Duration::from_secs(1),
            since: Timestamp::UNIX_EPOCH,
        };
        for _ in 0..2 {
            cluster.wait_for(wait, &mut |_, _| ()).await.unwrap();
        }
        assert_eq!(asked.lock().unwrap().len(), 2);
    }
}
