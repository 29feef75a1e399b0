//! What plans of a tenant's control plane look like, from what a host would hold.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use pintle::capabilities::{Capabilities, Kinds};
use pintle::chart::{Chart, Tree, Values};
use pintle::manifest::generator::{
    GENERATOR_LABEL, Generator, ISSUE_ANNOTATION, Product, RELEASE_LABEL, SecretData, Spec,
};
use pintle::manifest::{Manifest, Placement, ResourceId};
use pintle::pki::{self, Sources};
use pintle::plan::addresses::{self, Services};
use pintle::plan::credentials::{self, Action, Decision, Issues, Live};
use pintle::plan::{Consent, Found, Inputs, Method, Observed, Owner, Plan};
use pintle::release::ApplyMethod;
use pintle::render::{self, Operation, ReleaseFacts, Scope};
use pintle::source::{self, ChartRef};
use serde_json::{Value, json};

use super::*;

const NAMESPACE: &str = "tenants";
const OWNER: Owner<'_> = Owner {
    release: "a",
    namespace: NAMESPACE,
};

fn chart() -> Chart {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("charts/kcp");
    source::load(&ChartRef::parse(path.to_str().unwrap()).unwrap()).unwrap()
}

/// The chart rendered with the values that are given.
fn rendered(given: &Value) -> Manifest {
    let chart = chart();
    let given: Values = serde_json::from_value(given.clone()).unwrap();
    let values = Values::coalesce(&chart.values, &given);
    let capabilities = Capabilities::builtin();
    let scope = Scope {
        release: ReleaseFacts {
            name: OWNER.release,
            namespace: NAMESPACE,
            revision: 1,
            operation: Operation::Install,
        },
        values,
        off: &BTreeSet::new(),
        capabilities: &capabilities,
    };
    let rendered = render::render(&Tree::of(&chart).unwrap(), scope).unwrap();
    let placement = Placement {
        namespace: NAMESPACE,
        kinds: &Kinds::default(),
    };
    Manifest::parse(&rendered, placement).unwrap()
}

/// A host on which a release is, all of it healthy.
struct Host {
    base: Vec<Manifest>,
    observed: Observed,
    mentions: BTreeMap<String, u32>,
    now: Timestamp,
}

impl Host {
    fn empty() -> Self {
        Self {
            base: vec![],
            observed: Observed::new(),
            mentions: BTreeMap::new(),
            now: "2026-11-24T10:00:00Z".parse().unwrap(),
        }
    }

    /// A host after the installation of the chart with these values, an hour later.
    fn with(given: &Value) -> Self {
        let mut host = Self::empty();
        host.carry_out(rendered(given));
        host.now += SignedDuration::from_hours(1);
        host
    }

    fn plan(&self, desired: &Manifest) -> Plan {
        Plan::new(&Inputs {
            desired,
            base: &self.base,
            observed: &self.observed,
            mentions: &self.mentions,
            owner: OWNER,
            kinds: &Kinds::default(),
            found: &Found::default(),
            method: Method::ClientSide,
            before: ApplyMethod::ClientSide,
            consent: &Consent::default(),
            now: self.now,
        })
        .unwrap()
    }

    /// The text of the plan for the chart with these values.
    fn text(&self, given: &Value) -> String {
        self.text_of(&rendered(given))
    }

    fn text_of(&self, desired: &Manifest) -> String {
        let text = to_text(
            &Report::of(&self.plan(desired), Secrets::Redacted),
            View::default(),
        );
        anstream::adapter::strip_str(&text).to_string()
    }

    fn decisions(&self, desired: &Manifest) -> Vec<Decision> {
        let secrets = self.observed.iter();
        let secrets = secrets.filter(|(id, _)| ["Secret", "ConfigMap"].contains(&id.kind.as_str()));
        let secrets = secrets.map(|(id, live)| (id.name.as_str(), live));
        let live = Live {
            release: OWNER.release,
            secrets: &secrets.collect(),
        };
        credentials::decide(&self.resolved(desired), live, self.now).unwrap()
    }

    fn resolved(&self, desired: &Manifest) -> Vec<Generator> {
        let services = Services::of(desired, &self.observed, NAMESPACE);
        addresses::resolve(&desired.generators, &services)
    }

    /// Makes the Services of the manifest, with these addresses of the load balancer.
    fn give_addresses(&mut self, desired: &Manifest, ingress: &Value) {
        let resources = desired.resources.iter();
        for resource in resources.filter(|resource| resource.id.kind == "Service") {
            let mut body = OWNER.marked(&resource.body);
            if body["spec"]["clusterIP"].is_null() {
                body["spec"]["clusterIP"] = json!("10.0.0.7");
            }
            if body["spec"]["type"] == "LoadBalancer" {
                body["status"]["loadBalancer"]["ingress"] = ingress.clone();
            }
            self.observed.insert(resource.id.clone(), body);
        }
    }

    /// Makes everything be as the manifest wants it.
    fn carry_out(&mut self, desired: Manifest) {
        self.give_addresses(&desired, &json!([{"ip": "192.0.2.1"}]));
        let decisions = self.decisions(&desired);
        let issues = Issues::of(&decisions);
        let resources = desired.resources.iter();
        for resource in resources.filter(|resource| resource.id.kind != "Service") {
            let mut body = OWNER.marked(&resource.body);
            credentials::stamp(&mut body, &issues);
            grow_ready(&mut body);
            let before = self.observed.get(&resource.id);
            for part in ["data", "metadata"] {
                if let Some(before) = before.filter(|_| resource.id.kind == "Secret") {
                    body[part] = before[part].clone();
                }
            }
            self.observed.insert(resource.id.clone(), body);
        }
        self.issue(&desired, &decisions);
        self.base = vec![desired];
    }

    fn issue(&mut self, desired: &Manifest, decisions: &[Decision]) {
        let mut made: BTreeMap<String, SecretData> = BTreeMap::new();
        let generators = self.resolved(desired);
        for decision in decisions {
            let generator = generators.iter().find(|one| one.name == decision.name);
            let sources = Sources {
                generators: &generators,
                secrets: &made,
            };
            let mut id = secret(&decision.name);
            decision.product.kind().clone_into(&mut id.kind);
            let live = self.observed.get_mut(&id).unwrap();
            if let Spec::Endpoint(spec) = &generator.unwrap().spec {
                live["data"] = json!(spec.data());
            }
            let data = match &decision.action {
                _ if decision.product == Product::ConfigMap => SecretData::default(),
                Action::Issue { .. } => pki::issue(generator.unwrap(), &sources, self.now).unwrap(),
                _ => SecretData::from_secret(live).unwrap(),
            };
            if decision.product == Product::Secret {
                live["data"] = data.to_json();
            }
            live["metadata"]["labels"][RELEASE_LABEL] = json!(OWNER.release);
            live["metadata"]["labels"][GENERATOR_LABEL] = json!(decision.kind);
            live["metadata"]["annotations"][ISSUE_ANNOTATION] = json!(decision.action.id());
            made.insert(decision.name.clone(), data);
        }
    }

    fn workload(&mut self, kind: &str, name: &str) -> &mut Value {
        let id = ResourceId {
            group: "apps".to_owned(),
            kind: kind.to_owned(),
            namespace: Some(NAMESPACE.to_owned()),
            name: name.to_owned(),
        };
        self.observed.get_mut(&id).unwrap()
    }
}

fn secret(name: &str) -> ResourceId {
    ResourceId {
        group: String::new(),
        kind: "Secret".to_owned(),
        namespace: Some(NAMESPACE.to_owned()),
        name: name.to_owned(),
    }
}

/// Gives a workload the status that its controller writes in the end.
fn grow_ready(body: &mut Value) {
    let replicas = body["spec"]["replicas"].clone();
    if replicas.is_null() {
        return;
    }
    body["metadata"]["generation"] = json!(1);
    body["status"] = json!({
        "observedGeneration": 1, "replicas": replicas, "updatedReplicas": replicas,
        "readyReplicas": replicas, "availableReplicas": replicas, "terminatingReplicas": 0,
        "currentRevision": "r1", "updateRevision": "r1",
    });
}

/// Versions that are newer than those of the defaults.
fn newer() -> Value {
    json!({"kubernetes": {"version": "1.36.4"}, "etcd": {"image": {"tag": "3.6.12-0"}}})
}

#[test]
fn an_installation_makes_everything_in_order() {
    insta::assert_snapshot!(Host::empty().text(&json!({})));
}

#[test]
fn nothing_is_left_to_do_after_it() {
    let host = Host::with(&json!({}));
    assert_eq!(host.text(&json!({})), "26 unchanged\n");
}

#[test]
fn an_upgrade_changes_what_differs() {
    let host = Host::with(&json!({}));
    let given = json!({
        "apiServer": {"replicas": 2, "extraArgs": {"v": 4}},
        "endpoint": {"extraSANs": ["api.example.com"]},
        "scheduler": {"extraArgs": {"v": 4}},
    });
    insta::assert_snapshot!(host.text(&given));
}

#[test]
fn a_rollback_drops_what_the_older_revision_has_not() {
    let host = Host::with(&json!({"apiServer": {"replicas": 2}}));
    insta::assert_snapshot!(host.text(&json!({})));
}

#[test]
fn an_uninstallation_goes_from_the_clients_to_etcd_and_its_keys() {
    let host = Host::with(&json!({}));
    insta::assert_snapshot!(host.text_of(&Manifest::default()));
}

#[test]
fn rising_versions_go_from_etcd_to_the_clients() {
    let host = Host::with(&json!({}));
    insta::assert_snapshot!(host.text(&newer()));
}

#[test]
fn falling_versions_go_from_the_clients_to_etcd() {
    let host = Host::with(&newer());
    insta::assert_snapshot!(host.text(&json!({})));
}

#[test]
fn a_broken_etcd_is_repaired_first_whatever_the_direction() {
    let mut host = Host::with(&newer());
    host.workload("StatefulSet", "a-etcd")["status"]["readyReplicas"] = json!(0);
    insta::assert_snapshot!(host.text(&json!({})));
}

#[test]
fn an_unfinished_rollout_is_waited_for_though_nothing_is_left_to_change_about_it() {
    let mut host = Host::with(&json!({"apiServer": {"extraArgs": {"v": 4}}}));
    host.workload("Deployment", "a-apiserver")["status"]["replicas"] = json!(2);
    let given = json!({"apiServer": {"extraArgs": {"v": 4}}, "scheduler": {"replicas": 2}});
    insta::assert_snapshot!(host.text(&given));
}

#[test]
fn a_failed_upgrade_is_rolled_back_from_everything_it_applied() {
    let mut host = Host::with(&json!({}));
    // It has come to etcd and has failed there: a revision that nothing followed.
    let failed = json!({"etcd": {"image": {"tag": "3.6.12-0"}, "extraArgs": {"max-wals": 3}}});
    let applied = rendered(&failed);
    let etcd = applied
        .resources
        .iter()
        .find(|one| one.id.kind == "StatefulSet");
    let containers = etcd.unwrap().body["spec"]["template"]["spec"]["containers"].clone();
    let live = host.workload("StatefulSet", "a-etcd");
    live["spec"]["template"]["spec"]["containers"] = containers;
    live["status"]["readyReplicas"] = json!(0);
    host.base.push(applied);
    insta::assert_snapshot!(host.text(&json!({})));
}

#[test]
fn a_lost_authority_is_issued_with_all_below_it() {
    let mut host = Host::with(&json!({}));
    host.observed.remove(&secret("a-front-proxy-ca"));
    insta::assert_snapshot!(host.text(&json!({})));
}

#[test]
fn pods_that_are_replaced_by_hand_are_named() {
    let given = json!({"etcd": {"replicas": 3, "updateStrategy": "OnDelete"}});
    let mut host = Host::with(&given);
    host.observed.remove(&secret("a-etcd-peer"));
    insta::assert_snapshot!(host.text(&given));
}

#[test]
fn what_a_revision_needs_is_kept_when_its_generator_goes() {
    let mut host = Host::with(&json!({}));
    let mut desired = rendered(&json!({}));
    let is_gone = |name: &str| name == "a-kubeconfig-admin";
    desired
        .generators
        .retain(|generator| !is_gone(&generator.name));
    desired
        .resources
        .retain(|resource| !is_gone(&resource.id.name));
    let delete = host.text_of(&desired);
    host.mentions.insert("a-kubeconfig-admin".to_owned(), 1);
    let keep = host.text_of(&desired);
    insta::assert_snapshot!(format!("{delete}---\n{keep}"));
}

/// Reached by the address of a load balancer, whatever it is.
fn balanced() -> Value {
    json!({"endpoint": {"type": "LoadBalancer"}})
}

#[test]
fn an_address_that_is_not_known_comes_first() {
    let host = Host::empty();
    insta::assert_snapshot!(host.text(&balanced()));
    let report = Report::of(&host.plan(&rendered(&balanced())), Secrets::Redacted);
    let lines = serde_json::to_value(&report).unwrap()["lines"].take();
    let lines = lines.as_array().unwrap().iter();
    let mut waiting: Vec<_> = lines
        .filter(|line| line["known_after_apply"] == json!(["a-apiserver"]))
        .map(|line| line["name"].as_str().unwrap())
        .collect();
    waiting.sort_unstable();
    assert_eq!(
        waiting,
        [
            "a-apiserver",
            "a-endpoint",
            "a-kubeconfig-admin",
            "a-kubeconfig-super-admin"
        ]
    );
}

#[test]
fn the_namespace_of_an_address_comes_before_it_and_nothing_else_does() {
    let mut desired = rendered(&balanced());
    let others = [("Namespace", NAMESPACE), ("Namespace", "another")];
    for (kind, name) in others {
        let mut resource = desired.resources[0].clone();
        kind.clone_into(&mut resource.id.kind);
        name.clone_into(&mut resource.id.name);
        resource.id.namespace = None;
        resource.body = json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}});
        "v1".clone_into(&mut resource.api_version);
        desired.resources.insert(0, resource);
    }
    let plan = Host::empty().plan(&desired);
    let first = plan.stages[0].phases.iter().flatten();
    let first: Vec<_> = first.map(|step| step.id.to_string()).collect();
    assert_eq!(first, ["Namespace tenants", "Service a-apiserver"]);
    assert!(!plan.is_whole());
    assert_eq!(plan.unknown(), ["Service a-apiserver"]);
}

#[test]
fn the_rest_is_planned_when_the_address_is_known() {
    let mut host = Host::empty();
    host.give_addresses(&rendered(&balanced()), &json!([{"ip": "192.0.2.1"}]));
    insta::assert_snapshot!(host.text(&balanced()));
}

#[test]
fn nothing_is_left_to_do_while_the_address_stays() {
    let host = Host::with(&balanced());
    assert_eq!(host.text(&balanced()), "27 unchanged\n");
}

#[test]
fn another_address_rolls_its_users() {
    let mut host = Host::with(&balanced());
    host.give_addresses(&rendered(&balanced()), &json!([{"ip": "192.0.2.2"}]));
    insta::assert_snapshot!(host.text(&balanced()));
}

#[test]
fn a_tenant_becomes_reachable_from_outside() {
    let host = Host::with(&json!({}));
    insta::assert_snapshot!(host.text(&balanced()));
}

#[test]
fn a_fixed_address_is_not_waited_for() {
    let given = json!({"endpoint": {"type": "LoadBalancer", "ip": "192.0.2.1"}});
    let plan = Host::empty().plan(&rendered(&given));
    assert!(plan.is_whole());
    assert_eq!(plan.generators.len(), 16);
}

#[test]
fn a_fixed_address_needs_no_other() {
    let given = json!({"endpoint": {"type": "NodePort", "port": 30443, "ip": "192.0.2.1"}});
    let host = Host::with(&json!({}));
    insta::assert_snapshot!(host.text(&given));
}

#[test]
fn an_uninstallation_keeps_what_the_data_needs() {
    let host = Host::with(&json!({"etcd": {"storage": {"retain": true}}}));
    insta::assert_snapshot!(host.text_of(&Manifest::default()));
}
