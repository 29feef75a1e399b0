//! How the value of a field merges.
//!
//! The form of the data comes in, shapes to walk along a resource go out. The words are those of
//! the API's extensions `x-kubernetes-list-type`, `x-kubernetes-list-map-keys`,
//! `x-kubernetes-patch-strategy` and `x-kubernetes-patch-merge-key`.

use std::fmt;

use serde::Deserialize;

use super::custom::{Node, Object};
use super::table::{self, Fields};

/// How a value merges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape<'a> {
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
    Object(Type<'a>, Presence),
    /// An object with free keys.
    Map(Element<'a>),
    /// A list that is replaced as a whole.
    Items(Element<'a>),
    /// A list of scalars without order and duplicates.
    Set(SetMerge),
    /// A list of objects that merge by keys.
    Keyed(&'a Keyed),
}

impl Shape<'_> {
    /// Tells whether this is an object or a list of a custom resource, which the API server stores as it
    /// is: an empty one is not the same as none.
    pub fn is_custom(self) -> bool {
        match self {
            Self::Object(of, _) => of.is_custom(),
            Self::Map(of) | Self::Items(of) => matches!(of.0, Of::Custom(_)),
            Self::Set(merge) => merge == SetMerge::Custom,
            Self::Keyed(keyed) => keyed.is_custom(),
            _ => false,
        }
    }
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
    /// The same, in a custom resource.
    #[serde(skip)]
    Custom,
}

/// A list whose items are identified by some of their fields.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Keyed {
    of: ItemType,
    /// The identifying fields, with the values that stand for absent ones.
    pub keys: Vec<(String, Option<String>)>,
    merge: Option<&'static str>,
    #[serde(default)]
    retain: bool,
}

/// What a list with keys holds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(super) enum ItemType {
    Named(&'static str),
    #[serde(skip)]
    Custom(Object),
}

impl Keyed {
    /// A list of a custom resource.
    pub(super) fn custom(
        of: ItemType,
        keys: Vec<(String, Option<String>)>,
        presence: Presence,
    ) -> Self {
        Self {
            of,
            keys,
            merge: None,
            retain: presence == Presence::Retain,
        }
    }

    /// Returns the type of the items.
    pub fn item_type(&self) -> Type<'_> {
        match &self.of {
            ItemType::Named(name) => Type::named(name),
            ItemType::Custom(of) => Type::custom(of),
        }
    }

    /// Tells whether the list is one of a custom resource, which is a map in the form of a list: the order
    /// of its items says nothing.
    pub fn is_custom(&self) -> bool {
        matches!(self.of, ItemType::Custom(_))
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
pub struct Element<'a>(Of<'a>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of<'a> {
    Named(&'static str),
    /// None for a plain value.
    Custom(Option<&'a Node>),
}

impl<'a> Element<'a> {
    fn named(name: &'static str) -> Self {
        Self(Of::Named(name))
    }

    pub(super) fn custom(of: Option<&'a Node>) -> Self {
        Self(Of::Custom(of))
    }

    /// Returns how one item or value merges.
    pub fn shape(self) -> Shape<'a> {
        match self.0 {
            Of::Custom(of) => of.map_or(Shape::Unknown, Node::shape),
            Of::Named("plain") => Shape::Unknown,
            Of::Named("quantity") => Shape::Quantity,
            Of::Named("bytes") => Shape::Bytes,
            Of::Named("opaque") => Shape::Opaque,
            Of::Named(name) => Shape::Object(Type::named(name), Presence::Optional),
        }
    }
}

/// An API type, as far as its fields do not merge as plain scalars.
#[derive(Clone, Copy)]
pub struct Type<'a>(Known<'a>);

#[derive(Clone, Copy)]
enum Known<'a> {
    Named(&'static str, &'static Fields),
    Custom(&'a Object),
}

impl<'a> Type<'a> {
    /// Finds a type; one without an entry has no field of note.
    pub(super) fn named(name: &'static str) -> Self {
        static NONE: Fields = Fields::new();
        let fields = table::fields(name).unwrap_or(&NONE);
        Self(Known::Named(name, fields))
    }

    pub(super) fn custom(of: &'a Object) -> Self {
        Self(Known::Custom(of))
    }

    /// Tells whether it is a type of custom resources.
    pub fn is_custom(self) -> bool {
        matches!(self.0, Known::Custom(_))
    }

    /// Returns how a field merges.
    pub fn field(self, name: &str) -> Shape<'a> {
        match self.0 {
            Known::Named(_, fields) => fields.get(name).map_or(Shape::Unknown, Field::shape),
            Known::Custom(of) => of.field(name),
        }
    }
}

impl PartialEq for Type<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self.0, other.0) {
            (Known::Named(one, _), Known::Named(other, _)) => one == other,
            (Known::Custom(one), Known::Custom(other)) => one == other,
            _ => false,
        }
    }
}

impl Eq for Type<'_> {}

impl fmt::Debug for Type<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Known::Named(name, _) => f.write_str(name),
            Known::Custom(of) => of.fmt(f),
        }
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
    pub(super) fn shape(&'static self) -> Shape<'static> {
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
            Self::Map(of) => Shape::Map(Element::named(of)),
            Self::Items(of) => Shape::Items(Element::named(of)),
            Self::Set(merge) => Shape::Set(*merge),
            Self::Keyed(keyed) => Shape::Keyed(keyed),
        }
    }
}
