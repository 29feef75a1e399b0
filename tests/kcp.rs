//! The chart `charts/kcp`: what it refuses, what it renders to, and a tenant's control plane
//! looked at as the processes that its pods are.

#[expect(
    dead_code,
    reason = "a tenant is booted once its generated Secrets are written"
)]
pub(crate) mod boot;
#[expect(
    dead_code,
    reason = "a tenant is booted once its generated Secrets are written"
)]
pub(crate) mod proof;

use std::fs;

use pintle::capabilities::{Capabilities, Kinds};
use pintle::chart::{Chart, Values, schema};
use pintle::manifest::generator::{self, Generator};
use pintle::manifest::{Manifest, Placement};
use pintle::render::{self, Operation, ReleaseFacts, Scope};
use pintle::source::{self, ChartRef};
use pintle::yaml;
use serde_json::Value;

use crate::support::path;

fn chart() -> Chart {
    source::load(&ChartRef::parse(&path("charts/kcp")).unwrap()).unwrap()
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

#[test]
fn every_variant_renders_to_resources_and_generators() {
    let chart = chart();
    let folder = fs::read_dir(path("tests/kcp/values")).unwrap();
    let mut variants = vec![Value::Object(serde_json::Map::new())];
    for entry in folder {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        variants.push(yaml::parse(&text).unwrap());
    }
    assert!(variants.len() > 5);
    for given in variants {
        let values = values(&chart, &given);
        schema::check(chart.schema.as_ref().unwrap(), &values, &[]).unwrap();
        let manifest = rendered(&chart, &values);
        let (generators, resources): (Vec<_>, Vec<_>) = manifest
            .resources
            .into_iter()
            .partition(|r| Generator::is_one(&r.body));
        let generators: Vec<_> = generators
            .into_iter()
            .map(|made| Generator::parse(made.body, made.origin, "tenants").unwrap())
            .collect();
        assert!(generators.len() >= 15, "{given}");
        generator::check(&generators, &resources, "tenants").unwrap();
        for kind in ["StatefulSet", "Deployment", "Service", "ServiceAccount"] {
            assert!(
                resources.iter().any(|resource| resource.id.kind == kind),
                "{kind}: {given}"
            );
        }
    }
}

fn rendered(chart: &Chart, values: &Values) -> Manifest {
    let release = ReleaseFacts {
        name: "tenant-a",
        namespace: "tenants",
        revision: 1,
        operation: Operation::Install,
    };
    let capabilities = Capabilities::builtin();
    let scope = Scope {
        release,
        values,
        capabilities: &capabilities,
    };
    let rendered = render::render(chart, &scope).unwrap();
    let placement = Placement {
        namespace: "tenants",
        kinds: &Kinds::default(),
    };
    Manifest::parse(&rendered, placement).unwrap()
}
