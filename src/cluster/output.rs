//! What the containers of a Job or a Pod have written.

use futures::future::join_all;
use serde_json::Value;

use super::call::Call;
use super::diagnosis::{KnownValues, printable, secrets};
use super::owner;
use super::path::{Address, Uri};
use super::{Cluster, Error};
use crate::manifest::ResourceId;

/// How many bytes of a log are read at most, from its beginning.
const BYTES: &str = "1048576";

/// What one container has written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The pod.
    pub pod: String,
    /// The container.
    pub container: String,
    /// The text, without what moves a terminal's cursor, the values of the Secrets that the pods use and what
    /// looks like a secret; or why it cannot be read.
    pub text: Result<String, String>,
}

impl Cluster {
    /// Reads what the containers of a Pod have written, or those of the pods of a Job: up to 1 MiB of
    /// each. Other kinds have no containers.
    ///
    /// # Errors
    /// A refusal to read the pods.
    pub async fn output(&self, id: &ResourceId) -> Result<Vec<Output>, Error> {
        let place = self.namespace_of(owner::pods(), id.namespace.as_deref());
        let pods = match id.kind.as_str() {
            "Pod" => {
                let at = at(place, &id.name);
                self.get(&at).await?.into_iter().collect()
            }
            "Job" => {
                let selector = format!("job-name={}", id.name);
                self.list(owner::pods(), place, &selector).await?
            }
            _ => vec![],
        };
        let known = self.values_used_by(&pods).await;
        let known = &known;
        let containers = pods.iter().flat_map(containers);
        let reads = containers.map(|(pod, container)| async move {
            let text = self.whole_log(&at(place, pod), container).await;
            Output {
                pod: pod.to_owned(),
                container: container.to_owned(),
                text: text
                    .map(|text| printable(&known.hide(&text)))
                    .map_err(|error| error.to_string()),
            }
        });
        Ok(join_all(reads).await)
    }

    async fn values_used_by(&self, pods: &[Value]) -> KnownValues {
        let names = pods.iter().map(|pod| {
            let place = pod.pointer("/metadata/namespace").and_then(Value::as_str);
            (place.unwrap_or(&self.namespace), secrets::used_by(pod))
        });
        let names: Vec<_> = names.collect();
        let names = names.iter().flat_map(|(place, names)| {
            let names = names.iter();
            names.map(|name| (*place, name.as_str()))
        });
        self.known_values(names.collect()).await
    }

    async fn whole_log(&self, at: &Address<'_>, container: &str) -> Result<String, Error> {
        let uri = Uri::new(format!("{}/log", at.path("get")?))
            .with("container", container)
            .with("limitBytes", BYTES);
        let call = Call::get(at.subject("get"), &uri)?.accept("*/*");
        let answer = self.send(&call).await?;
        Ok(String::from_utf8_lossy(&answer.body).into_owned())
    }
}

fn at<'a>(namespace: Option<&'a str>, name: &'a str) -> Address<'a> {
    Address {
        kind: owner::pods(),
        namespace,
        name,
    }
}

/// The containers of a pod, each with the name of the pod; init containers first.
fn containers(pod: &Value) -> impl Iterator<Item = (&str, &str)> {
    let name = pod.pointer("/metadata/name").and_then(Value::as_str);
    let name = name.unwrap_or_default();
    let lists = ["/spec/initContainers", "/spec/containers"];
    let lists = lists.into_iter();
    let all = lists.filter_map(|list| pod.pointer(list)?.as_array());
    let names = all.flatten().filter_map(|one| one.get("name")?.as_str());
    names.map(move |container| (name, container))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn init_containers_come_first() {
        let pod = json!({"metadata": {"name": "reach"}, "spec": {
            "containers": [{"name": "app"}, 3], "initContainers": [{"name": "setup"}]}});
        let found: Vec<_> = containers(&pod).collect();
        assert_eq!(found, [("reach", "setup"), ("reach", "app")]);
        assert_eq!(containers(&json!(null)).count(), 0);
    }
}
