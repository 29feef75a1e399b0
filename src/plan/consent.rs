//! What the user has agreed to that a plan does not do by itself.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::manifest::ResourceId;

/// What the user has agreed to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Consent {
    /// The resources that may be deleted and created anew.
    pub recreate: BTreeSet<Named>,
    /// What may be done besides.
    pub permits: BTreeSet<Permit>,
}

/// Something that is done only if the user says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permit {
    /// Claims are deleted, with the data that is on their volumes.
    DeleteData,
    /// Custom resource definitions are deleted with everything of their kinds.
    DeleteDefinitions,
    /// Fields that others own are taken over, by server-side apply.
    TakeFields,
    /// Resources that belong to nobody or to another release are taken over.
    TakeOwnership,
}

impl Consent {
    /// Whether this may be done.
    pub fn permits(&self, permit: Permit) -> bool {
        self.permits.contains(&permit)
    }

    /// Whether a resource may be deleted and created anew.
    pub fn names(&self, id: &ResourceId) -> bool {
        self.recreate.iter().any(|named| named.is(id))
    }
}

/// A resource as a flag names it: `KIND/NAME`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    /// The kind, in any case.
    pub kind: String,
    /// The name.
    pub name: String,
}

impl Named {
    /// Whether this is the name of `id`.
    pub fn is(&self, id: &ResourceId) -> bool {
        self.kind.eq_ignore_ascii_case(&id.kind) && self.name == id.name
    }
}

/// A text that names no resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected KIND/NAME, such as Job/migrate")]
pub struct NamedError;

impl FromStr for Named {
    type Err = NamedError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('/') {
            Some((kind, name)) if !kind.is_empty() && !name.is_empty() && !name.contains('/') => {
                Ok(Self {
                    kind: kind.to_owned(),
                    name: name.to_owned(),
                })
            }
            _ => Err(NamedError),
        }
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_are_named_by_kind_and_name() {
        let id = ResourceId {
            group: "batch".to_owned(),
            kind: "Job".to_owned(),
            namespace: None,
            name: "migrate".to_owned(),
        };
        for (text, expected) in [
            ("Job/migrate", Some(true)),
            ("job/migrate", Some(true)),
            ("Job/other", Some(false)),
            ("migrate", None),
            ("Job/", None),
            ("a/b/c", None),
        ] {
            let named = text.parse::<Named>().ok();
            assert_eq!(named.map(|named| named.is(&id)), expected, "{text}");
        }
    }
}
