//! What has changed between a plan in a file and the one that would be made now.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Difference, Known, Planned, PlannedField};
use crate::manifest::ResourceId;
use crate::plan::Effect;

/// Tells how the history of a release is another one than when it was planned from.
pub fn history(planned: &[Known], now: &[Known]) -> Vec<Difference> {
    let find = |all: &'_ [Known], wanted: u32| {
        let mut all = all.iter();
        all.find(|known| known.revision == wanted).cloned()
    };
    let mut found = vec![];
    let mut tell = |revision: u32, what: String| {
        found.push(Difference::new(format!("revision {revision}"), what));
    };
    for known in now {
        match find(planned, known.revision) {
            None => tell(
                known.revision,
                format!("it was made since, and is {}", known.status),
            ),
            Some(then) if then.status != known.status => tell(
                known.revision,
                format!("it is {}, and was {}", known.status, then.status),
            ),
            Some(then) if then.version != known.version => tell(
                known.revision,
                "its record was written by somebody".to_owned(),
            ),
            Some(_) => {}
        }
    }
    for then in planned {
        if find(now, then.revision).is_none() {
            tell(then.revision, "its record was deleted".to_owned());
        }
    }
    found
}

/// Tells how a plan that is made now differs from the one in a file, resource by resource. What
/// rests on a status alone, such as the order, is no difference.
pub fn compare(planned: &[Planned], now: &[Planned]) -> Vec<Difference> {
    let by_id = |all: &'_ [Planned]| -> BTreeMap<ResourceId, Planned> {
        let all = all.iter();
        all.map(|one| (one.id(), one.clone())).collect()
    };
    let (then, now) = (by_id(planned), by_id(now));
    let mut found = vec![];
    for (id, one) in &now {
        let what = match then.get(id) {
            Some(before) => changes(before, one),
            None => vec![format!("it would be {} now as well", done(one.action))],
        };
        found.extend((what.into_iter()).map(|what| Difference::new(id.to_string(), what)));
    }
    for (id, one) in &then {
        if !now.contains_key(id) {
            let what = match one.uid {
                Some(_) => "it was deleted".to_owned(),
                None => format!("it would not be {} any more", done(one.action)),
            };
            found.push(Difference::new(id.to_string(), what));
        }
    }
    found
}

/// What has changed about one resource.
fn changes(then: &Planned, now: &Planned) -> Vec<String> {
    match (&then.uid, &now.uid) {
        // What was waited for has happened.
        (Some(_), None) if then.being_deleted => {}
        (Some(_), None) => return vec!["it was deleted".to_owned()],
        (None, Some(_)) => return vec!["it was created by somebody".to_owned()],
        (Some(one), Some(other)) if one != other => {
            return vec!["it was deleted and made anew".to_owned()];
        }
        (Some(_), Some(_)) if now.being_deleted && !then.being_deleted => {
            return vec!["it is being deleted".to_owned()];
        }
        _ => {}
    }
    let mut found = fields(&then.fields, &now.fields);
    if found.is_empty() && then.state != now.state {
        found.push("it was changed by somebody".to_owned());
    }
    if found.is_empty() && then.action != now.action {
        let (now, then) = (done(now.action), done(then.action));
        found.push(format!("it would be {now} now, and not {then}"));
    }
    if found.is_empty()
        && (&then.sends, &then.known_after_apply) != (&now.sends, &now.known_after_apply)
    {
        found.push("what is wanted of it has changed".to_owned());
    }
    found
}

fn fields(then: &[PlannedField], now: &[PlannedField]) -> Vec<String> {
    let mut found = vec![];
    for one in now {
        let mut before = then.iter();
        match before.find(|other| other.path == one.path) {
            Some(other) if other.old != one.old => found.push(became(one)),
            Some(other) if other.new != one.new => {
                let (now, then) = (shown(one.new.as_ref()), shown(other.new.as_ref()));
                found.push(format!("{} would become {now}, and not {then}", one.path));
            }
            Some(_) => {}
            None => found.push(became(one)),
        }
    }
    for one in then {
        if !now.iter().any(|other| other.path == one.path) {
            let what = shown(one.new.as_ref());
            found.push(format!("{} is {what} already", one.path));
        }
    }
    found
}

fn became(field: &PlannedField) -> String {
    match &field.old {
        Some(old) => format!("{} was changed to {}", field.path, shown(Some(old))),
        None => format!("{} was removed", field.path),
    }
}

fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "absent".to_owned(), ToString::to_string)
}

fn done(action: Effect) -> &'static str {
    match action {
        Effect::Issue => "issued",
        Effect::Create => "created",
        Effect::Configure => "configured",
        Effect::Recreate => "recreated",
        Effect::Unchanged => "left alone",
        Effect::Delete => "deleted",
        Effect::Keep => "kept",
    }
}
