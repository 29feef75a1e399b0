//! How the value of a field merges.
//!
//! The form of the data comes in, shapes to walk along a resource go out. The words are those of
//! the API's extensions `x-kubernetes-list-type`, `x-kubernetes-list-map-keys`,
//! `x-kubernetes-patch-strategy` and `x-kubernetes-patch-merge-key`.

use std::fmt;

use serde::Deserialize;

use super::table::{self, Fields};

/// How a value merges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A plain scalar, or a field that the data does not have.
    Unknown,
    /// A `resource.Quantity`, such as `500m`.
    Quantity,
    /// Base64.
    Bytes,
    /// Base64 in a field that the API server leaves out when it is empty. An empty one leaves the
    /// choice to whoever fills it in, as `caBundle: ""` does.
    OptionalBytes,
    /// Free-form JSON without merge rules.
    Opaque,
    /// A scalar that the API server leaves out when it holds `""`, `0` or `false`.
    Zero(Zero),
    /// An object with known fields.
    Object(Type, Presence),
    /// An object with free keys.
    Map(Element),
    /// A list that is replaced as a whole.
    Items(Element),
    /// A list of scalars without order and duplicates.
    Set(SetMerge),
    /// A list of objects that merge by keys.
    Keyed(&'static Keyed),
}

/// What the zero value of a field asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zero {
    /// Nothing: the server may choose a value, as it does for `clusterIP: ""`.
    Assigned,
    /// The zero value itself, as `hostNetwork: false` does.
    Omitted,
}

/// What an empty object means, and how an object is patched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// `{}` is the same as nothing.
    Always,
    /// `{}` has a meaning of its own, as in `emptyDir: {}`.
    Optional,
    /// The object is a union: a change of it drops the fields that are not wanted (strategy
    /// `retainKeys`). `{}` is the same as nothing.
    Retain,
    /// A patch replaces the object (strategy `replace`). `{}` has a meaning of its own.
    Replace,
}

/// How a set of scalars is patched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SetMerge {
    /// A patch names what to add and what to remove.
    Merge,
    /// A patch holds the whole set.
    Whole,
}

/// A list whose items are identified by some of their fields.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct Keyed {
    of: &'static str,
    /// The identifying fields, with the values that stand for absent ones.
    pub keys: Vec<(&'static str, Option<&'static str>)>,
    merge: Option<&'static str>,
    #[serde(default)]
    retain: bool,
}

impl Keyed {
    /// Returns the type of the items.
    pub fn item_type(&self) -> Type {
        Type::named(self.of)
    }

    /// Returns how an item of the list is patched.
    pub fn item_presence(&self) -> Presence {
        if self.retain {
            Presence::Retain
        } else {
            Presence::Always
        }
    }

    /// Returns the field by which a strategic merge patch finds an item, if that is the key.
    ///
    /// None where the patch would confuse items that the API tells apart, such as the ports
    /// 53/UDP and 53/TCP, and where a patch replaces the list.
    pub fn patch_key(&self) -> Option<&'static str> {
        match self.keys.as_slice() {
            [(key, _)] => self.merge.filter(|merge| merge == key),
            _ => None,
        }
    }

    /// Returns the field by which a strategic merge patch finds an item; none if a patch replaces
    /// the list. It need not tell all items apart: see [`Keyed::patch_key`].
    pub fn merge_key(&self) -> Option<&'static str> {
        self.merge
    }
}

/// What a list or a map holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Element(pub(super) &'static str);

impl Element {
    /// Returns how one item or value merges.
    pub fn shape(self) -> Shape {
        match self.0 {
            "plain" => Shape::Unknown,
            "quantity" => Shape::Quantity,
            "bytes" => Shape::Bytes,
            "opaque" => Shape::Opaque,
            name => Shape::Object(Type::named(name), Presence::Optional),
        }
    }
}

/// An API type, as far as its fields do not merge as plain scalars.
#[derive(Clone, Copy)]
pub struct Type {
    name: &'static str,
    fields: &'static Fields,
}

impl Type {
    /// Finds a type; one without an entry has no field of note.
    pub(super) fn named(name: &'static str) -> Self {
        static NONE: Fields = Fields::new();
        let fields = table::fields(name).unwrap_or(&NONE);
        Self { name, fields }
    }

    /// Returns how a field merges.
    pub fn field(self, name: &str) -> Shape {
        self.fields.get(name).map_or(Shape::Unknown, Field::shape)
    }
}

impl PartialEq for Type {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Type {}

impl fmt::Debug for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// A field as the data writes it.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Field {
    Quantity,
    Bytes,
    OptionalBytes,
    Opaque,
    Assigned,
    Omitted,
    Object(&'static str),
    Pointer(&'static str),
    Retain(&'static str),
    Replace(&'static str),
    Map(&'static str),
    Items(&'static str),
    Set(SetMerge),
    Keyed(Keyed),
}

impl Field {
    pub(super) fn shape(&'static self) -> Shape {
        match self {
            Self::Quantity => Shape::Quantity,
            Self::Bytes => Shape::Bytes,
            Self::OptionalBytes => Shape::OptionalBytes,
            Self::Opaque => Shape::Opaque,
            Self::Assigned => Shape::Zero(Zero::Assigned),
            Self::Omitted => Shape::Zero(Zero::Omitted),
            Self::Object(of) => Shape::Object(Type::named(of), Presence::Always),
            Self::Pointer(of) => Shape::Object(Type::named(of), Presence::Optional),
            Self::Retain(of) => Shape::Object(Type::named(of), Presence::Retain),
            Self::Replace(of) => Shape::Object(Type::named(of), Presence::Replace),
            Self::Map(of) => Shape::Map(Element(of)),
            Self::Items(of) => Shape::Items(Element(of)),
            Self::Set(merge) => Shape::Set(*merge),
            Self::Keyed(keyed) => Shape::Keyed(keyed),
        }
    }
}
