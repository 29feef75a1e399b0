//! How resources of a kind merge that a cluster adds.
//!
//! The OpenAPI schema of the kind comes in, from its definition or as an API server publishes it below
//! `/openapi/v3`; a [`Structure`] goes out, along which a resource is walked. The words and their
//! defaults are those of [structural schemas]: a list is atomic unless `x-kubernetes-list-type` says
//! otherwise, a map is granular unless `x-kubernetes-map-type` does. Only what does not merge as a plain
//! value is kept, so that a large schema becomes a small structure.
//!
//! A schema comes from others: what is too deep, and what a structural schema does not
//! have, merges as a plain value.
//!
//! [structural schemas]: https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, de};
use serde_json::Value;

use super::shape::{Element, ItemType, Keyed, Presence, SetMerge, Shape, Type};

/// How many objects, maps and lists may stand in each other.
const DEPTH: usize = 48;

/// How the resources of one kind merge in one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Structure {
    root: Object,
}

impl Structure {
    /// Reads the schema of a version of a definition (`openAPIV3Schema`); none if it cannot be read.
    pub fn of(schema: &Value) -> Option<Self> {
        Some(Self::new(&Schema::deserialize(schema).ok()?))
    }

    fn new(schema: &Schema) -> Self {
        let mut root = Object::of(schema, DEPTH);
        root.fields.insert("metadata".to_owned(), Node::Metadata);
        Self { root }
    }

    /// Returns how a whole resource merges.
    pub fn root(&self) -> Type<'_> {
        Type::custom(&self.root)
    }
}

/// Reads the document that an API server publishes of one group and version, and returns the structures
/// of its kinds by their names.
///
/// # Errors
/// If the document is no OpenAPI as API servers write it, or is nested too deep.
pub fn published(
    document: &[u8],
    (group, version): (&str, &str),
) -> Result<BTreeMap<String, Structure>, serde_json::Error> {
    let Document { components } = serde_json::from_slice(document)?;
    let mut found = BTreeMap::new();
    for schema in components.schemas.values() {
        let own = schema.kinds.iter();
        let own = own.filter(|kind| kind.group == group && kind.version == version);
        for kind in own {
            found.insert(kind.kind.clone(), Structure::new(schema));
        }
    }
    Ok(found)
}

/// An object, as far as its fields do not merge as plain values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Object {
    fields: BTreeMap<String, Node>,
}

impl Object {
    fn of(schema: &Schema, depth: usize) -> Self {
        let fields = schema.properties.iter();
        let fields = fields.filter_map(|(name, of)| Some((name.clone(), Node::of(of, depth)?)));
        let mut object = Self {
            fields: fields.collect(),
        };
        if schema.is_embedded {
            let metadata = "metadata".to_owned();
            object.fields.insert(metadata, Node::Metadata);
        }
        object
    }

    /// All that stands in an object that is replaced as a whole is replaced with it.
    fn atomic(schema: &Schema, depth: usize) -> Self {
        let objects = schema.properties.iter().filter(|(_, of)| of.is("object"));
        let fields = objects.filter_map(|(name, of)| {
            let below = Self::atomic(of, depth.checked_sub(1)?);
            Some((name.clone(), Node::Atomic(below)))
        });
        Self {
            fields: fields.collect(),
        }
    }

    pub(super) fn field(&self, name: &str) -> Shape<'_> {
        self.fields.get(name).map_or(Shape::Unknown, Node::shape)
    }
}

/// A field that does not merge as a plain value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    /// The metadata of a resource, which the API server reads as such.
    Metadata,
    Object(Object),
    Atomic(Object),
    /// An object of free keys, with what it holds if that does not merge as a plain value.
    Map(Option<Box<Node>>),
    Set,
    Keyed(Keyed),
}

impl Node {
    fn of(schema: &Schema, depth: usize) -> Option<Self> {
        let depth = depth.checked_sub(1)?;
        match schema.kind.as_deref()? {
            "array" => Self::list(schema, depth),
            "object" if schema.map_type.as_deref() == Some("atomic") => {
                Some(Self::Atomic(Object::atomic(schema, depth)))
            }
            "object" => Self::object(schema, depth),
            _ => None,
        }
    }

    fn object(schema: &Schema, depth: usize) -> Option<Self> {
        if let Some(Additional(of)) = &schema.additional {
            let of = of.as_ref().and_then(|of| Self::of(of, depth));
            return Some(Self::Map(of.map(Box::new)));
        }
        let object = Object::of(schema, depth);
        (!object.fields.is_empty()).then_some(Self::Object(object))
    }

    fn list(schema: &Schema, depth: usize) -> Option<Self> {
        let items = schema.items.as_deref()?;
        match schema.list_type.as_deref()? {
            // Of objects and lists it cannot be told which are the same once one has a default.
            "set" if !items.is("object") && !items.is("array") => Some(Self::Set),
            "map" if items.is("object") && !schema.map_keys.is_empty() => {
                let depth = depth.checked_sub(1)?;
                let keys = schema.map_keys.iter();
                let keys = keys.map(|key| (key.clone(), items.default_of(key)));
                let (of, presence) = match items.map_type.as_deref() {
                    Some("atomic") => (Object::atomic(items, depth), Presence::Retain),
                    _ => (Object::of(items, depth), Presence::Always),
                };
                let of = ItemType::Custom(of);
                Some(Self::Keyed(Keyed::custom(of, keys.collect(), presence)))
            }
            _ => None,
        }
    }

    pub(super) fn shape(&self) -> Shape<'_> {
        match self {
            Self::Metadata => Shape::Object(super::object_meta(), Presence::Always),
            Self::Object(of) => Shape::Object(Type::custom(of), Presence::Optional),
            Self::Atomic(of) => Shape::Object(Type::custom(of), Presence::Retain),
            Self::Map(of) => Shape::Map(Element::custom(of.as_deref())),
            Self::Set => Shape::Set(SetMerge::Custom),
            Self::Keyed(keyed) => Shape::Keyed(keyed),
        }
    }
}

/// A document below `/openapi/v3`.
#[derive(Deserialize)]
struct Document {
    components: Components,
}

#[derive(Deserialize)]
struct Components {
    #[serde(default)]
    schemas: BTreeMap<String, Schema>,
}

/// What of a schema says how values merge.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Schema {
    #[serde(rename = "type")]
    kind: Option<String>,
    properties: BTreeMap<String, Schema>,
    #[serde(rename = "additionalProperties")]
    additional: Option<Additional>,
    items: Option<Box<Schema>>,
    default: Option<Value>,
    #[serde(rename = "x-kubernetes-list-type")]
    list_type: Option<String>,
    #[serde(rename = "x-kubernetes-list-map-keys")]
    map_keys: Vec<String>,
    #[serde(rename = "x-kubernetes-map-type")]
    map_type: Option<String>,
    #[serde(rename = "x-kubernetes-embedded-resource")]
    is_embedded: bool,
    #[serde(rename = "x-kubernetes-group-version-kind")]
    kinds: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    group: String,
    version: String,
    kind: String,
}

impl Schema {
    fn is(&self, kind: &str) -> bool {
        self.kind.as_deref() == Some(kind)
    }

    /// What stands for a key that an item does not have.
    fn default_of(&self, key: &str) -> Option<String> {
        match self.properties.get(key)?.default.as_ref()? {
            Value::String(text) => Some(text.clone()),
            Value::Null => None,
            other => Some(other.to_string()),
        }
    }
}

/// What an object holds below free keys: a schema, or true.
struct Additional(Option<Box<Schema>>);

impl<'de> Deserialize<'de> for Additional {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Additional;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a schema or a boolean")
            }

            fn visit_bool<E: de::Error>(self, _: bool) -> Result<Additional, E> {
                Ok(Additional(None))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Additional, A::Error> {
                let schema = Schema::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Additional(Some(Box::new(schema))))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

#[cfg(test)]
mod tests;
