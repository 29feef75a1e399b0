//! What others hold below a field that was applied: items of lists and entries of maps that merge.

use serde_json::Value;

use super::edit::Values;
use super::keyed::Index;
use crate::builtin::{Keyed, Presence, Shape};

/// Whether there is anything in a live value that merges with what was applied, and was not applied.
pub(super) fn holds_others(shape: Shape<'_>, values: &Values<'_>) -> bool {
    let mut fields = Values::object(values.live);
    match shape {
        Shape::Object(of, _) => fields.any(|(key, _)| {
            let shape = of.field(key);
            holds_others(shape, &values.field(key, shape))
        }),
        Shape::Map(of) => fields.any(|(key, _)| {
            let field = values.field(key, of.shape());
            is_foreign(&field) || holds_others(of.shape(), &field)
        }),
        Shape::Set(_) => {
            let mut items = Values::array(values.live).iter();
            let is_applied = |item: &Value| {
                let mut base = values.base.iter();
                base.any(|base| Values::array(*base).contains(item))
            };
            items.any(|item| !is_applied(item))
        }
        Shape::Keyed(keyed) => holds_items(keyed, values),
        _ => false,
    }
}

fn holds_items(keyed: &Keyed, values: &Values<'_>) -> bool {
    let Some(live) = Index::new(keyed, Values::array(values.live)) else {
        return false;
    };
    let base = values.base.iter();
    let base: Vec<_> = base
        .map(|base| Index::new(keyed, Values::array(*base)))
        .collect();
    live.items.iter().any(|(key, item)| {
        let of_item = Values {
            base: base.iter().map(|base| base.as_ref()?.get(key)).collect(),
            desired: None,
            live: Some(*item),
        };
        let shape = Shape::Object(keyed.item_type(), Presence::Always);
        is_foreign(&of_item) || holds_others(shape, &of_item)
    })
}

fn is_foreign(values: &Values<'_>) -> bool {
    values.base.iter().all(Option::is_none)
}
