//! Values and how their layers merge.
//!
//! A chart's defaults and the user's layers come in, final values go out. There are two merges:
//! [`Values::layer`] puts one user layer over another and keeps nulls, [`Values::coalesce`] puts
//! the result over the defaults, where a null deletes. In both, mappings join key by key and
//! anything else is replaced.

mod origins;
mod overrides;
pub mod set;

use serde::{Deserialize, Serialize};
use serde_json::map::Entry;
use serde_json::{Map, Value};

use super::{Error, Position};
use crate::yaml;

pub use origins::{Change, Leaf, Origin, Origins};
pub use overrides::{Layer, Overrides};

/// A tree of values: what a chart is rendered with.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Values(pub Map<String, Value>);

impl Values {
    /// Tells whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads values from the YAML `text` of `file`, which is only named in errors.
    ///
    /// Several documents are merged, later ones over earlier ones, as Helm does. Empty text is no
    /// values.
    ///
    /// # Errors
    /// If `text` is not YAML or a document is not a mapping.
    pub fn parse(file: &str, text: &str) -> Result<Self, Error> {
        let documents = yaml::parse_all(text).map_err(|cause| Error::yaml(file, cause))?;
        let mut values = Self::default();
        for document in documents {
            let Value::Object(map) = document.value else {
                let at = Position {
                    file: file.to_owned(),
                    line: document.line,
                    column: 1,
                };
                return Err(Error::ValuesNotMapping { at });
            };
            values.layer(Self(map));
        }
        Ok(values)
    }

    /// Puts `over` on top: its keys win, mappings join, and its nulls stay as they are.
    pub fn layer(&mut self, over: Self) {
        layer(&mut self.0, over.0);
    }

    /// The keys of these values that `others` have not, each with dots before it where it stands
    /// deeper; of a mapping that is missing as a whole only its own key.
    pub fn missing_from(&self, others: &Self) -> Vec<String> {
        let mut missing = vec![];
        collect_missing((&self.0, &others.0), &mut vec![], &mut missing);
        missing
    }

    /// Puts the user's `config` over a chart's `defaults`.
    ///
    /// A null in `config` deletes the default of that key, at every depth; without a default it
    /// stays, as in Helm. A null in the defaults is a key that is present and null.
    #[must_use]
    pub fn coalesce(defaults: &Self, config: &Self) -> Self {
        let mut all = config.clone();
        complete(&mut all.0, defaults.0.clone());
        all
    }
}

fn collect_missing<'a>(
    (values, others): (&'a Map<String, Value>, &Map<String, Value>),
    path: &mut Vec<&'a str>,
    missing: &mut Vec<String>,
) {
    for (key, value) in values {
        path.push(key);
        match (value, others.get(key)) {
            (_, None) => missing.push(path.join(".")),
            (Value::Object(values), Some(Value::Object(others))) => {
                collect_missing((values, others), path, missing);
            }
            _ => {}
        }
        path.pop();
    }
}

pub(super) fn layer(base: &mut Map<String, Value>, over: Map<String, Value>) {
    for (key, value) in over {
        match base.entry(key) {
            Entry::Vacant(entry) => {
                entry.insert(value);
            }
            Entry::Occupied(mut entry) => match (entry.get_mut(), value) {
                (Value::Object(below), Value::Object(above)) => layer(below, above),
                (below, above) => *below = above,
            },
        }
    }
}

/// Puts `defaults` below `config`, as [`Values::coalesce`] does. Both may be large, so nothing of them is
/// copied.
pub(super) fn complete(config: &mut Map<String, Value>, defaults: Map<String, Value>) {
    for (key, default) in defaults {
        match config.entry(key) {
            Entry::Vacant(entry) => {
                entry.insert(default);
            }
            Entry::Occupied(mut entry) => match (entry.get_mut(), default) {
                (Value::Null, _) => {
                    entry.remove();
                }
                (Value::Object(above), Value::Object(below)) => complete(above, below),
                _ => {}
            },
        }
    }
}

#[cfg(test)]
fn coalesce(defaults: &Map<String, Value>, config: &Map<String, Value>) -> Map<String, Value> {
    let mut all = config.clone();
    complete(&mut all, defaults.clone());
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn values(value: Value) -> Values {
        serde_json::from_value(value).unwrap()
    }

    #[track_caller]
    fn check_layer(base: Value, over: Value, expected: &Value) {
        let mut base = values(base);
        base.layer(values(over));
        assert_eq!(&Value::Object(base.0), expected);
    }

    #[track_caller]
    fn check_coalesce(defaults: Value, config: Value, expected: &Value) {
        let result = Values::coalesce(&values(defaults), &values(config));
        assert_eq!(&Value::Object(result.0), expected);
    }

    #[test]
    fn keys_that_others_lack_are_named() {
        let mine = values(json!({"a": 1, "b": {"c": 1, "d": {"e": 1}}, "f": {"g": 1}, "h": 1}));
        let others = values(json!({"a": 2, "b": {"d": {}}, "h": {"i": 1}}));
        assert_eq!(mine.missing_from(&others), ["b.c", "b.d.e", "f"]);
    }

    #[test]
    fn mappings_join_and_the_rest_is_replaced() {
        check_layer(
            json!({"a": {"b": 1, "c": 2}, "l": [1, 2]}),
            json!({"a": {"b": 3}, "l": [9], "n": 1}),
            &json!({"a": {"b": 3, "c": 2}, "l": [9], "n": 1}),
        );
        check_layer(json!({"a": {"b": 1}}), json!({"a": 1}), &json!({"a": 1}));
        check_layer(
            json!({"a": 1}),
            json!({"a": {"b": 1}}),
            &json!({"a": {"b": 1}}),
        );
    }

    #[test]
    fn nulls_stay_between_layers() {
        check_layer(
            json!({"a": {"b": 1}}),
            json!({"a": null}),
            &json!({"a": null}),
        );
        check_layer(
            json!({"a": null}),
            json!({"a": {"b": 1}}),
            &json!({"a": {"b": 1}}),
        );
    }

    #[test]
    fn a_null_deletes_a_default_at_every_depth() {
        check_coalesce(
            json!({"a": 1, "b": {"c": 1, "d": {"e": 1, "f": 2}}}),
            json!({"a": null, "b": {"c": null, "d": {"e": null}}}),
            &json!({"b": {"d": {"f": 2}}}),
        );
        check_coalesce(json!({"a": {"b": 1}}), json!({"a": null}), &json!({}));
    }

    #[test]
    fn a_null_without_a_default_stays() {
        check_coalesce(json!({}), json!({"a": null}), &json!({"a": null}));
        check_coalesce(
            json!({"b": {}}),
            json!({"b": {"c": null}}),
            &json!({"b": {"c": null}}),
        );
    }

    #[test]
    fn a_null_in_the_defaults_is_a_key() {
        check_coalesce(json!({"a": null}), json!({}), &json!({"a": null}));
        check_coalesce(
            json!({"a": {"b": null}}),
            json!({"a": {}}),
            &json!({"a": {"b": null}}),
        );
        check_coalesce(
            json!({"a": null}),
            json!({"a": {"b": 1}}),
            &json!({"a": {"b": 1}}),
        );
    }

    #[test]
    fn documents_of_one_file_are_merged() {
        let parsed = Values::parse("v.yaml", "a: {b: 1}\n---\n---\na: {c: 2}\n").unwrap();
        assert_eq!(parsed, values(json!({"a": {"b": 1, "c": 2}})));
        assert_eq!(
            Values::parse("v.yaml", "# nothing\n").unwrap(),
            Values::default()
        );
    }

    #[track_caller]
    fn check_error(text: &str, expected: &str) {
        assert_eq!(
            Values::parse("v.yaml", text).unwrap_err().to_string(),
            expected
        );
    }

    #[test]
    fn faults_name_the_place() {
        check_error("a: 1\n---\n- 1\n", "v.yaml:3:1: values must be a mapping");
        check_error("a: 1\na: 2\n", "v.yaml:2:1: not valid YAML");
    }

    fn tree() -> impl Strategy<Value = Map<String, Value>> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i8>().prop_map(Value::from),
            Just(json!([1, null])),
        ];
        let node = leaf.prop_recursive(3, 24, 4, |inner| {
            prop::collection::btree_map("[a-d]", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect()))
        });
        prop::collection::btree_map("[a-d]", node, 0..4).prop_map(|map| map.into_iter().collect())
    }

    /// Every null of `config` that had a default is gone; every other value of it won.
    fn config_won(
        defaults: &Map<String, Value>,
        config: &Map<String, Value>,
        result: &Map<String, Value>,
    ) -> bool {
        config
            .iter()
            .all(|(key, chosen)| match (defaults.get(key), chosen) {
                (Some(_), Value::Null) => !result.contains_key(key),
                (Some(Value::Object(below)), Value::Object(above)) => result[key]
                    .as_object()
                    .is_some_and(|result| config_won(below, above, result)),
                _ => result.get(key) == Some(chosen),
            })
    }

    proptest! {
        #[test]
        fn an_empty_config_changes_nothing(defaults in tree()) {
            prop_assert_eq!(coalesce(&defaults, &Map::new()), defaults);
        }

        #[test]
        fn the_config_wins(defaults in tree(), config in tree()) {
            let result = coalesce(&defaults, &config);
            prop_assert!(config_won(&defaults, &config, &result), "{:?}", result);
        }

        #[test]
        fn keys_come_from_one_side(defaults in tree(), config in tree()) {
            let result = coalesce(&defaults, &config);
            prop_assert!(result.keys().all(|k| defaults.contains_key(k) || config.contains_key(k)));
        }

        #[test]
        fn an_empty_layer_changes_nothing(base in tree()) {
            let mut layered = base.clone();
            layer(&mut layered, Map::new());
            prop_assert_eq!(layered, base);
        }

        #[test]
        fn a_layer_put_on_twice_changes_nothing_more(base in tree(), over in tree()) {
            let mut layered = base;
            layer(&mut layered, over.clone());
            let again = layered.clone();
            layer(&mut layered, over);
            prop_assert_eq!(layered, again);
        }
    }
}
