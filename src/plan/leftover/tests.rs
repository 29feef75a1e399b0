//! What is deleted again after a change that failed.

use serde_json::json;

use super::*;
use crate::capabilities::Kinds;
use crate::manifest::{Placement, Recorded};

const OWNER: Owner<'_> = Owner {
    release: "web",
    namespace: "shop",
};

fn generator(name: &str, issuer: Option<&str>) -> String {
    let (kind, spec) = match issuer {
        None => ("CertificateAuthority", format!("commonName: {name}")),
        Some(issuer) => (
            "Certificate",
            format!("issuer: {issuer}, commonName: {name}, usages: [server auth]"),
        ),
    };
    format!(
        "---\napiVersion: generate.pintle.dev/v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: \
         {{{spec}}}\n"
    )
}

fn resource(kind: &str, name: &str, more: &str) -> String {
    format!("---\napiVersion: v1\nkind: {kind}\nmetadata: {{name: {name}}}\n{more}\n")
}

fn manifest(resources: &[String], generators: &[String]) -> Manifest {
    let kinds = Kinds::default();
    let placement = Placement {
        namespace: "shop",
        kinds: &kinds,
    };
    let recorded = Recorded {
        text: &resources.concat(),
        generators: Some(&generators.concat()),
    };
    Manifest::from_record(recorded, placement).unwrap()
}

fn live(manifest: &Manifest) -> Observed {
    let bodies = manifest.resources.iter().map(|resource| {
        let mut body = OWNER.marked(&resource.body);
        body["metadata"]["uid"] = json!("1");
        (resource.id.clone(), body)
    });
    bodies.collect()
}

/// Checks what of all that is wanted, which all was to be created, is deleted again.
#[track_caller]
fn check((desired, good): (&Manifest, Option<&Manifest>), live: &Observed, expected: &[&str]) {
    let change = FailedChange {
        owner: OWNER,
        desired,
        good,
        base: good.map_or(&[], std::slice::from_ref),
        live,
    };
    let created: Vec<(ResourceId, Kind)> = desired
        .resources
        .iter()
        .map(|resource| (resource.id.clone(), Kind::core(&resource.id.kind, "")))
        .collect();
    let found = change.leftovers(&created).into_iter();
    let found: Vec<String> = found.map(|(id, _, uid)| format!("{id} {uid}")).collect();
    assert_eq!(found, expected);
}

#[test]
fn what_only_the_failed_change_has_is_deleted_again() {
    let good = manifest(&[resource("ConfigMap", "old", "")], &[]);
    let kept = "  annotations: {helm.sh/resource-policy: keep}";
    let kept = format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: kept\n{kept}\n");
    let definition = resource("CustomResourceDefinition", "things.example.com", "");
    let definition = definition.replace("apiVersion: v1", "apiVersion: apiextensions.k8s.io/v1");
    let desired = manifest(
        &[
            resource("ConfigMap", "old", ""),
            resource("ConfigMap", "new", ""),
            kept,
            definition,
            resource("Service", "foreign", ""),
            resource("Service", "absent", ""),
            resource("Service", "last", ""),
        ],
        &[],
    );
    let mut live = live(&desired);
    live.retain(|id, _| id.name != "absent");
    for (id, body) in &mut live {
        if id.name == "foreign" {
            body["metadata"]["labels"] = json!({});
        }
    }
    check(
        (&desired, Some(&good)),
        &live,
        &["Service last 1", "ConfigMap new 1"],
    );
    let all = ["Service last 1", "ConfigMap new 1", "ConfigMap old 1"];
    check((&desired, None), &live, &all);
}

#[test]
fn keys_that_the_last_good_revision_depends_on_stay() {
    let tls = generator("tls", Some("ca"));
    let good = manifest(
        &[resource("Secret", "tls", ""), resource("Pod", "web", "")],
        &[generator("ca", None), tls],
    );
    let names = ["root", "ca-2", "other", "mounted", "stamped"];
    let mut resources = vec![resource("Secret", "tls", ""), resource("Pod", "web", "")];
    resources.extend(names.map(|name| resource("Secret", name, "")));
    let mut generators = names.map(|name| generator(name, None)).to_vec();
    // It is issued anew by another authority.
    generators.push(generator("tls", Some("ca-2")));
    let desired = manifest(&resources, &generators);
    let mut live = live(&desired);
    let web = live.iter_mut().find(|(id, _)| id.name == "web").unwrap().1;
    web["spec"] = json!({"volumes": [{"secret": {"secretName": "mounted"}}]});
    web["metadata"]["annotations"]["issue.pintle.dev/stamped"] = json!("1");
    check(
        (&desired, Some(&good)),
        &live,
        &["Secret other 1", "Secret root 1"],
    );
}

#[test]
fn keys_that_a_failed_revision_depends_on_stay() {
    let base = manifest(&[resource("Pod", "web", "")], &[]);
    let names = ["mounted", "other"];
    let mut resources = vec![resource("Pod", "web", "")];
    resources.extend(names.map(|name| resource("Secret", name, "")));
    let desired = manifest(&resources, &names.map(|name| generator(name, None)));
    let mut live = live(&desired);
    let web = live.iter_mut().find(|(id, _)| id.name == "web").unwrap().1;
    web["spec"] = json!({"volumes": [{"secret": {"secretName": "mounted"}}]});
    let created = desired
        .resources
        .iter()
        .filter(|one| one.id.kind == "Secret");
    let created: Vec<_> = created
        .map(|one| (one.id.clone(), Kind::core("Secret", "secrets")))
        .collect();
    let change = FailedChange {
        owner: OWNER,
        desired: &desired,
        good: None,
        base: std::slice::from_ref(&base),
        live: &live,
    };
    let found: Vec<&str> = change
        .leftovers(&created)
        .into_iter()
        .map(|(id, ..)| id.name.as_str())
        .collect();
    assert_eq!(found, ["other"]);
}
