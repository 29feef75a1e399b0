//! From a document to a [`Hook`].

use serde_json::Value;

use super::{
    DELETE_POLICY, DeletePolicy, EVENTS, Hook, HookEvent, OUTPUT_LOG_POLICY, OutputLogPolicy,
    WEIGHT,
};
use crate::manifest::cut::{self, Cut};
use crate::manifest::parse::{self, Placement};
use crate::manifest::{Error, Origin, annotation};
use crate::yaml;

/// Reads a hook that is rendered now.
pub(in crate::manifest) fn of(
    body: Value,
    cut: Cut,
    placement: Placement<'_>,
) -> Result<Hook, Error> {
    let origin = origin(&cut);
    let wrong = |message: String| Error::Resource {
        origin: origin.clone(),
        message,
    };
    let unknown = |key: &str, name: &str| wrong(format!("{key} has the unknown value {name:?}"));
    let events = named(&body, EVENTS, HookEvent::named);
    let events = events.map_err(|name| unknown(EVENTS, &name))?;
    let delete_policies = named(&body, DELETE_POLICY, DeletePolicy::named);
    let delete_policies = delete_policies.map_err(|name| unknown(DELETE_POLICY, &name))?;
    let output_log_policies = named(&body, OUTPUT_LOG_POLICY, OutputLogPolicy::named);
    let output_log_policies =
        output_log_policies.map_err(|name| unknown(OUTPUT_LOG_POLICY, &name))?;
    let weight = match annotation(&body, WEIGHT) {
        None => 0,
        Some(text) => (text.trim().parse())
            .map_err(|_| wrong(format!("{WEIGHT} is {text:?}, not an integer")))?,
    };
    Ok(Hook {
        index: 0,
        resource: parse::resource(body, origin, placement)?,
        text: cut.text,
        events,
        weight,
        delete_policies,
        output_log_policies,
    })
}

impl Hook {
    /// Reads the hook at `index` of a record, from its template and its text.
    ///
    /// What Helm does not know either does not count: unknown policies, and a weight that is no
    /// number.
    ///
    /// # Errors
    /// If the text is not YAML or no resource with a name.
    pub fn recorded(
        index: usize,
        (template, text): (&str, &str),
        placement: Placement<'_>,
    ) -> Result<Self, Error> {
        let cut = Cut {
            template: template.to_owned(),
            line: 1,
            text: text.to_owned(),
        };
        let body = yaml::parse(text).map_err(|fault| cut::yaml_error(&cut, fault))?;
        let weight = annotation(&body, WEIGHT).and_then(|text| text.trim().parse().ok());
        Ok(Self {
            index,
            events: known(&body, EVENTS, HookEvent::named),
            weight: weight.unwrap_or_default(),
            delete_policies: known(&body, DELETE_POLICY, DeletePolicy::named),
            output_log_policies: known(&body, OUTPUT_LOG_POLICY, OutputLogPolicy::named),
            resource: parse::resource(body, origin(&cut), placement)?,
            text: cut.text,
        })
    }
}

fn origin(cut: &Cut) -> Origin {
    Origin {
        template: cut.template.clone(),
        line: cut.line,
    }
}

/// The names in the comma list of an annotation, in lower case.
fn names(body: &Value, key: &str) -> Vec<String> {
    let list = annotation(body, key).into_iter();
    let names = list.flat_map(|list| list.split(','));
    names.map(|name| name.trim().to_lowercase()).collect()
}

/// What the names in an annotation stand for; the first that stands for nothing is the error.
fn named<T>(body: &Value, key: &str, find: fn(&str) -> Option<T>) -> Result<Vec<T>, String> {
    let names = names(body, key).into_iter();
    names.map(|name| find(&name).ok_or(name)).collect()
}

/// What the names in an annotation stand for that are known.
fn known<T>(body: &Value, key: &str, find: fn(&str) -> Option<T>) -> Vec<T> {
    names(body, key)
        .iter()
        .filter_map(|name| find(name))
        .collect()
}
