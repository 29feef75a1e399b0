//! Waiting until resources do not exist any more.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::{Cluster, Error, Goal, Kind, ResourceId, Scope, Unready, text};
use crate::health::Health;

/// The resources that still exist, with the first uid seen and why they do.
#[derive(Default)]
struct Gone {
    uids: BTreeMap<ResourceId, String>,
    left: BTreeMap<ResourceId, String>,
}

impl Goal for Gone {
    fn note(&mut self, id: &ResourceId, live: Option<&Value>) {
        let Some(live) = live else {
            self.left.remove(id);
            return;
        };
        let uid = text(live, "/metadata/uid");
        let first = self
            .uids
            .entry(id.clone())
            .or_insert_with(|| uid.to_owned());
        if first == uid {
            self.left.insert(id.clone(), why_here(live));
        } else {
            // Another of the same name, made by whoever looks after it.
            self.left.remove(id);
        }
    }

    fn is_decided(&self) -> bool {
        self.left.is_empty()
    }

    fn is_settled(&self, _: &Scope<'_>, live: &[Value]) -> bool {
        live.is_empty()
    }
}

fn why_here(live: &Value) -> String {
    if text(live, "/metadata/deletionTimestamp").is_empty() {
        return "not being deleted".to_owned();
    }
    let finalizers = live
        .pointer("/metadata/finalizers")
        .and_then(Value::as_array);
    let held: Vec<&str> = finalizers
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if held.is_empty() {
        "being deleted".to_owned()
    } else if held == ["foregroundDeletion"] {
        "being deleted, as soon as what it owns is gone, such as its pods".to_owned()
    } else {
        format!("being deleted, held by {}", held.join(", "))
    }
}

impl Cluster {
    /// Waits until none of the resources exists any more, for at most `deadline`.
    ///
    /// A resource that somebody has created again counts as gone.
    ///
    /// # Errors
    /// [`Error::NotGone`] with every resource that is left and what holds it; a refusal to list or
    /// watch.
    pub async fn wait_gone(
        &self,
        wanted: &[(ResourceId, Kind)],
        deadline: Duration,
    ) -> Result<(), Error> {
        let uids = BTreeMap::new();
        self.wait_gone_of(wanted, uids, deadline).await
    }

    /// The same, where the uids of some are known: others of their names, which somebody may have made before
    /// this looks, count as gone from the beginning.
    ///
    /// # Errors
    /// As [`wait_gone`](Self::wait_gone).
    pub async fn wait_gone_of(
        &self,
        wanted: &[(ResourceId, Kind)],
        uids: BTreeMap<ResourceId, String>,
        deadline: Duration,
    ) -> Result<(), Error> {
        let ids = wanted
            .iter()
            .map(|(id, _)| (id.clone(), "unknown".to_owned()));
        let mut goal = Gone {
            left: ids.collect(),
            uids,
        };
        if let Ok(Err(error)) = tokio::time::timeout(deadline, self.pursue(wanted, &mut goal)).await
        {
            return Err(error);
        }
        if goal.left.is_empty() {
            return Ok(());
        }
        let left = goal.left.into_iter();
        let resources = left.map(|(id, reason)| Unready::new(id, Health::InProgress(reason)));
        Err(Error::NotGone {
            resources: resources.collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cluster::tests::{answer, mock};

    fn id() -> ResourceId {
        ResourceId {
            group: "apps".to_owned(),
            kind: "Deployment".to_owned(),
            namespace: Some("shop".to_owned()),
            name: "web".to_owned(),
        }
    }

    #[test]
    fn another_of_the_same_name_is_not_waited_for() {
        let mut goal = Gone {
            left: BTreeMap::from([(id(), String::new())]),
            ..Gone::default()
        };
        goal.note(&id(), Some(&json!({"metadata": {"uid": "1"}})));
        assert_eq!(goal.left[&id()], "not being deleted");
        let mut held_by = |finalizer: &str| {
            let since = "2026-11-21T10:00:00Z";
            let live = json!({"metadata":
                {"uid": "1", "deletionTimestamp": since, "finalizers": [finalizer]}});
            goal.note(&id(), Some(&live));
            goal.left[&id()].clone()
        };
        assert_eq!(
            held_by("example.com/hold"),
            "being deleted, held by example.com/hold"
        );
        assert_eq!(
            held_by("foregroundDeletion"),
            "being deleted, as soon as what it owns is gone, such as its pods"
        );
        assert!(!goal.is_decided());
        goal.note(&id(), Some(&json!({"metadata": {"uid": "2"}})));
        assert!(goal.is_decided());
    }

    #[tokio::test(start_paused = true)]
    async fn a_successor_that_was_there_first_counts_as_gone() {
        let check = async |uid: &str, is_gone: bool| {
            let (cluster, _) = mock(|request, _| async move {
                let query = request.uri().query().unwrap_or_default();
                if query.contains("watch=true") {
                    return std::future::pending().await;
                }
                let items = json!([{"metadata": {"name": "web", "uid": "2"}}]);
                let list = json!({"metadata": {"resourceVersion": "7"}, "items": items});
                Ok(answer(200, &list.to_string()))
            });
            let wanted = [(id(), Kind::core("Secret", "secrets"))];
            let uids = BTreeMap::from([(id(), uid.to_owned())]);
            let deadline = Duration::from_secs(9);
            let result = cluster.wait_gone_of(&wanted, uids, deadline).await;
            assert_eq!(result.is_ok(), is_gone, "{uid}");
        };
        check("1", true).await;
        check("2", false).await;
    }
}
