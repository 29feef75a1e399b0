//! What stands in live resources and is left as it is: no chart speaks of it.
//!
//! A plan comes in with what it was made from, live resources with their managed fields among it; each field
//! that neither the wanted nor an applied form of its resource has goes out, with its owner. What belongs to
//! one owner as a whole is one field, the topmost. What only the API server writes (status, versions, managed
//! fields) is left out, and so is what is generated.

mod owners;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use serde_json::Value;

use super::diff::{self, Fields, Index, Path, Values};
use super::resource::Base;
use super::{Action, Inputs, Plan, Step, resource};
use crate::builtin::{Keyed, Presence, Shape, Type};
use crate::manifest::{Resource, ResourceId};
use owners::{Owners, Share};

pub use owners::Whose;

/// A field that the plan leaves as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Untouched {
    /// Where it stands; everything below it has the same owner.
    pub path: String,
    /// The live value.
    pub live: Value,
    /// Whose it is.
    pub whose: Whose,
}

impl Plan {
    /// The resources that exist and are written as they are, or stay.
    pub fn staying(&self) -> impl Iterator<Item = &Step> {
        self.steps().filter(|step| stays(step))
    }

    /// Takes note of what is left alone in each resource that stays. What `inputs` observe has to have its
    /// managed fields.
    pub fn survey(&mut self, inputs: &Inputs<'_>) {
        let base = Base::new(inputs);
        let wanted = inputs.desired.resources.iter();
        let wanted: BTreeMap<&ResourceId, &Resource> =
            wanted.map(|resource| (&resource.id, resource)).collect();
        let stages = self.stages.iter_mut();
        let steps = stages.flat_map(|stage| &mut stage.phases).flatten();
        for step in steps.filter(|step| stays(step)) {
            if let Some(resource) = wanted.get(&step.id)
                && let Some(live) = inputs.observed.get(&step.id)
            {
                let sides = Sides::of(resource, live, (inputs, &base));
                step.checked.untouched = sides.compare(inputs.schema(resource), live);
            }
        }
    }
}

fn stays(step: &Step) -> bool {
    matches!(step.action, Action::Configure(..) | Action::Unchanged)
}

/// What has been said of a resource.
struct Sides<'a> {
    base: Vec<Cow<'a, Value>>,
    desired: Value,
}

impl<'a> Sides<'a> {
    fn of(resource: &Resource, live: &Value, (inputs, base): (&Inputs<'_>, &'a Base<'_>)) -> Self {
        let applied = base.resources.get(&resource.id).into_iter().flatten();
        let mut base: Vec<Cow<'_, Value>> = applied.map(|(_, body)| diff::folded(body)).collect();
        // They are ours and stand in no manifest.
        base.extend(resource::stale_stamps(live).map(Cow::Owned));
        let desired = inputs.owner.marked(&resource.body);
        Self {
            base,
            desired: diff::folded(&desired).into_owned(),
        }
    }

    fn compare(&self, schema: Option<Type<'_>>, live: &Value) -> Vec<Untouched> {
        let values = Values {
            base: self.base.iter().map(|body| Some(&**body)).collect(),
            desired: Some(&self.desired),
            live: Some(live),
        };
        let fields = schema.map_or(Fields::Bare, Fields::Typed);
        let mut survey = Survey::default();
        survey.fields(fields, &values, &Owners::of(live));
        let mut found = survey.found;
        found.sort_by(|a, b| a.path.cmp(&b.path));
        found
    }
}

fn index<'v>(keyed: &Keyed, side: Option<&'v Value>) -> Option<Index<'v>> {
    Index::new(keyed, Values::array(side))
}

/// The state of one walk down a live resource.
#[derive(Default)]
struct Survey {
    path: Path,
    found: Vec<Untouched>,
}

impl Survey {
    /// Looks at the fields of an object that was spoken of.
    fn fields(&mut self, fields: Fields<'_>, values: &Values<'_>, owners: &Owners<'_>) {
        for (key, _) in Values::object(values.live) {
            if diff::is_servers(self.path.as_str(), key) {
                continue;
            }
            let shape = fields.shape(key);
            let mark = self.path.push_field(key);
            self.value(shape, &values.field(key, shape), &owners.field(key));
            self.path.truncate(mark);
        }
    }

    fn value(&mut self, shape: Shape<'_>, values: &Values<'_>, owners: &Owners<'_>) {
        let Some(live) = values.live else {
            return;
        };
        if values.desired.is_none() {
            if values.base.iter().all(Option::is_none) {
                self.unspoken(shape, live, owners);
                return;
            }
            if !diff::is_shared(shape) {
                // It goes, with all that is in it.
                return;
            }
        }
        match (shape, live) {
            (Shape::Object(of, _), Value::Object(_)) => {
                self.fields(Fields::Typed(of), values, owners);
            }
            (Shape::Map(of), Value::Object(_)) => self.fields(Fields::Each(of), values, owners),
            (Shape::Unknown, Value::Object(_)) => self.fields(Fields::Unknown, values, owners),
            (Shape::Keyed(keyed), Value::Array(_)) => self.keyed(keyed, values, owners),
            (Shape::Set(_), Value::Array(items)) => self.set(items, values, owners),
            // It is replaced as a whole.
            _ => {}
        }
    }

    fn keyed(&mut self, keyed: &Keyed, values: &Values<'_>, owners: &Owners<'_>) {
        let lists = (index(keyed, values.live), index(keyed, values.desired));
        let (Some(live), Some(desired)) = lists else {
            return;
        };
        let base: Vec<_> = values.base.iter().map(|base| index(keyed, *base)).collect();
        for (key, item) in &live.items {
            let of_item = Values {
                base: base.iter().map(|base| base.as_ref()?.get(key)).collect(),
                desired: desired.get(key),
                live: Some(*item),
            };
            let mark = self.path.push_item(keyed, item);
            let shape = Shape::Object(keyed.item_type(), keyed.item_presence());
            let is_applied = of_item.base.iter().any(Option::is_some);
            if of_item.desired.is_some() || !is_applied {
                self.value(shape, &of_item, &owners.item(item));
            }
            self.path.truncate(mark);
        }
    }

    fn set(&mut self, items: &[Value], values: &Values<'_>, owners: &Owners<'_>) {
        let sides = values.base.iter().chain([&values.desired]);
        let spoken: HashSet<&Value> = sides.flat_map(|side| Values::array(*side)).collect();
        for (index, item) in items.iter().enumerate() {
            if !spoken.contains(item) {
                let mark = self.path.push_index(index);
                self.unspoken(Shape::Unknown, item, &owners.item(item));
                self.path.truncate(mark);
            }
        }
    }

    /// Takes note of whose a value is that nobody speaks of: as a whole where it has one owner.
    fn unspoken(&mut self, shape: Shape<'_>, live: &Value, owners: &Owners<'_>) {
        match owners.share(live) {
            Share::Nobody | Share::Own => {}
            Share::One(whose) => self.found.push(Untouched {
                path: self.path.as_str().to_owned(),
                live: live.clone(),
                whose,
            }),
            Share::Several => self.parts(shape, live, owners),
        }
    }

    fn parts(&mut self, shape: Shape<'_>, live: &Value, owners: &Owners<'_>) {
        let fields = match shape {
            Shape::Object(of, _) => Fields::Typed(of),
            Shape::Map(of) => Fields::Each(of),
            _ => Fields::Unknown,
        };
        for (key, value) in Values::object(Some(live)) {
            let mark = self.path.push_field(key);
            self.unspoken(fields.shape(key), value, &owners.field(key));
            self.path.truncate(mark);
        }
        for (index, item) in Values::array(Some(live)).iter().enumerate() {
            let (mark, shape) = match shape {
                Shape::Keyed(keyed) => {
                    let of = Shape::Object(keyed.item_type(), Presence::Optional);
                    (self.path.push_item(keyed, item), of)
                }
                Shape::Items(of) => (self.path.push_index(index), of.shape()),
                _ => (self.path.push_index(index), Shape::Unknown),
            };
            self.unspoken(shape, item, &owners.item(item));
            self.path.truncate(mark);
        }
    }
}

#[cfg(test)]
mod tests;
