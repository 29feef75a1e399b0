//! Bodies as they arrive: without managed fields, and of a list only what is wanted.
//!
//! Both are left out while the bytes are parsed, since they are often most of what an API server
//! sends, and would otherwise take memory first. Who asks for managed fields gets them.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::Visitor;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess};
use serde_json::{Map, Value};

use super::owner;
use crate::capabilities::Kind;
use crate::manifest::ResourceId;

/// A body without `metadata.managedFields`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lean(pub(super) Value);

impl<'de> Deserialize<'de> for Lean {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let body = Item(&Wanted::All).deserialize(deserializer)?;
        Ok(Self(body.unwrap_or_default()))
    }
}

/// Which items of a list are kept.
#[derive(Debug)]
pub(super) enum Wanted<'a> {
    All,
    Named(&'a BTreeSet<&'a str>),
    /// These, with their managed fields.
    Owned(&'a BTreeSet<&'a str>),
    /// The pods of these workloads.
    PodsOf(&'a [&'a ResourceId]),
}

impl Wanted<'_> {
    fn owners(&self) -> Owners {
        match self {
            Self::Owned(_) => Owners::Kept,
            Self::All | Self::Named(_) | Self::PodsOf(_) => Owners::Dropped,
        }
    }

    fn keeps(&self, metadata: &Map<String, Value>) -> bool {
        match self {
            Self::All => true,
            Self::Named(names) | Self::Owned(names) => metadata
                .get("name")
                .and_then(Value::as_str)
                .is_some_and(|name| names.contains(name)),
            Self::PodsOf(workloads) => workloads.iter().any(|id| owner::has_made(id, metadata)),
        }
    }
}

/// Whether the managed fields of a resource are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owners {
    Kept,
    Dropped,
}

/// One page of a list.
#[derive(Debug)]
pub(super) struct Page<T> {
    /// The token for the next page; empty on the last one.
    pub(super) next: String,
    /// The version of the whole list, from which a watch goes on.
    pub(super) version: String,
    /// How many items later pages hold; zero where the API server does not count them.
    pub(super) remaining: usize,
    pub(super) items: Vec<T>,
}

/// Reads a page of bodies; those of built-in kinds come without the `apiVersion` and `kind` that
/// they all share, and get them here.
pub(super) fn page(
    bytes: &[u8],
    kind: &Kind,
    wanted: &Wanted<'_>,
) -> Result<Page<Value>, serde_json::Error> {
    let mut page = parse(bytes, Items(wanted))?;
    for item in page.items.iter_mut().filter_map(Value::as_object_mut) {
        let fill = [
            ("apiVersion", kind.api_version()),
            ("kind", kind.kind.clone()),
        ];
        for (field, value) in fill {
            item.entry(field).or_insert(Value::String(value));
        }
    }
    Ok(page)
}

/// Reads a page of anything else that can be read from an item, one after the other, so that none of them
/// has to stay in memory.
pub(super) fn each_of<T>(
    bytes: &[u8],
    take: &mut dyn FnMut(T),
) -> Result<Page<()>, serde_json::Error>
where
    T: for<'de> Deserialize<'de>,
{
    parse(bytes, Each(take))
}

/// Reads a field that some servers write as null where they mean nothing.
pub(super) fn nullable<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

fn parse<'de, S, T>(bytes: &'de [u8], items: S) -> Result<Page<T>, serde_json::Error>
where
    S: DeserializeSeed<'de, Value = Vec<T>>,
{
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let page = PageVisitor(items).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(page)
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListMetadata {
    #[serde(default)]
    r#continue: String,
    #[serde(default)]
    resource_version: String,
    #[serde(default)]
    remaining_item_count: usize,
}

struct PageVisitor<S>(S);

impl<'de, S, T> DeserializeSeed<'de> for PageVisitor<S>
where
    S: DeserializeSeed<'de, Value = Vec<T>>,
{
    type Value = Page<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Page<T>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, S, T> Visitor<'de> for PageVisitor<S>
where
    S: DeserializeSeed<'de, Value = Vec<T>>,
{
    type Value = Page<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of resources")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Page<T>, A::Error> {
        let mut page = Page {
            next: String::new(),
            version: String::new(),
            remaining: 0,
            items: Vec::new(),
        };
        let mut items = Some(self.0);
        while let Some(field) = map.next_key::<String>()? {
            match field.as_str() {
                "metadata" => {
                    let metadata: ListMetadata = map.next_value()?;
                    page.next = metadata.r#continue;
                    page.version = metadata.resource_version;
                    page.remaining = metadata.remaining_item_count;
                }
                "items" => match items.take() {
                    Some(seed) => page.items = map.next_value_seed(seed)?,
                    None => return Err(serde::de::Error::duplicate_field("items")),
                },
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        match items {
            // A login page that happens to be JSON is not an empty list.
            Some(_) => Err(serde::de::Error::missing_field("items")),
            None => Ok(page),
        }
    }
}

struct Each<'a, T>(&'a mut dyn FnMut(T));

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Each<'_, T> {
    type Value = Vec<()>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<()>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Each<'_, T> {
    type Value = Vec<()>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("resources")
    }

    fn visit_unit<E>(self) -> Result<Vec<()>, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<()>, A::Error> {
        while let Some(item) = seq.next_element()? {
            (self.0)(item);
        }
        Ok(Vec::new())
    }
}

struct Items<'a>(&'a Wanted<'a>);

impl<'de> DeserializeSeed<'de> for Items<'_> {
    type Value = Vec<Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Value>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Items<'_> {
    type Value = Vec<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("resources")
    }

    fn visit_unit<E>(self) -> Result<Vec<Value>, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<Value>, A::Error> {
        let mut kept = Vec::new();
        while let Some(item) = seq.next_element_seed(Item(self.0))? {
            kept.extend(item);
        }
        Ok(kept)
    }
}

struct Item<'a>(&'a Wanted<'a>);

impl<'de> DeserializeSeed<'de> for Item<'_> {
    type Value = Option<Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Item<'_> {
    type Value = Option<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a resource")
    }

    /// The API server writes `metadata` before `spec`, `data` and `status`, so what is not wanted
    /// is known early.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut body = Map::new();
        let mut kept = true;
        while let Some(field) = map.next_key::<String>()? {
            if !kept {
                map.next_value::<IgnoredAny>()?;
            } else if field == "metadata" {
                let metadata = map.next_value_seed(MetadataSeed(self.0.owners()))?;
                kept = self.0.keeps(&metadata);
                body.insert(field, Value::Object(metadata));
            } else {
                body.insert(field, map.next_value()?);
            }
        }
        Ok(kept.then_some(Value::Object(body)))
    }
}

struct MetadataSeed(Owners);

impl<'de> DeserializeSeed<'de> for MetadataSeed {
    type Value = Map<String, Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for MetadataSeed {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the metadata of a resource")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut metadata = Map::new();
        while let Some(field) = map.next_key::<String>()? {
            if field == "managedFields" && self.0 == Owners::Dropped {
                map.next_value::<IgnoredAny>()?;
            } else {
                metadata.insert(field, map.next_value()?);
            }
        }
        Ok(metadata)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};
    use serde_json::json;

    use super::*;

    fn config_map() -> Kind {
        Kind {
            group: String::new(),
            version: "v1".to_owned(),
            kind: "ConfigMap".to_owned(),
            plural: "configmaps".to_owned(),
            namespaced: true,
        }
    }

    fn list() -> String {
        let item = |name: &str| {
            json!({"metadata": {"name": name, "managedFields": [{"manager": "helm"}]},
                "data": {"of": name}})
        };
        json!({"kind": "ConfigMapList", "apiVersion": "v1",
            "metadata": {"resourceVersion": "7", "continue": "more", "remainingItemCount": 3},
            "items": [item("a"), item("b")]})
        .to_string()
    }

    #[test]
    fn items_come_lean_and_with_their_kind() {
        let page = page(list().as_bytes(), &config_map(), &Wanted::All).unwrap();
        assert_eq!((page.next.as_str(), page.version.as_str()), ("more", "7"));
        assert_eq!(page.remaining, 3);
        assert_eq!(
            page.items[0],
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"},
                "data": {"of": "a"}})
        );
        assert_eq!(page.items.len(), 2);
    }

    #[test]
    fn only_wanted_items_are_kept() {
        let names = BTreeSet::from(["b", "c"]);
        let page = page(list().as_bytes(), &config_map(), &Wanted::Named(&names)).unwrap();
        let names: Vec<&Value> = page
            .items
            .iter()
            .map(|item| &item["metadata"]["name"])
            .collect();
        assert_eq!(names, ["b"]);
    }

    #[test]
    fn managed_fields_come_where_they_are_asked_for() {
        let names = BTreeSet::from(["b"]);
        let page = page(list().as_bytes(), &config_map(), &Wanted::Owned(&names)).unwrap();
        let managed = json!([{"manager": "helm"}]);
        assert_eq!(page.items.len(), 1);
        assert_eq!(page.items[0]["metadata"]["managedFields"], managed);
    }

    #[test]
    fn what_is_no_list_is_an_error() {
        let read = |text: &str| page(text.as_bytes(), &config_map(), &Wanted::All);
        let mut items: Vec<Lean> = vec![];
        let nothing = b"{\"items\": null, \"metadata\": {}}";
        each_of(nothing, &mut |item| items.push(item)).unwrap();
        assert_eq!(items, []);
        assert!(
            read("{\"items\": null, \"metadata\": {}}")
                .unwrap()
                .items
                .is_empty()
        );
        for bad in [
            "",
            "[]",
            "{}",
            "{\"items\": 3}",
            "{\"items\": [3]}",
            "{\"items\": []} x",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn lean_bodies_lack_nothing_else() {
        let body = json!({"apiVersion": "v1", "metadata": {"name": "a", "managedFields": []},
            "spec": {"metadata": {"managedFields": 1}, "managedFields": [2]}});
        let lean: Lean = serde_json::from_value(body.clone()).unwrap();
        let mut want = body;
        want["metadata"]
            .as_object_mut()
            .unwrap()
            .remove("managedFields");
        assert_eq!(lean.0, want);
        assert!(serde_json::from_str::<Lean>("3").is_err());
    }

    proptest! {
        #[test]
        fn numbers_and_texts_survive(number in any::<i64>(), text in any::<String>()) {
            let body = json!({"metadata": {"name": text}, "spec": {text.clone(): [number, text]}});
            let lean: Lean = serde_json::from_str(&body.to_string()).unwrap();
            prop_assert_eq!(lean.0, body);
        }
    }
}
