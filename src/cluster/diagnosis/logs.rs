//! The last lines that a container has written.

use std::time::Duration;

use serde_json::Value;

use super::clean;
use super::known::KnownValues;
use super::pods::text;
use crate::cluster::call::Call;
use crate::cluster::owner;
use crate::cluster::path::{Address, Uri};
use crate::cluster::{Cluster, Error};
use crate::health::Trouble;

/// How many lines are asked for: more than the last ones that are told, as what waits for something says so
/// again and again, and why is said before.
const LINES: &str = "100";
/// How many bytes of them are sent at most. The kubelet cuts off the end, so it has to be enough for
/// all of them.
const BYTES: &str = "262144";
/// How long a kubelet may take; the API server itself waits longer for one that is gone.
const PATIENCE: Duration = Duration::from_secs(3);

/// A container and which of its runs is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Log {
    container: String,
    /// The runs, the most telling first; the next is read if one has written nothing.
    runs: Vec<Run>,
    /// What the container left behind when it ended.
    parting: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Run {
    Current,
    Previous,
}

impl Log {
    /// Chooses the run that tells why a pod is in trouble; none if nothing can have been written.
    pub(super) fn of(pod: &Value, trouble: &Trouble) -> Option<Self> {
        let container = trouble.container.clone()?;
        let lists = ["/status/initContainerStatuses", "/status/containerStatuses"];
        let all = lists
            .iter()
            .filter_map(|list| pod.pointer(list)?.as_array());
        let status = all.flatten().find(|one| text(one, "/name") == container)?;
        let has = |state: &str| status.pointer(state).is_some_and(Value::is_object);
        let mut runs = Vec::new();
        if has("/state/running") || has("/state/terminated") {
            runs.push(Run::Current);
        }
        if has("/lastState/terminated") {
            runs.push(Run::Previous);
        }
        let parting = ["/state/terminated/message", "/lastState/terminated/message"];
        let parting = parting.iter().map(|field| text(status, field));
        let parting = parting.into_iter().find(|said| !said.is_empty());
        (!runs.is_empty()).then(|| Self {
            container,
            runs,
            parting: parting.unwrap_or_default().to_owned(),
        })
    }
}

impl Cluster {
    /// Reads the last lines of a pod's container, cleaned; where there are none, what it left behind.
    pub(super) async fn log_of(
        &self,
        pod: (&str, &str),
        log: &Log,
        known: &KnownValues,
    ) -> Vec<String> {
        for run in &log.runs {
            let reading = self.read_log(pod, (&log.container, *run), known);
            match tokio::time::timeout(PATIENCE, reading).await {
                Ok(Ok(lines)) if lines.is_empty() => {}
                Ok(Ok(lines)) => return lines,
                // Not kept, or not to be read by whoever asks.
                Ok(Err(_)) => {}
                // The node is gone.
                Err(_) => break,
            }
        }
        clean::lines(&known.hide(&log.parting))
    }

    async fn read_log(
        &self,
        (namespace, pod): (&str, &str),
        (container, run): (&str, Run),
        known: &KnownValues,
    ) -> Result<Vec<String>, Error> {
        let at = Address {
            kind: owner::pods(),
            namespace: Some(namespace),
            name: pod,
        };
        let previous = match run {
            Run::Current => "",
            Run::Previous => "true",
        };
        let uri = Uri::new(format!("{}/log", at.path("get")?))
            .with("container", container)
            .with("tailLines", LINES)
            .with("limitBytes", BYTES)
            .with("previous", previous);
        let call = Call::get(at.subject("get"), &uri)?.accept("*/*");
        let answer = self.send(&call).await?;
        let text = String::from_utf8_lossy(&answer.body);
        // What a kubelet writes into the answer when the file is gone.
        let is_gone = text.starts_with("unable to retrieve container logs for");
        Ok(if is_gone {
            Vec::new()
        } else {
            clean::lines(&known.hide(&text))
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(status: &Value, want: Option<&[Run]>) {
        let mut status = status.clone();
        status["name"] = json!("app");
        let pod = json!({"metadata": {"name": "web"}, "status": {"containerStatuses": [status]}});
        let trouble = Trouble {
            container: Some("app".to_owned()),
            reason: String::new(),
        };
        let log = Log::of(&pod, &trouble);
        assert_eq!(log.as_ref().map(|log| log.runs.as_slice()), want);
    }

    #[test]
    fn the_run_that_failed_is_read() {
        let ended = json!({"terminated": {"exitCode": 1}});
        check(&json!({"state": {"waiting": {}}}), None);
        check(
            &json!({"state": {"waiting": {}}, "lastState": ended}),
            Some(&[Run::Previous]),
        );
        check(
            &json!({"state": ended, "lastState": {}}),
            Some(&[Run::Current]),
        );
        check(
            &json!({"state": {"running": {}}, "lastState": ended}),
            Some(&[Run::Current, Run::Previous]),
        );
        let whole = Trouble {
            container: None,
            reason: String::new(),
        };
        assert_eq!(Log::of(&json!({}), &whole), None);
    }
}
