//! Order and policies of hooks, as Helm has them.

use super::*;
use crate::capabilities::Kinds;
use crate::manifest::Placement;

fn hook((kind, name): (&str, &str), annotations: &str) -> Hook {
    let version = match kind {
        "Job" => "batch/v1",
        "CustomResourceDefinition" => "apiextensions.k8s.io/v1",
        _ => "v1",
    };
    let text = format!(
        "apiVersion: {version}\nkind: {kind}\nmetadata:\n  name: {name}\n  annotations: {{{annotations}}}\n"
    );
    let placement = Placement {
        namespace: "shop",
        kinds: &Kinds::default(),
    };
    Hook::recorded(0, ("web/templates/hooks.yaml", &text), placement).unwrap()
}

/// Checks in which order hooks of these kinds, names and weights run before an installation.
#[track_caller]
fn check_order(hooks: &[(&str, &str, &str)], expected: &[&str]) {
    let hook = |(kind, name, weight): &(&str, &str, &str)| {
        let annotations = format!("helm.sh/hook: pre-install, helm.sh/hook-weight: '{weight}'");
        hook((kind, name), &annotations)
    };
    let hooks: Vec<Hook> = hooks.iter().map(hook).collect();
    let order = in_order(&hooks, HookEvent::PreInstall);
    let order: Vec<_> = order
        .iter()
        .map(|hook| hook.resource.id.to_string())
        .collect();
    assert_eq!(order, expected);
    assert!(in_order(&hooks, HookEvent::PostInstall).is_empty());
}

#[test]
fn hooks_run_by_weight_then_name_then_as_recorded() {
    check_order(
        &[
            ("Secret", "b", "0"),
            ("ConfigMap", "b", "0"),
            ("Job", "c", "-5"),
            ("Job", "a", "0"),
            ("Job", "z", "-10"),
            ("Pod", "b", "3"),
            // What is no number is 0.
            ("Job", "aa", "first"),
        ],
        &[
            "Job z",
            "Job c",
            "Job a",
            "Job aa",
            "Secret b",
            "ConfigMap b",
            "Pod b",
        ],
    );
    check_order(&[], &[]);
}

/// Checks by which policies the resource of a hook is deleted: before creation, after success, after
/// failure.
#[track_caller]
fn check_policies(kind: &str, policies: &str, expected: [bool; 3]) {
    let hook = hook((kind, "a"), policies);
    let all = DeletePolicy::ALL.map(|(_, policy)| hook.is_deleted(policy));
    assert_eq!(all, expected, "{kind} {policies}");
}

#[test]
fn policies_say_when_a_hook_is_deleted() {
    let with = |policies: &str| format!("helm.sh/hook-delete-policy: '{policies}'");
    check_policies("Job", "", [true, false, false]);
    check_policies("Job", &with("hook-succeeded"), [false, true, false]);
    check_policies("Job", &with("hook-failed"), [false, false, true]);
    let all = with("Before-Hook-Creation, hook-succeeded,hook-failed");
    check_policies("ConfigMap", &all, [true, true, true]);
    check_policies("CustomResourceDefinition", &all, [false, false, false]);
    // A record may hold what Helm does not know either.
    check_policies("Job", &with("never,hook-failed"), [false, false, true]);
}

#[test]
fn jobs_and_pods_run_to_an_end() {
    for (kind, is_run) in [("Job", true), ("Pod", true), ("ConfigMap", false)] {
        assert_eq!(hook((kind, "a"), "").is_run(), is_run, "{kind}");
    }
}

#[test]
fn every_event_comes_before_or_after() {
    let before = HookEvent::ALL.iter().filter(|(_, event)| event.is_before());
    let before: Vec<_> = before.map(|(name, _)| *name).collect();
    assert_eq!(
        before,
        ["pre-install", "pre-delete", "pre-upgrade", "pre-rollback"]
    );
    assert_eq!(HookEvent::named("test-success"), Some(HookEvent::Test));
}
