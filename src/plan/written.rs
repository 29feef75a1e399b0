//! How one resource is written: by patches or by server-side apply.

use serde_json::Value;

use super::checked::Checked;
use super::objection::{About, Class, Objection};
use super::server_side::{self, Apply};
use super::{Action, Inputs, Method, clash};
use crate::builtin::Type;
use crate::manifest::Resource;

/// How a resource comes to be as it is wanted, and what the user has to do by hand after it.
pub(super) struct Written {
    pub(super) action: Action,
    pub(super) apply: Option<Apply>,
    pub(super) remark: Option<String>,
}

/// Plans a resource that is absent.
pub(super) fn create(desired: Value, inputs: &Inputs<'_>) -> Written {
    let body = if inputs.method.is_server_side() {
        server_side::lean(&desired)
    } else {
        desired
    };
    Written {
        apply: created(&body, inputs),
        action: Action::Create(body),
        remark: None,
    }
}

fn created(body: &Value, inputs: &Inputs<'_>) -> Option<Apply> {
    let is_server_side = inputs.method.is_server_side();
    is_server_side
        .then(|| server_side::creation(body))
        .flatten()
}

/// The same, where what is made anew is created by server-side apply.
pub(super) fn anew(mut written: Written, inputs: &Inputs<'_>) -> Written {
    if let Action::Recreate(recreation) = &mut written.action
        && inputs.method.is_server_side()
    {
        recreation.body = server_side::lean(&recreation.body);
        written.apply = created(&recreation.body, inputs);
    }
    written
}

/// Takes note of items that stand twice in a list, which neither an apply nor a custom resource takes.
pub(super) fn twice(resource: &Resource, inputs: &Inputs<'_>, checked: &mut Checked) {
    let Some(schema) = inputs.schema(resource) else {
        return;
    };
    for text in clash::duplicates(resource, inputs.desired, schema) {
        let of_whom = match inputs.method {
            Method::ServerSide(_) => "server-side apply",
            Method::ClientSide if schema.is_custom() => "the API server",
            Method::ClientSide => "",
        };
        if of_whom.is_empty() {
            checked.warning(format!("{text}: the second one counts"));
        } else {
            checked.objections.push(Objection {
                id: resource.id.clone(),
                origin: Some(resource.origin.clone()),
                about: About::Itself,
                reason: format!("{text}, which {of_whom} does not take"),
                remedy: None,
                class: Class::Refused,
            });
        }
    }
}

/// The same change by server-side apply.
pub(super) fn apply_instead(
    written: Written,
    (schema, sides): (Option<Type<'_>>, &server_side::Sides<'_>),
    checked: &mut Checked,
) -> Written {
    let (difference, precondition) = match written.action {
        Action::Configure(difference, precondition) => (Some(difference), Some(precondition)),
        _ => (None, None),
    };
    let planned = server_side::change(sides, schema, difference);
    for text in planned.left {
        checked.warning(text);
    }
    Written {
        action: match planned.difference.zip(precondition) {
            Some((difference, precondition)) => Action::Configure(difference, precondition),
            None => Action::Unchanged,
        },
        apply: planned.apply,
        remark: planned.remark,
    }
}
