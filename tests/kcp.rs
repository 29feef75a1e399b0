//! The chart `charts/kcp`: what it refuses, what it renders to, and what its releases are on a
//! host, down to the processes that a tenant's pods are.

mod address;
mod boot;
mod chains;
mod issued;
mod kubeadm;
mod leaks;
mod life;
mod neighbours;
mod order;
pub(crate) mod proof;
mod real;
mod removal;
mod secrets;
mod site;
mod state;

use std::collections::BTreeSet;
use std::fs;

use pintle::capabilities::{Capabilities, Kinds};
use pintle::chart::{Chart, Layer, Overrides, Tree, Values, schema};
use pintle::manifest::generator::{self, Generator};
use pintle::manifest::{Manifest, Placement, Resource};
use pintle::ops::{self, Prepared, TemplateRequest};
use pintle::render::{self, Notes, Operation, ReleaseFacts, Scope};
use pintle::source::{self, ChartRef};
use pintle::yaml;
use serde_json::{Value, json};

use crate::support::path;
use boot::Release;

/// The chart.
const CHART: &str = "charts/kcp";
/// A release that is on no host.
const RELEASE: Release<'_> = Release {
    namespace: "tenants",
    name: "tenant-a",
};

fn chart() -> Chart {
    source::load(&ChartRef::parse(&path(CHART)).unwrap()).unwrap()
}

fn values(chart: &Chart, given: &Value) -> Values {
    Values::coalesce(
        &chart.values,
        &serde_json::from_value(given.clone()).unwrap(),
    )
}

#[test]
fn every_rule_has_its_message() {
    let chart = chart();
    let text = fs::read_to_string(path("tests/kcp/rules.yaml")).unwrap();
    let cases = yaml::parse(&text).unwrap();
    let cases = cases.as_array().unwrap();
    assert!(cases.len() >= 28, "{}", cases.len());
    for case in cases {
        let new = values(&chart, &case["values"]);
        let running = case.get("running").map(|given| values(&chart, given));
        let previous: Vec<&Values> = running.iter().collect();
        let refused = schema::check(chart.schema.as_ref().unwrap(), &new, &previous).unwrap_err();
        let message = case["message"].as_str().unwrap();
        assert!(
            refused.to_string().contains(message),
            "{message}\nis not in\n{refused}"
        );
    }
}

/// The defaults and every file of values, as they are given.
fn variants() -> Vec<Value> {
    let folder = fs::read_dir(path("tests/kcp/values")).unwrap();
    let mut variants = vec![json!({})];
    for entry in folder {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        variants.push(yaml::parse(&text).unwrap());
    }
    assert!(variants.len() > 5);
    variants
}

#[test]
fn every_variant_renders_to_resources_and_generators() {
    let chart = chart();
    for given in variants() {
        let values = values(&chart, &given);
        schema::check(chart.schema.as_ref().unwrap(), &values, &[]).unwrap();
        let (generators, resources) = rendered(RELEASE, &given);
        assert!(generators.len() >= 15, "{given}");
        generator::check(&generators, &resources, RELEASE.namespace).unwrap();
        for kind in ["StatefulSet", "Deployment", "Service", "ServiceAccount"] {
            assert!(
                resources.iter().any(|resource| resource.id.kind == kind),
                "{kind}: {given}"
            );
        }
    }
}

#[test]
fn a_prepared_chart_renders_each_variant_as_it_does_alone() {
    let chart = chart();
    let prepared = Prepared::new(&chart).unwrap();
    for given in variants() {
        let name = "values.yaml".to_owned();
        let text = yaml::to_string(&given);
        let overrides = Overrides {
            layers: vec![Layer::File { name, text }],
        };
        let request = TemplateRequest {
            overrides: &overrides,
            release: RELEASE.name,
            namespace: RELEASE.namespace,
            capabilities: &Capabilities::builtin(),
            operation: Operation::Install,
            notes: Notes::Root,
        };
        let alone = ops::template(&chart, &request).unwrap();
        assert_eq!(prepared.template(&request).unwrap(), alone);
    }
}

/// Renders the chart for a release with the values that are given.
fn rendered(release: Release<'_>, given: &Value) -> (Vec<Generator>, Vec<Resource>) {
    let chart = chart();
    let facts = ReleaseFacts {
        name: release.name,
        namespace: release.namespace,
        revision: 1,
        operation: Operation::Install,
    };
    let capabilities = Capabilities::builtin();
    let scope = Scope {
        release: facts,
        values: values(&chart, given),
        off: &BTreeSet::new(),
        capabilities: &capabilities,
    };
    let rendered = render::render(&Tree::of(&chart).unwrap(), scope).unwrap();
    let placement = Placement {
        namespace: release.namespace,
        kinds: &Kinds::default(),
    };
    let manifest = Manifest::parse(&rendered, placement).unwrap();
    let is_stub = |resource: &Resource| {
        let generator = manifest.generator(&resource.id, release.namespace);
        generator.is_some()
    };
    let resources = manifest.resources.iter().filter(|one| !is_stub(one));
    (manifest.generators.clone(), resources.cloned().collect())
}
