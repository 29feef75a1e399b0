//! What is made of what is seen of resources.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Change, ResourceId, Scope, name};

/// What a wait knows of its resources, and when it may end.
pub(super) trait Goal {
    /// Takes note of a resource; none if it does not exist.
    fn note(&mut self, id: &ResourceId, live: Option<&Value>);
    /// Whether waiting on is of no use, well or badly.
    fn is_decided(&self) -> bool;
    /// Whether anything may still happen to these resources as they are now.
    fn is_settled(&self, scope: &Scope<'_>, live: &[Value]) -> bool;
    /// Takes note of a change as a whole, also of pods that what is waited for has made.
    fn look(&mut self, _: &Scope<'_>, _: &Change) {}
}

/// Tells of a change in a scope.
pub(super) fn take(goal: &mut impl Goal, scope: &Scope<'_>, change: &Change) {
    match change {
        Change::All(live) => note_all(goal, scope, live),
        Change::One(live) => note(goal, scope, (name(live), Some(live))),
        Change::Gone(name) => note(goal, scope, (name, None)),
    }
    goal.look(scope, change);
}

/// Tells of the resource of this name in the scope, if it is one that is waited for.
fn note(goal: &mut impl Goal, scope: &Scope<'_>, (name, live): (&str, Option<&Value>)) {
    if let Some(id) = scope.ids.get(name) {
        goal.note(id, live);
    }
}

/// Tells of all resources of the scope: those that are not listed do not exist.
fn note_all(goal: &mut impl Goal, scope: &Scope<'_>, live: &[Value]) {
    for body in live {
        note(goal, scope, (name(body), Some(body)));
    }
    let found: BTreeSet<&str> = live.iter().map(name).collect();
    for (name, id) in &scope.ids {
        if !found.contains(name) {
            goal.note(id, None);
        }
    }
}
