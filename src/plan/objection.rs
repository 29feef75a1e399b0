//! What stands against a plan: why one resource of it would be refused.

use std::fmt;

use crate::manifest::{Origin, ResourceId};

/// Why one resource cannot be written as planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    /// The resource.
    pub id: ResourceId,
    /// The template that asks for it.
    pub origin: Option<Origin>,
    /// What of it is meant.
    pub about: About,
    /// What is wrong, in words; no value of a Secret is in them.
    pub reason: String,
    /// What would help.
    pub remedy: Option<String>,
    /// What kind of objection it is.
    pub class: Class,
}

/// What of a resource is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// The resource.
    Itself,
    /// The pods that are made from its template.
    Pods,
    /// That it is deleted.
    Removal,
}

/// What kind of objection it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// It is not accepted.
    Refused,
    /// A quota leaves no room for it.
    OverQuota,
    /// Its namespace is being deleted.
    Terminating,
    /// Somebody else has changed it since it was read.
    Conflict,
    /// Its name is that of something else.
    Taken,
    /// Other field managers own fields of it that the chart sets.
    Owned,
}

/// `pods of Deployment web (web/templates/web.yaml:1): exceeded quota`.
impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.about {
            About::Itself => "",
            About::Pods => "pods of ",
            About::Removal => "deletion of ",
        })?;
        write!(f, "{}", self.id)?;
        if let Some(origin) = &self.origin {
            write!(f, " ({origin})")?;
        }
        write!(f, ": {}", self.reason)
    }
}
