//! The release that suffers: two versions of a chart of 20 resources and three hooks, and what is in its
//! namespace.

use std::collections::{BTreeMap, BTreeSet};

use pintle::capabilities::Kind;
use pintle::history::Driver;
use pintle::ops::{Rehearsal, Terms};
use serde_json::Value;

use crate::support::library::Library;
use crate::support::{Place, testbed};

/// Twenty resources, of which a second version changes a part, takes one away and adds one; and a hook
/// before each change, which stays until the next one, one after each change, one before upgrades alone and
/// one before the end, which are gone when they have succeeded, and one around the end, which goes with the
/// release.
const TEMPLATE: &str = r#"
{% for name in ["a", "b", "c", "d", "e", "f"] %}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ name }}}
data: {version: "{% if loop.index0 % 2 == 0 %}{{ values.version }}{% else %}0{% endif %}"}
{% endfor %}
{% for name in ["m", "p"] %}
---
apiVersion: v1
kind: Secret
metadata: {name: {{ name }}}
stringData: {version: "{{ values.version }}"}
---
apiVersion: v1
kind: Service
metadata: {name: {{ name }}, labels: {version: "{{ values.version }}"}}
spec: {selector: {app: {{ name }}}, ports: [{port: {{ 8000 + values.version }}}]}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: {{ name }}}
{% endfor %}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: only-{{ values.version }}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: r}
rules: [{apiGroups: [""], resources: [configmaps], resourceNames: ["{{ values.version }}"], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: r}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}
subjects: [{kind: ServiceAccount, name: m}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: app}
spec:
  replicas: 0
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}}
    spec:
      serviceAccountName: m
      containers: [{name: app, image: "app:{{ values.version }}"}]
      volumes: [{name: tls, secret: {secretName: tls}}]
---
apiVersion: generate.pintle.dev/v1
kind: CertificateAuthority
metadata: {name: authority}
spec: {commonName: authority}
---
apiVersion: generate.pintle.dev/v1
kind: Certificate
metadata: {name: tls}
spec: {issuer: authority, commonName: tls, usages: [server auth], dnsNames: [tls]}
---
apiVersion: generate.pintle.dev/v1
kind: RandomSecret
metadata: {name: token}
spec: {keys: {token: {}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: last}
{% for name, when in {"before": "pre-install,pre-upgrade,pre-rollback", "after": "post-install,post-upgrade,post-rollback", "rising": "pre-upgrade", "farewell": "pre-delete", "parting": "pre-delete,post-delete"} %}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ name }}
  annotations:
    helm.sh/hook: {{ when }}
    {% if name != "before" and name != "parting" %}helm.sh/hook-delete-policy: hook-succeeded{% endif %}
data: {version: "{{ values.version }}"}
{% endfor %}
"#;

/// The two versions of the chart, as folders.
pub(super) struct Charts {
    pub(super) first: String,
    pub(super) second: String,
}

impl Charts {
    pub(super) fn write(place: &Place) -> Self {
        let write = |version: &str| {
            place.file(&format!("{version}/templates/all.yaml"), TEMPLATE);
            place.file(
                &format!("{version}/values.yaml"),
                &format!("version: {version}\n"),
            );
            let chart = format!(
                "apiVersion: v2\nname: app\nversion: {version}.0.0\n\
                 annotations: {{pintle.dev/engine: tera}}\n"
            );
            let file = place.file(&format!("{version}/Chart.yaml"), &chart);
            file.trim_end_matches("/Chart.yaml").to_owned()
        };
        Self {
            first: write("1"),
            second: write("2"),
        }
    }
}

/// Makes a namespace and brings it to where a change begins: with this many revisions, the second of the second
/// version, recorded in what `driver` says.
pub(super) fn prepare(place: &Place, (charts, revisions): (&Charts, u32), driver: Driver) {
    block_on(async {
        let mut library = Library::of(&testbed().kubeconfig, &place.namespace, "app").await;
        library.driver = driver;
        let made = library.cluster.create_namespace(&place.namespace).await;
        made.unwrap();
        let terms = Terms {
            rehearsal: Rehearsal::None,
            ..Library::terms()
        };
        if revisions > 0 {
            let change = library.install(&charts.first, &terms).await;
            library.execute(change).await;
        }
        if revisions > 1 {
            let change = library.upgrade(&charts.second, &terms).await;
            library.execute(change).await;
        }
    });
}

/// What is in a namespace: uid and content of each resource, by kind and name, and the status of each
/// revision.
#[derive(Debug, Default)]
pub(super) struct State {
    resources: BTreeMap<String, (String, Value)>,
    revisions: BTreeMap<u32, String>,
}

impl State {
    pub(super) fn of(place: &Place) -> Self {
        block_on(async {
            let library = Library::of(&testbed().kubeconfig, &place.namespace, "app").await;
            let mut state = Self::default();
            for kind in kinds() {
                let found = library
                    .cluster
                    .list(&kind, Some(&place.namespace), "")
                    .await;
                found
                    .unwrap()
                    .into_iter()
                    .for_each(|item| state.add(&kind, &item));
            }
            state
        })
    }

    fn add(&mut self, kind: &Kind, item: &Value) {
        let text = |pointer: &str| item.pointer(pointer).and_then(Value::as_str).unwrap_or("");
        let name = text("/metadata/name");
        if text("/metadata/labels/owner") == "helm" {
            let revision = text("/metadata/labels/version").parse().unwrap();
            let status = text("/metadata/labels/status").to_owned();
            self.revisions.insert(revision, status);
        } else if !["kube-root-ca.crt", "default"].contains(&name) {
            let content = ["data", "rules", "spec"]
                .into_iter()
                .find_map(|field| item.get(field));
            let content = content.cloned().unwrap_or_default();
            let uid = text("/metadata/uid").to_owned();
            self.resources
                .insert(format!("{} {name}", kind.kind), (uid, content));
        }
    }

    /// What of it stays in a version: uids, and the content of generated Secrets that have it.
    pub(super) fn kept(&self, version: u32) -> Self {
        let wanted = names(version);
        // A hook is made anew each time.
        let resources = self.resources.iter();
        let resources = resources.filter(|(name, _)| *name != HOOK);
        let stay = resources.filter(|(name, _)| wanted.contains(name));
        Self {
            resources: stay
                .map(|(name, found)| (name.clone(), found.clone()))
                .collect(),
            revisions: BTreeMap::new(),
        }
    }

    /// Leaves out what one of these requests deletes. A certificate does not outlast its authority.
    pub(super) fn spared(mut self, requests: &[String]) -> Self {
        let deletions = requests.iter().filter(|line| line.starts_with("DELETE "));
        for path in deletions.filter_map(|line| line.split([' ', '?']).nth(1)) {
            let (plural, name) = path.rsplit_once('/').unwrap_or_default();
            let mut all = kinds().into_iter();
            if let Some(kind) = all.find(|kind| plural.ends_with(&format!("/{}", kind.plural))) {
                self.resources.remove(&format!("{} {name}", kind.kind));
            }
        }
        let is_trusted = self.resources.contains_key("Secret authority");
        if let Some((_, content)) = self.resources.get_mut("Secret tls")
            && !is_trusted
        {
            *content = Value::Null;
        }
        self
    }

    /// The status of the newest revision.
    pub(super) fn newest(&self) -> Option<&str> {
        self.revisions.values().next_back().map(String::as_str)
    }

    /// Whether there is a lock.
    pub(super) fn is_locked(&self) -> bool {
        self.resources.contains_key("Lease pintle.app")
    }

    pub(super) fn extend(&mut self, other: Self) {
        self.resources.extend(other.resources);
    }
}

/// The hook that stays.
const HOOK: &str = "ConfigMap before";

fn kinds() -> Vec<Kind> {
    let of = |group: &str, kind: &str, plural: &str| Kind {
        group: group.to_owned(),
        ..Kind::core(kind, plural)
    };
    let rbac = "rbac.authorization.k8s.io";
    vec![
        Kind::core("ConfigMap", "configmaps"),
        Kind::core("Secret", "secrets"),
        Kind::core("Service", "services"),
        Kind::core("ServiceAccount", "serviceaccounts"),
        of("apps", "Deployment", "deployments"),
        of("coordination.k8s.io", "Lease", "leases"),
        of(rbac, "Role", "roles"),
        of(rbac, "RoleBinding", "rolebindings"),
    ]
}

/// The kinds and names of a version of the chart; 0 is nothing.
fn names(version: u32) -> Vec<String> {
    if version == 0 {
        return vec![];
    }
    let maps = ["a", "b", "c", "d", "e", "f", "last"].map(|name| format!("ConfigMap {name}"));
    let secrets = ["authority", "m", "p", "tls", "token"].map(|name| format!("Secret {name}"));
    let pairs = ["Service", "ServiceAccount"].into_iter();
    let pairs = pairs.flat_map(|kind| ["m", "p"].map(|name| format!("{kind} {name}")));
    let others = ["Deployment app", "Role r", "RoleBinding r", HOOK].map(str::to_owned);
    let only = format!("ConfigMap only-{version}");
    let mut all: Vec<String> = maps.into_iter().chain(secrets).chain(pairs).collect();
    all.extend(others);
    all.push(only);
    all.sort();
    all
}

/// Checks that a namespace holds this version of the chart and nothing else, that what is `kept` has
/// stayed, and that every revision has an outcome.
pub(super) fn check(place: &Place, version: u32, kept: &State) -> Result<(), String> {
    let state = State::of(place);
    let found: BTreeSet<_> = state.resources.keys().cloned().collect();
    let wanted: BTreeSet<_> = names(version).into_iter().collect();
    let wanted = &wanted | &kept.resources.keys().cloned().collect();
    if found != wanted {
        let differing: Vec<_> = found.symmetric_difference(&wanted).collect();
        return Err(format!("stray or missing: {differing:?}"));
    }
    for (name, (uid, content)) in &kept.resources {
        let (now, is) = &state.resources[name];
        if now != uid {
            return Err(format!("{name} was made anew"));
        }
        let is_generated = ["authority", "tls", "token"]
            .iter()
            .any(|made| name.ends_with(made));
        if is_generated && !content.is_null() && is != content {
            return Err(format!("{name} was issued anew"));
        }
    }
    let content = |name: &str| state.resources[name].1.to_string();
    if version > 0 {
        for name in ["ConfigMap a", "Role r", HOOK] {
            if !content(name).contains(&format!("\"{version}\"")) {
                return Err(format!("{name} is {}", content(name)));
            }
        }
        if !content("Deployment app").contains(&format!("app:{version}")) {
            return Err("the Deployment is another".to_owned());
        }
        if ["authority", "tls", "token"]
            .iter()
            .any(|name| content(&format!("Secret {name}")) == "null")
        {
            return Err("a Secret was not issued".to_owned());
        }
    }
    outcomes(&state.revisions, version)
}

/// Checks that the newest revision is the deployed one, or that there is none.
fn outcomes(revisions: &BTreeMap<u32, String>, version: u32) -> Result<(), String> {
    let mut statuses: Vec<&str> = revisions.values().map(String::as_str).collect();
    let newest = statuses.pop();
    let is_over = |status: &&str| ["superseded", "failed"].contains(status);
    let is_right = match version {
        0 => newest.is_none(),
        _ => newest == Some("deployed") && statuses.iter().all(is_over),
    };
    is_right
        .then_some(())
        .ok_or_else(|| format!("history: {revisions:?}"))
}

fn block_on<F: Future>(work: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    runtime.block_on(work)
}
