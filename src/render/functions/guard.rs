//! What refuses values, and what chooses by conditions.

use tera::{TeraResult, Value};

use super::{Call, Entry, refusal};

pub(super) const FILTERS: &[Entry] = &[
    Entry {
        name: "required",
        arguments: &["message"],
        body: required,
    },
    Entry {
        name: "ternary",
        arguments: &["yes", "no"],
        body: ternary,
    },
];

pub(super) const FUNCTIONS: &[Entry] = &[
    Entry {
        name: "fail",
        arguments: &["message"],
        body: fail,
    },
    Entry {
        name: "has_api",
        arguments: &["name"],
        body: has_api,
    },
];

fn required(call: &Call<'_>) -> TeraResult<Value> {
    let message = call.argument_text("message")?;
    let value = call.value;
    if value.is_undefined() || value.is_none() || value.as_str() == Some("") {
        return Err(refusal(message));
    }
    Ok(value.clone())
}

fn fail(call: &Call<'_>) -> TeraResult<Value> {
    Err(refusal(call.argument_text("message")?))
}

fn ternary(call: &Call<'_>) -> TeraResult<Value> {
    let (yes, no) = (call.argument("yes")?, call.argument("no")?);
    Ok(if call.value()?.is_truthy() { yes } else { no }.clone())
}

fn has_api(call: &Call<'_>) -> TeraResult<Value> {
    let name = call.argument_text("name")?;
    let Some(capabilities) = call.state.get::<Value>("capabilities")? else {
        return Err(call.error("a component that calls it must declare @capabilities"));
    };
    let served = (capabilities.get_from_path("api_versions")).and_then(Value::as_array);
    let found = served
        .unwrap_or_default()
        .iter()
        .any(|api| api.as_str() == Some(&name));
    Ok(Value::from(found))
}
