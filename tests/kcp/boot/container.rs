//! The container of a pod as a command line.

use std::collections::BTreeMap;

use serde_json::Value;

use super::volume::Mount;
use super::{Scene, json};

/// What has to run, and how to see that it is ready.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Container {
    /// The name of its pod.
    pub(super) pod: String,
    /// The name of its program.
    pub(super) program: String,
    /// Its arguments.
    pub(super) arguments: Vec<String>,
    /// Its whole environment.
    pub(super) environment: BTreeMap<String, String>,
    /// Where its readiness probe asks, as address and path.
    pub(super) probe: (String, String),
}

impl Container {
    /// Translates the only container of a pod to this machine.
    ///
    /// # Panics
    /// If the pod has more containers, or its environment comes from what is not there.
    pub(super) fn of(pod: &Value, mounts: &[Mount], scene: &Scene) -> Self {
        let containers = json::list(pod, "/spec/containers");
        let [container] = containers else {
            panic!("{} has {} containers", json::name(pod), containers.len());
        };
        assert!(json::list(pod, "/spec/initContainers").is_empty());
        let environment = environment(pod, container, scene);
        let words = ["/command", "/args"].into_iter();
        let words = words.flat_map(|field| json::list(container, field));
        let mut words = words.map(|word| expand(word.as_str().unwrap(), &environment));
        let program = words.next().unwrap();
        let mut arguments: Vec<_> = words
            .map(|word| translate(&word, pod, mounts, scene))
            .collect();
        if arguments
            .iter()
            .any(|word| word.starts_with("--secure-port="))
        {
            arguments.push("--bind-address=127.0.0.1".to_owned());
        }
        Self {
            pod: json::name(pod).to_owned(),
            program,
            arguments,
            environment,
            probe: probe(pod, container, scene),
        }
    }
}

fn environment(pod: &Value, container: &Value, scene: &Scene) -> BTreeMap<String, String> {
    let mut environment = BTreeMap::new();
    for variable in json::list(container, "/env") {
        let value = match variable.get("valueFrom") {
            Some(source) => referred(pod, source, scene),
            None => expand(json::text(variable, "/value"), &environment),
        };
        environment.insert(json::text(variable, "/name").to_owned(), value);
    }
    environment
}

/// The value of a variable that comes from elsewhere.
fn referred(pod: &Value, source: &Value, scene: &Scene) -> String {
    if let Some(field) = source.get("fieldRef") {
        let path = json::text(field, "/fieldPath").replace('.', "/");
        return json::text(pod, &format!("/{path}")).to_owned();
    }
    let (kind, reference) = source.as_object().unwrap().iter().next().unwrap();
    let (name, key) = (
        json::text(reference, "/name"),
        json::text(reference, "/key"),
    );
    let data = match kind.as_str() {
        "secretKeyRef" => scene.snapshot.secret(name, key),
        "configMapKeyRef" => scene.snapshot.config_map(name, key),
        _ => panic!("a variable of an unknown source: {source}"),
    };
    let data = data.unwrap_or_else(|| panic!("{kind} {name} has no {key}"));
    String::from_utf8(data).unwrap()
}

/// Replaces `$(NAME)` as kubelets do: what is unknown stays, and `$$` is a dollar.
fn expand(text: &str, environment: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let name = rest
            .strip_prefix("$(")
            .and_then(|rest| rest.split_once(')'));
        if let Some(after) = rest.strip_prefix("$$") {
            out.push('$');
            rest = after;
        } else if let Some((value, after)) =
            name.and_then(|(name, after)| Some((environment.get(name)?, after)))
        {
            out.push_str(value);
            rest = after;
        } else {
            out.push('$');
            rest = &rest[1..];
        }
    }
    out + rest
}

/// Puts paths, names and ports of this machine in the place of those of the pod.
fn translate(word: &str, pod: &Value, mounts: &[Mount], scene: &Scene) -> String {
    let mut word = scene.network.translate(word);
    for mount in mounts {
        let folder = format!("={}/", mount.folder.display());
        word = word.replace(&format!("={}/", mount.path), &folder);
    }
    let own = |port: &str| scene.network.port(json::name(pod), port.parse().ok()?);
    if let Some(port) = word.strip_prefix("--secure-port=").and_then(own) {
        return format!("--secure-port={port}");
    }
    if let Some((before, port)) = word.rsplit_once("://0.0.0.0:")
        && let Some(port) = own(port)
    {
        return format!("{before}://127.0.0.1:{port}");
    }
    word
}

fn probe(pod: &Value, container: &Value, scene: &Scene) -> (String, String) {
    let Some(probe) = container.pointer("/readinessProbe/httpGet") else {
        panic!("{} has no readiness probe by HTTP", json::name(pod));
    };
    let scheme = json::text(probe, "/scheme").to_lowercase();
    let address = scene.network.address_of(pod, json::text(probe, "/port"));
    (
        format!("{scheme}://{address}"),
        json::text(probe, "/path").to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let environment = [("A", "1"), ("B", "$(A)")];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(expand(text, &environment.into()), expected);
    }

    #[test]
    fn variables_are_expanded_as_kubelets_do() {
        check("--x=$(A)", "--x=1");
        check("$(A)$(A) $(A", "11 $(A");
        check("$(C) $A $", "$(C) $A $");
        check("$$(A) $$$(A)", "$(A) $1");
        check("$(B)", "$(A)");
    }
}
