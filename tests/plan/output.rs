//! What is printed for machines is what the schemas in `schemas/` say.

use std::fs;

use serde_json::{Value, json};

use super::{apply, chart, deployment};
use crate::support::{Place, Run, path};

/// Checks that what was printed fits a schema, and gives it back.
#[track_caller]
pub(crate) fn fits(schema: &str, run: &Run) -> Value {
    let text = fs::read_to_string(path(&format!("schemas/{schema}.schema.json"))).unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    assert!(jsonschema::meta::is_valid(&schema));
    let options = jsonschema::options().should_validate_formats(true);
    let validator = options.build(&schema).unwrap();
    let printed = run.json();
    let faults: Vec<_> = validator
        .iter_errors(&printed)
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{}\n{run}", faults.join("\n"));
    printed
}

/// The fields of lines that a plan has.
fn keys(plan: &Value) -> Vec<&str> {
    let lines = plan["lines"].as_array().unwrap().iter();
    let keys = lines.flat_map(|line| line.as_object().unwrap().keys());
    keys.map(String::as_str).collect()
}

#[test]
fn plans_are_as_their_schema_says() {
    let place = Place::new("fits");
    let (kcp, web) = (path("charts/kcp"), deployment("web", 2, ""));
    let dry = ["--dry-run", "-o", "json"];
    let tenant = ["install", "t", &kcp, "--set", "endpoint.type=LoadBalancer"];
    let plan = fits("diff", &place.pintle(&[&tenant[..], &dry].concat()).ok());
    let seen = keys(&plan);
    assert!(
        ["reason", "known_after_apply"]
            .iter()
            .all(|key| seen.contains(key)),
        "{plan}"
    );
    let stages = plan["stages"].as_array().unwrap().iter();
    let mut gates = stages.filter_map(|stage| stage["gates"][0]["until"].as_str());
    assert_eq!(gates.next(), Some("known"), "{plan}");

    let job = "---\napiVersion: batch/v1\nkind: Job\nmetadata: {name: once}\nspec: {template: {spec: \
               {restartPolicy: Never, containers: [{name: a, image: 'a:1'}]}}}\n";
    let shop = chart(&place, "shop", &format!("{web}{job}"));
    place.pintle(&["install", "a", &shop, "--no-wait"]).ok();
    let autoscaler = "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: a}\n\
                      spec:\n  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}\n  \
                      maxReplicas: 9\n";
    apply(&place, "hpa.yaml", autoscaler);
    place
        .kubectl(&["scale", "deployment/web", "--replicas=4"])
        .ok();
    let next = format!("{web}{}", job.replace("a:1", "a:2"));
    let next = next.replace("image: 'app:1'", "image: 'app:2'");
    let next = chart(&place, "shop", &next);
    let diff = ["diff", "a", &next, "--recreate", "Job/once", "-o", "json"];
    let plan = fits("diff", &place.pintle(&diff).ok());
    let seen = keys(&plan);
    assert!(
        ["loses", "ignored", "fields"]
            .iter()
            .all(|key| seen.contains(key)),
        "{plan}"
    );
    let upgrade = ["upgrade", "a", &next, "--recreate", "Job/once", "--no-wait"];
    place.pintle(&upgrade).ok();
    let records = ["diff", "a", "--revision", "1", "-o", "json"];
    let plan = fits("diff", &place.pintle(&records).ok());
    assert_eq!(plan["counts"]["configure"], 2);
    assert_eq!((&plan["from"], &plan["to"]), (&json!(1), &json!(2)));
    assert_eq!(
        (plan.get("stages"), plan["lines"][0].get("stage")),
        (None, None)
    );
    let end = ["uninstall", "a"];
    let plan = fits("diff", &place.pintle(&[&end[..], &dry].concat()).ok());
    assert_eq!(plan["counts"]["delete"], 2);
}
