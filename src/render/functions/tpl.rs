//! The filter that renders text of the values as a template.

use std::cell::Cell;

use tera::{Context, TeraResult, Value};

use super::{Call, Entry};
use crate::render::OUTPUT_BYTES;
use crate::render::context::ROOTS;
use crate::render::explain::{Source, explain_inner};
use crate::render::strict::{self, Rewritten};
use crate::render::writer::{Crossed, Sink};

pub(super) const FILTERS: &[Entry] = &[Entry {
    name: "tpl",
    arguments: &["vars"],
    body: tpl,
}];

/// A text may call `tpl` again so often.
const MAX_LEVELS: usize = 4;

thread_local! {
    /// How many calls of `tpl` run inside each other. The engine has no place for it that a
    /// component could not hide, and a rendering never leaves its thread.
    static LEVELS: Cell<usize> = const { Cell::new(0) };
}

/// One level, for as long as it lives.
struct Level;

impl Level {
    fn enter() -> Option<Self> {
        LEVELS.with(|levels| {
            (levels.get() < MAX_LEVELS).then(|| {
                levels.set(levels.get() + 1);
                Self
            })
        })
    }
}

impl Drop for Level {
    fn drop(&mut self) {
        LEVELS.with(|levels| levels.set(levels.get() - 1));
    }
}

fn tpl(call: &Call<'_>) -> TeraResult<Value> {
    let text = call.text()?;
    if !["{{", "{%", "{#"].iter().any(|start| text.contains(start)) {
        return Ok(Value::from(text));
    }
    let Some(_level) = Level::enter() else {
        return Err(call.error(format_args!("it calls itself more than {MAX_LEVELS} times")));
    };
    if strict::dump(&text).is_some() {
        return Err(call.error("__tera_context is not available: it would print every value"));
    }
    let Some(tera) = call.bound.tera.get().and_then(std::sync::Weak::upgrade) else {
        return Err(call.error("the templates are not loaded yet"));
    };
    let context = context(call)?;
    let names = &call.bound.names;
    let edits = names.edits(&strict::named(&text));
    let edits = edits.map_err(|ambiguous| call.error(ambiguous.message))?;
    let Rewritten {
        text: strict,
        shifts,
    } = strict::rewrite(&text, edits);
    let mut sink = Sink::new(OUTPUT_BYTES, None);
    let result = tera.render_str_to(&strict, &context, false, &mut sink);
    if sink.crossed() == Some(Crossed::Bytes) {
        let message = format_args!("the output is larger than the limit of {OUTPUT_BYTES} bytes");
        return Err(call.error(message));
    }
    match result {
        Ok(()) => Ok(Value::from(sink.into_text().unwrap_or_default())),
        Err(error) => {
            let source = Source {
                text,
                shifts,
                includes: vec![],
            };
            Err(call.error(explain_inner(&error, &source, &context, names)))
        }
    }
}

/// What the text can see: what every template can see, as far as it is visible where the call
/// stands, and `vars`.
fn context(call: &Call<'_>) -> TeraResult<Context> {
    let mut context = Context::new();
    for name in ROOTS {
        if let Some(value) = call.state.get::<Value>(name)? {
            context.insert_value(name, value);
        }
    }
    if call.optional("vars")?.is_some() {
        for (key, value) in call.argument_map("vars")? {
            context.insert_value(key.to_string(), value.clone());
        }
    }
    Ok(context)
}
