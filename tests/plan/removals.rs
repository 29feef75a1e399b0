//! Deletions that would be refused, and what is not deleted after all.

use pintle::builtin;
use pintle::cluster::{Address, Patch, Write};
use pintle::event::Event;
use serde_json::{Value, json};
use testbed::User;

use super::requests::Listening;
use super::{Denial, chart, deny, deployment, line};
use crate::lifecycle::left;
use crate::support::library::Library;
use crate::support::{Place, testbed};

/// A chart of these config maps, beside one that stays.
fn maps(place: &Place, names: &[&str]) -> String {
    let map =
        |name: &&str| format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n");
    let all: String = ["stays"].iter().chain(names).map(map).collect();
    chart(place, "maps", &all)
}

/// Forbids to delete config maps whose names begin with `kept`.
fn keep(place: &Place) {
    deny(
        place,
        &Denial {
            operation: "DELETE",
            resource: "configmaps",
            unless: "!oldObject.metadata.name.startsWith('kept')",
            refused: &["delete", "configmap/kept-a"],
        },
    );
}

const KEPT: [&str; 2] = [
    "deletion of ConfigMap kept-a (maps/templates/all.yaml:",
    "deletion of ConfigMap kept-b (maps/templates/all.yaml:",
];

#[test]
fn deletions_that_are_forbidden_are_told_at_once_and_nothing_is_written() {
    let place = Place::new("kept");
    let listening = Listening::on(&place);
    let all = maps(&place, &["kept-a", "kept-b", "free"]);
    place.pintle(&["install", "maps", &all]).ok();
    keep(&place);
    let before = left(&place);
    let few = maps(&place, &[]);
    for args in [
        &["upgrade", "maps", &few][..],
        &["upgrade", "maps", &few, "--dry-run"],
        &["uninstall", "maps"],
        &["uninstall", "maps", "--dry-run"],
    ] {
        let (run, writes) = listening.run(&place, args);
        run.fails_with(1).says(&KEPT).says(&[
            "2 changes would be refused, so nothing was written",
            "ValidatingAdmissionPolicy",
            "it has to stay",
        ]);
        let real = writes.iter().filter(|line| !line.contains("dryRun=All"));
        assert_eq!(real.count(), 0, "{args:?}: {writes:#?}");
    }
    assert_eq!(left(&place), before);
    let client = ["uninstall", "maps", "--dry-run=client"];
    place.pintle(&client).ok().prints(&["4 to delete"]);
    place
        .pintle(&["history", "maps"])
        .ok()
        .prints(&["deployed"]);
    // Without a question it is found half-way.
    let run = place.pintle(&["uninstall", "maps", "--no-validate"]);
    run.fails_with(1).says(&["cannot delete ConfigMap kept-a"]);
    let binding = [
        "delete",
        "validatingadmissionpolicybinding",
        &place.namespace,
    ];
    place.kubectl(&binding).ok();
    let again = || place.pintle(&["uninstall", "maps"]);
    // It takes a moment until the API server heeds it.
    while again().code != Some(0) {
        assert_ne!(left(&place), [] as [&str; 0]);
    }
    assert_eq!(left(&place), [] as [&str; 0]);
}

#[test]
fn what_goes_with_its_policy_is_checked_later() {
    let place = Place::new("kept-by-own");
    let namespace = &place.namespace;
    let kept = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: kept-a}}\n---\n{}",
        Denial {
            operation: "DELETE",
            resource: "configmaps",
            unless: "!oldObject.metadata.name.startsWith('kept')",
            refused: &[],
        }
        .text(namespace)
    );
    let own = chart(&place, "own", &kept);
    place.pintle(&["install", "own", &own]).ok();
    let asked = ["delete", "configmap/kept-a", "--dry-run=server"];
    while place.kubectl(&asked).code == Some(0) {}
    let plan = ["uninstall", "own", "--dry-run", "-o", "json"];
    let plan = place.pintle(&plan).ok().json();
    let later = line(&plan, "ConfigMap", "kept-a")["checked_later"][0].clone();
    let later = later.as_str().unwrap();
    assert!(later.ends_with("is deleted by this change"), "{later}");
    assert_eq!(
        line(&plan, "ValidatingAdmissionPolicy", namespace)["checked_later"],
        Value::Null
    );
    for kind in [
        "validatingadmissionpolicybinding",
        "validatingadmissionpolicy",
    ] {
        place.kubectl(&["delete", kind, namespace]).ok();
    }
    while place.pintle(&["uninstall", "own"]).code != Some(0) {}
}

#[test]
fn rights_to_delete_are_asked_for_beforehand() {
    let place = Place::new("no-delete");
    let all = maps(&place, &["more"]);
    let rights = [
        (
            "records",
            "create,get,list,update,patch,delete",
            "secrets,leases",
        ),
        ("maps", "create,get,list,watch,update,patch", "configmaps"),
    ];
    for (name, verbs, resources) in rights {
        let (verbs, resources) = (format!("--verb={verbs}"), format!("--resource={resources}"));
        place
            .kubectl(&["create", "role", name, &verbs, &resources])
            .ok();
        let (role, user) = (format!("--role={name}"), "--user=tenant-admin");
        place
            .kubectl(&["create", "rolebinding", name, &role, user])
            .ok();
    }
    let few = place.seen_by(User::TenantAdmin);
    few.pintle(&["install", "maps", &all]).ok();
    let none = maps(&few, &[]);
    for args in [&["uninstall", "maps"][..], &["upgrade", "maps", &none]] {
        few.pintle(args).fails_with(1).says(&[
            "deletion of ConfigMap more (maps/templates/all.yaml:",
            "you are not allowed to delete it",
        ]);
    }
    few.pintle(&["history", "maps"]).ok().prints(&["deployed"]);
}

/// The address of a config map in the namespace of the test.
fn map(name: &str) -> Address<'_> {
    Address {
        kind: builtin::kind("", "ConfigMap").unwrap(),
        namespace: None,
        name,
    }
}

/// Somebody else writes into what the next revision drops.
async fn disturb(place: &Place, library: &Library) {
    let annotated = |key: &str, value: &str| json!({"metadata": {"annotations": {key: value}}});
    for (name, patch) in [
        ("kept", annotated("helm.sh/resource-policy", "keep")),
        ("adopted", annotated("meta.helm.sh/release-name", "other")),
        ("edited", json!({"data": {"a": "two"}})),
        ("noted", annotated("example.com/seen", "yes")),
    ] {
        let patched = (library.cluster)
            .patch(&map(name), Patch::Merge(&patch), Write::by("somebody"))
            .await;
        patched.unwrap();
    }
    let status = r#"{"status": {"conditions": [{"type": "Seen", "status": "True"}]}}"#;
    let seen = [
        "patch",
        "deployment/idle",
        "--subresource=status",
        "-p",
        status,
    ];
    place.kubectl(&seen).ok();
}

#[tokio::test]
async fn what_has_changed_since_is_deleted_only_if_it_would_be_now() {
    let place = Place::new("changed-gone");
    let library = Library::of(&testbed().kubeconfig, &place.namespace, "maps").await;
    let terms = Library::terms();
    let data = |name: &str| {
        format!(
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{a: one}}\n"
        )
    };
    let text: String = ["stays", "kept", "adopted", "edited", "noted"]
        .map(data)
        .concat();
    let all = chart(
        &place,
        "maps",
        &format!("{text}{}", deployment("idle", 0, "")),
    );
    library.execute(library.install(&all, &terms).await).await;
    let few = chart(&place, "maps", &data("stays"));
    let change = library.upgrade(&few, &terms).await;
    disturb(&place, &library).await;
    let mut changed = vec![];
    let mut note = |event| {
        if let Event::Replanned { ids, counts } = event {
            changed.push((ids, counts));
        }
    };
    library.end(change, &mut note).await.unwrap();
    let [(ids, counts)] = &changed[..] else {
        panic!("{changed:?}");
    };
    let names: Vec<&str> = ids.iter().map(|id| id.name.as_str()).collect();
    assert_eq!(names, ["adopted", "edited", "kept"]);
    assert_eq!((counts.delete, counts.keep, counts.unchanged), (1, 2, 1));
    for (name, is_there) in [
        ("kept", true),
        ("adopted", true),
        ("edited", false),
        ("noted", false),
    ] {
        let live = library.cluster.get(&map(name)).await.unwrap();
        assert_eq!(live.is_some(), is_there, "{name}");
    }
    place.kubectl(&["get", "deployment/idle"]).fails_with(1);
}

#[test]
fn what_belongs_to_another_release_by_now_stays() {
    let place = Place::new("relabelled");
    place
        .pintle(&["install", "maps", &maps(&place, &["first", "second"])])
        .ok();
    let relabel = |name: &str| {
        let named = format!("configmap/{name}");
        let other = "meta.helm.sh/release-name=other";
        let annotate = ["annotate", "--overwrite", &named, other];
        place.kubectl(&annotate).ok();
    };
    let why =
        "belongs to somebody else now: meta.helm.sh/release-name is \"other\" instead of \"maps\"";
    relabel("first");
    let few = maps(&place, &["second"]);
    place
        .pintle(&["diff", "maps", &few])
        .ok()
        .prints(&["1 kept", "= ConfigMap first", why]);
    place.pintle(&["upgrade", "maps", &few]).ok();
    relabel("second");
    place
        .pintle(&["uninstall", "maps", "--dry-run"])
        .ok()
        .prints(&["1 to delete, 1 kept", "= ConfigMap second", why]);
    place.pintle(&["uninstall", "maps"]).ok();
    for name in ["first", "second"] {
        place.get(&[&format!("configmap/{name}")]);
    }
    place.kubectl(&["get", "configmap/stays"]).fails_with(1);
}

#[test]
fn what_an_upgrade_drops_goes_in_reverse_order_of_groups() {
    let place = Place::new("prunes");
    let map = |name: &str, group: &str| {
        format!(
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  annotations:\n    \
             example.com/is: '{name}'\n{group}"
        )
    };
    let one = "    helm.sh/resource-group: one\n";
    let two = "    helm.sh/resource-group: two\n    \
               helm.sh/depends-on/resource-groups: '[\"one\"]'\n";
    let keeper = map("keeper", "");
    let all = [
        &keeper,
        &map("first", one),
        &map("second", two),
        &map("last", ""),
    ];
    let all = chart(&place, "all", &all.map(String::as_str).concat());
    place.pintle(&["install", "all", &all]).ok();
    let few = chart(&place, "all", &keeper);
    let run = place.pintle(&["upgrade", "all", &few]).ok();
    let deleted = run.stderr.lines().filter_map(|line| {
        let name = line.strip_prefix("deleted ConfigMap ")?;
        name.split(' ').next()
    });
    assert_eq!(
        deleted.collect::<Vec<_>>(),
        ["last", "second", "first"],
        "{run}"
    );
}
