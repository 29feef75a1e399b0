//! The rows of the table.

use std::fs;

use pintle::builtin;
use pintle::capabilities::Kind;
use pintle::health::Health;
use serde_json::{Map, Value, json};

use crate::support::path;

/// One object and what is said of it.
pub(super) struct Row {
    /// Its own name.
    pub(super) name: String,
    pub(super) kind: Kind,
    /// The name of the object, which is that of another row where something is only tried.
    object: String,
    /// The object as it is created.
    pub(super) first: Value,
    /// What is changed of it when it is ready.
    pub(super) then: Option<Value>,
    /// The status that is written.
    pub(super) status: Option<Value>,
    /// What is changed of it in a dry run.
    pub(super) tried: Option<Value>,
    pub(super) life: Life,
    pub(super) pintle: Said,
    pub(super) kubectl: Option<Verdict>,
    pub(super) helm: Option<Verdict>,
    /// Why pintle says otherwise than others.
    pub(super) why: Option<String>,
}

/// What is done with an object before it is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    /// It is created.
    Made,
    /// It is created, and deleted as far as its finalizer lets it.
    Deleted,
    /// The cluster has it already.
    There,
}

/// The kind of this name: Kubernetes' own, or the one that the table defines.
fn kind(name: &str, namespace: &str) -> Kind {
    let mut known = builtin::kinds().iter();
    match known.find(|kind| kind.kind == name) {
        Some(kind) => kind.clone(),
        None => Kind {
            group: format!("{namespace}.example.com"),
            ..Kind::core(name, &format!("{}s", name.to_lowercase()))
        },
    }
}

/// How far an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Ready,
    Waiting,
    Failed,
}

impl Verdict {
    fn read(row: &Value, peer: &str) -> Option<Self> {
        row.get(peer).map(|word| match word.as_str().unwrap() {
            "ready" => Self::Ready,
            "waiting" => Self::Waiting,
            "failed" => Self::Failed,
            other => panic!("{other} is no verdict"),
        })
    }

    /// Whether it is what pintle says. A condition that kubectl waits for is met or not: it knows of
    /// no failure but a deadline that was exceeded.
    pub(super) fn agrees_with(self, health: &Health) -> bool {
        match health {
            Health::Ready => self == Self::Ready,
            Health::InProgress(_) => self == Self::Waiting,
            Health::Failed(_) => self == Self::Failed,
        }
    }
}

/// What pintle has to say: `Ready`, or a reason after `…` or, of a failure, `!`. A `*` in it stands for
/// any text.
pub(super) struct Said(String);

impl Said {
    pub(super) fn is_said_by(&self, health: &Health) -> bool {
        let text = match health {
            Health::Ready => "Ready".to_owned(),
            Health::InProgress(reason) => format!("… {reason}"),
            Health::Failed(reason) => format!("! {reason}"),
        };
        let mut rest = text.as_str();
        let mut parts = self.0.split('*');
        let begins = parts.next().is_some_and(|part| {
            let cut = rest.strip_prefix(part);
            rest = cut.unwrap_or_default();
            cut.is_some()
        });
        let goes_on = parts.all(|part| match rest.find(part) {
            Some(at) => {
                rest = if part.is_empty() {
                    ""
                } else {
                    &rest[at + part.len()..]
                };
                true
            }
            None => false,
        });
        begins && goes_on && rest.is_empty()
    }
}

impl Row {
    fn read(row: &Value, namespace: &str) -> Self {
        let text = |key: &str| row.get(key).and_then(Value::as_str).map(str::to_owned);
        let of = text("of").expect("a kind");
        let kind = kind(&of, namespace);
        let name = text("name").expect("a name");
        let mut first = json!({
            "apiVersion": kind.api_version(),
            "kind": kind.kind,
            "metadata": {"name": name},
        });
        if let Some(spec) = default_spec(&kind.kind, &name) {
            first["spec"] = spec;
        }
        for part in [
            "metadata",
            "spec",
            "data",
            "provisioner",
            "volumeBindingMode",
        ] {
            if let Some(own) = row.get(part) {
                merge(&mut first[part], own);
            }
        }
        let life = match (row.get("deleted"), row.get("there")) {
            (Some(_), _) => Life::Deleted,
            (None, Some(_)) => Life::There,
            (None, None) => Life::Made,
        };
        if life == Life::Deleted {
            first["metadata"]["finalizers"] = json!(["example.com/hold"]);
        }
        Self {
            kind,
            object: text("on").unwrap_or_else(|| name.clone()),
            first,
            then: row.get("then").cloned(),
            status: row.get("status").cloned(),
            tried: row.get("tried").cloned(),
            life,
            pintle: Said(text("pintle").expect("what pintle says")),
            kubectl: Verdict::read(row, "kubectl"),
            helm: Verdict::read(row, "helm"),
            why: text("why"),
            name,
        }
    }

    /// Whether an object is made for it, which others can look at.
    pub(super) fn is_made(&self) -> bool {
        self.life != Life::There && self.tried.is_none()
    }

    /// Whether its object is in the way of other tests.
    pub(super) fn is_shared(&self) -> bool {
        !self.kind.namespaced && self.is_made() && self.kind.kind != "Namespace"
    }

    pub(super) fn collection(&self, namespace: &str) -> String {
        let version = self.kind.api_version();
        let root = if version.contains('/') { "apis" } else { "api" };
        let place = if self.kind.namespaced {
            format!("/namespaces/{namespace}")
        } else {
            String::new()
        };
        format!("/{root}/{version}{place}/{}", self.kind.plural)
    }

    pub(super) fn path(&self, namespace: &str) -> String {
        format!("{}/{}", self.collection(namespace), self.object)
    }

    /// The object as it is asked for in the end.
    pub(super) fn last(&self) -> Value {
        let mut last = self.first.clone();
        if let Some(then) = &self.then {
            merge(&mut last, then);
        }
        last
    }
}

/// Reads the table for a namespace, after which what belongs to nobody is named.
pub(super) fn rows(namespace: &str) -> Vec<Row> {
    let text = fs::read_to_string(path("tests/cases/readiness.yaml")).unwrap();
    let text = text.replace("NAMESPACE", namespace);
    let rows = pintle::yaml::parse(&text).unwrap();
    let rows = rows.as_array().expect("a list").iter();
    rows.map(|row| Row::read(row, namespace)).collect()
}

/// What every object of a kind needs.
fn default_spec(kind: &str, name: &str) -> Option<Value> {
    let labels = json!({"app": name});
    let containers = json!([{"name": "app", "image": "app:1"}]);
    let template = json!({"metadata": {"labels": labels}, "spec": {"containers": containers}});
    let workload = json!({"selector": {"matchLabels": labels}, "template": template});
    let run = json!({"template": {"spec": {"restartPolicy": "Never", "containers": containers}}});
    Some(match kind {
        // No scheduler knows it, so that its status stays as it is written.
        "Pod" => json!({"schedulerName": "nobody", "containers": containers}),
        "Deployment" | "DaemonSet" | "ReplicaSet" => workload,
        "ReplicationController" => json!({"selector": labels, "template": template}),
        "StatefulSet" => {
            let mut spec = workload;
            spec["serviceName"] = name.into();
            spec["replicas"] = 2.into();
            spec
        }
        "Job" => run,
        "CronJob" => json!({"schedule": "0 0 31 2 *", "jobTemplate": {"spec": run}}),
        "Service" => json!({"ports": [{"port": 80}]}),
        "PersistentVolumeClaim" => json!({"accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Mi"}}}),
        "PersistentVolume" => json!({"accessModes": ["ReadWriteOnce"],
            "capacity": {"storage": "1Mi"}, "hostPath": {"path": "/nowhere"},
            "storageClassName": name}),
        _ => return None,
    })
}

/// Lays one object over another one, as a merge patch does (RFC 7396).
fn merge(onto: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *onto = patch.clone();
        return;
    };
    if !onto.is_object() {
        *onto = Value::Object(Map::new());
    }
    for (key, value) in patch {
        match value {
            Value::Null => drop(onto.as_object_mut().unwrap().remove(key)),
            value => merge(&mut onto[key], value),
        }
    }
}
