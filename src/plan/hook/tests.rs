//! Which hooks run, what makes way for them, and what is deleted in the end.

use serde_json::json;

use super::*;
use crate::manifest::Placement;
use crate::plan::{Consent, Found, Method, Observed, Owner};
use crate::release::ApplyMethod;

const NAMESPACE: &str = "shop";

/// A hook as `Kind name events`, with more annotations.
fn hook(text: &str, more: &str) -> Hook {
    let mut words = text.split(' ');
    let mut word = || words.next().unwrap();
    let (kind, name, events) = (word(), word(), word());
    let version = match kind {
        "Job" => "batch/v1",
        "CustomResourceDefinition" => "apiextensions.k8s.io/v1",
        _ => "v1",
    };
    let text = format!(
        "apiVersion: {version}\nkind: {kind}\nmetadata:\n  name: {name}\n  annotations: \
         {{helm.sh/hook: '{events}'{more}}}\n"
    );
    let placement = Placement {
        namespace: NAMESPACE,
        kinds: &Kinds::default(),
    };
    Hook::recorded(0, ("web/hooks.yaml", &text), placement).unwrap()
}

fn manifest(hooks: &[&str]) -> Manifest {
    let mut hooks: Vec<Hook> = hooks.iter().map(|text| hook(text, "")).collect();
    for (index, hook) in hooks.iter_mut().enumerate() {
        hook.index = index;
    }
    Manifest {
        hooks,
        ..Manifest::default()
    }
}

/// Decides about the hooks of a manifest that follows another, where the cluster holds this.
fn decide(aim: &HookAim, (desired, base): (&Manifest, &[Manifest]), observed: &Observed) -> Hooks {
    let inputs = Inputs {
        desired,
        base,
        observed,
        mentions: &std::collections::BTreeMap::new(),
        owner: Owner {
            release: "web",
            namespace: NAMESPACE,
        },
        kinds: &Kinds::default(),
        found: &Found::default(),
        method: Method::ClientSide,
        before: ApplyMethod::ClientSide,
        consent: &Consent::default(),
        now: jiff::Timestamp::UNIX_EPOCH,
    };
    Hooks::new(&inputs, aim).unwrap()
}

/// Checks what is deleted in the end of a change to `desired` after `base`.
#[track_caller]
fn check_left(remains: Remains, desired: &Manifest, base: &Manifest, expected: &[&str]) {
    let aim = HookAim {
        remains,
        ..HookAim::default()
    };
    check_aim(&aim, desired, base, expected);
}

/// The same for a change with this aim.
#[track_caller]
fn check_aim(aim: &HookAim, desired: &Manifest, base: &Manifest, expected: &[&str]) {
    let hooks = decide(aim, (desired, std::slice::from_ref(base)), &Observed::new());
    let left: Vec<_> = hooks.left.iter().map(|left| left.id.to_string()).collect();
    assert_eq!(left, expected);
}

#[test]
fn only_what_is_of_no_use_any_more_is_deleted() {
    let now = manifest(&["Job b pre-upgrade", "Secret key pre-install"]);
    let before = manifest(&[
        "Job a pre-upgrade",
        "Job b pre-upgrade",
        "Pod reach test",
        "Secret key pre-install",
        "Secret old pre-install",
        "PersistentVolumeClaim data pre-install",
    ]);
    check_left(Remains::Current, &now, &before, &["Job a", "Pod reach"]);

    let oldest = hook("ConfigMap oldest pre-install", "").resource;
    check_left(
        Remains::Nothing(vec![oldest]),
        &now,
        &before,
        &[
            "Job a",
            "Job b",
            "Pod reach",
            "Secret key",
            "Secret old",
            "ConfigMap oldest",
        ],
    );
}

#[test]
fn strays_go_unless_they_run_again_or_are_kept() {
    let now = manifest(&["Secret a pre-upgrade", "Secret b pre-rollback"]);
    let before = manifest(&["Secret a pre-upgrade", "Secret c pre-rollback"]);
    let strays = ["a", "b", "c", "app"];
    let strays = strays.map(|name| hook(&format!("Secret {name} pre-rollback"), "").resource);
    let mut aim = HookAim {
        events: vec![HookEvent::PreUpgrade],
        strays: strays.to_vec(),
        ..HookAim::default()
    };
    check_aim(&aim, &now, &before, &["Secret b", "Secret c", "Secret app"]);
    // Where no hooks run, none makes way for itself.
    aim.events.clear();
    let mut kept = now.clone();
    kept.hooks[1] = hook("Secret b pre-rollback", ", helm.sh/resource-policy: keep");
    kept.resources.push(strays[3].clone());
    check_aim(&aim, &kept, &before, &["Secret a", "Secret c"]);
}

#[test]
fn the_newest_word_about_a_resource_counts() {
    let before = manifest(&["Secret a pre-install", "Secret b pre-install"]);
    let kept = hook("Secret a pre-install", ", helm.sh/resource-policy: keep");
    let now = Manifest {
        hooks: vec![kept],
        ..Manifest::default()
    };
    let oldest = || vec![hook("Secret a pre-install", "").resource];
    check_left(Remains::Nothing(oldest()), &now, &before, &["Secret b"]);
    check_left(
        Remains::Nothing(oldest()),
        &before,
        &now,
        &["Secret a", "Secret b"],
    );
}

#[test]
fn only_what_goes_with_its_release_is_remembered() {
    let check = |text: &str, more: &str| is_cleaned_up(&hook(text, more).resource);
    assert!(check("Secret a pre-install", ""));
    assert!(check("Job a pre-install", ""));
    assert!(!check(
        "Secret a pre-install",
        ", helm.sh/resource-policy: keep"
    ));
    assert!(!check("Namespace a pre-install", ""));
    assert!(!check(
        "CustomResourceDefinition a.example.com pre-install",
        ""
    ));
}

#[test]
fn what_has_become_a_resource_is_not_deleted() {
    let before = manifest(&["Job a pre-upgrade"]);
    let mut now = Manifest::default();
    now.resources.push(before.hooks[0].resource.clone());
    check_left(Remains::Current, &now, &before, &[]);
}

/// Checks what is written for a hook if its resource is there, as a hook's or not.
#[track_caller]
fn check_again(hook: &Hook, live: &Value, expected: (&str, usize)) {
    let desired = Manifest {
        hooks: vec![hook.clone()],
        ..Manifest::default()
    };
    let observed = Observed::from([(hook.resource.id.clone(), live.clone())]);
    let aim = HookAim {
        events: vec![HookEvent::PreUpgrade],
        ..HookAim::default()
    };
    let hooks = decide(&aim, (&desired, &[]), &observed);
    let step = &hooks.steps[0].step;
    let action = match step.action {
        Action::Create(_) => "create",
        Action::Recreate(_) => "anew",
        Action::Configure(..) => "in place",
        _ => "?",
    };
    assert_eq!((action, step.checked.objections.len()), expected, "{live}");
}

#[test]
fn what_is_there_makes_way_or_is_updated() {
    let ours = json!({"metadata": {"uid": "1", "annotations": {"helm.sh/hook": "pre-upgrade"}}});
    let foreign = json!({"metadata": {"uid": "1"}});
    let own = |policy: &str| format!(", helm.sh/hook-delete-policy: {policy}");
    let (job, map) = ("Job a pre-upgrade", "ConfigMap a pre-upgrade");
    check_again(&hook(job, ""), &ours, ("anew", 0));
    check_again(&hook(job, &own("hook-failed")), &ours, ("anew", 0));
    check_again(&hook(map, ""), &ours, ("anew", 0));
    check_again(&hook(map, &own("hook-failed")), &ours, ("in place", 0));
    check_again(&hook(map, ""), &foreign, ("anew", 1));
    let definition = "CustomResourceDefinition a.example.com pre-upgrade";
    check_again(&hook(definition, ""), &ours, ("in place", 0));
}

#[test]
fn each_event_has_its_hooks_and_each_hook_is_tried_once() {
    let desired = manifest(&[
        "Secret a pre-upgrade,post-upgrade",
        "Job b pre-install",
        "Job c post-upgrade",
    ]);
    let aim = HookAim {
        events: vec![HookEvent::PreUpgrade, HookEvent::PostUpgrade],
        ..HookAim::default()
    };
    let hooks = decide(&aim, (&desired, &[]), &Observed::new());
    let told = |steps: Vec<&HookStep>| {
        let told = steps
            .iter()
            .map(|one| format!("{} {}", one.event, one.step.id));
        told.collect::<Vec<_>>()
    };
    assert_eq!(told(hooks.before()), ["pre-upgrade Secret a"]);
    assert_eq!(
        told(hooks.after()),
        ["post-upgrade Secret a", "post-upgrade Job c"]
    );
    assert_eq!(hooks.tried().count(), 2);
}

#[test]
fn kinds_that_nobody_knows_cannot_run() {
    let strange = "apiVersion: example.com/v1\nkind: Odd\nmetadata: {name: a, annotations: {helm.sh/hook: test}}\n";
    let placement = Placement {
        namespace: NAMESPACE,
        kinds: &Kinds::default(),
    };
    let hook = Hook::recorded(0, ("web/hooks.yaml", strange), placement).unwrap();
    let error = HookStep::tests(&[hook], &Kinds::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the cluster does not know example.com/v1 Odd (web/hooks.yaml:1)"
    );
}
