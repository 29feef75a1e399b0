//! A plan as a file holds it, to be looked at and carried out later.
//!
//! A plan and what it was made from go in; readable JSON without a secret goes out, and the other
//! way round. Carrying such a plan out means to plan again, from the same inputs and as of the same
//! time, and to [`compare()`]: a file decides nothing by itself, so that nobody gains by editing one.
//! Reading and writing the file is left to others, as are fingerprints of what may be secret.

mod compare;
mod input;
mod resource;
mod state;
mod withhold;

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::Counts;
use super::consent::{Consent, Named, Permit};
use crate::chart::hex;

pub use compare::{compare, history};
pub use input::{ChartInput, FileFlag, FileInput, FlagInput, Inputs, Source};
pub use resource::{Planned, PlannedField, Sources, planned};
pub use withhold::Withheld;

/// What a file of this form says in its field `format`.
pub const FORMAT: &str = "pintle.dev/plan.v1";
/// How long a file may be good for.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How far the clocks of two machines may differ.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// A plan, and what it was made from.
///
/// Its JSON Schema is `schemas/plan-file.schema.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanFile {
    /// [`FORMAT`].
    pub format: String,
    /// The version of the pintle that made it.
    pub pintle: String,
    /// As of when it was planned.
    pub created: Timestamp,
    /// Until when it may be carried out.
    pub expires: Timestamp,
    /// Where.
    pub cluster: Identity,
    /// What is changed.
    pub release: Planning,
    /// From what.
    pub inputs: Inputs,
    /// What the user has agreed to.
    pub terms: Vec<Term>,
    /// The resources that may be deleted and created anew, as `KIND/NAME`.
    pub recreate: Vec<String>,
    /// How many resources are changed in which way.
    pub counts: Counts,
    /// What is done to each resource, in order.
    pub resources: Vec<Planned>,
    /// The digest of all of this, by which an edited file is known.
    #[serde(default)]
    pub digest: String,
}

/// How a cluster is known again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// The address of its API server, which may be another the next time.
    pub server: String,
    /// The uid of its namespace `kube-system`; none if that may not be read.
    pub uid: Option<String>,
    /// The uid of the namespace of the release, or [`ABSENT`](Self::ABSENT); none if that may not be
    /// read.
    pub namespace_uid: Option<String>,
    /// The release whose tenant it is, where it is one: `[NAMESPACE/]RELEASE`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub into: Option<String>,
}

/// Which release is changed, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planning {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Which change it is.
    pub operation: Operation,
    /// The revision that it makes.
    pub revision: u32,
    /// The revision that is gone back to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<u32>,
    /// The revisions that there were, oldest first.
    pub history: Vec<Known>,
}

/// Which change it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// The first revision.
    Install,
    /// The next one, of a chart.
    Upgrade,
    /// The next one, of an earlier one.
    Rollback,
}

/// A revision that there was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// Its number.
    pub revision: u32,
    /// Where it stood, in Helm's word.
    pub status: String,
    /// The version of its record, which changes with every write.
    pub version: String,
}

/// What the user has agreed to, or asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Term {
    /// The namespace is created.
    CreateNamespace,
    /// The notes of subcharts are added.
    RenderSubchartNotes,
    /// The values of the running revision do not count.
    ResetValues,
    /// They count, and the defaults of its chart with them.
    ReuseValues,
    /// They count, above the defaults of the chart.
    ResetThenReuseValues,
    /// No hooks are run.
    NoHooks,
    /// Values are not checked by schemas and rules.
    SkipSchemaValidation,
    /// The definitions of `crds/` are left out.
    SkipCrds,
    /// A rollback need not keep the rules of the charts.
    IgnoreRules,
    /// [`Permit::DeleteData`].
    DeleteData,
    /// [`Permit::DeleteDefinitions`].
    DeleteCrds,
    /// [`Permit::TakeOwnership`].
    TakeOwnership,
    /// [`Permit::TakeFields`].
    ForceConflicts,
    /// Resources are written by server-side apply.
    ServerSide,
    /// Resources are written from the client side.
    ClientSide,
}

/// Something on which a plan rests and that has changed since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What it is about.
    pub about: String,
    /// What has changed; no value of a Secret is in it.
    pub what: String,
}

/// `ConfigMap web: it was deleted`.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.about, self.what)
    }
}

/// A text that is no plan.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not JSON, or lacks what a plan has.
    #[error("it is no plan of pintle: {0}")]
    NoPlan(String),
    /// It is of a form that is not known.
    #[error("its format is {0:?}, and this pintle reads {FORMAT} only")]
    Format(String),
}

impl Identity {
    /// What stands in the place of the uid of a namespace that does not exist.
    pub const ABSENT: &str = "absent";

    /// Tells whether this is another cluster than `planned`. Where neither of them may be asked, the
    /// address decides.
    pub fn is_another(&self, planned: &Self) -> bool {
        let home = same(self.namespace_uid.as_ref(), planned.namespace_uid.as_ref());
        match (same(self.uid.as_ref(), planned.uid.as_ref()), home) {
            (Some(is_same), _) => !is_same,
            (None, None) => self.server != planned.server,
            (None, Some(_)) => false,
        }
    }

    /// Tells how this cluster is another one than `planned`, or its namespace.
    pub fn differences(&self, planned: &Self, namespace: &str) -> Vec<Difference> {
        if self.is_another(planned) {
            let (server, other) = (&self.server, &planned.server);
            let what = format!("the plan was made for another one, at {other}");
            return vec![Difference::new(format!("cluster {server}"), what)];
        }
        let home = same(self.namespace_uid.as_ref(), planned.namespace_uid.as_ref());
        if home != Some(false) {
            return vec![];
        }
        let is = |one: &Option<String>| one.as_deref() == Some(Self::ABSENT);
        let what = match (is(&planned.namespace_uid), is(&self.namespace_uid)) {
            (true, _) => "it was created by somebody",
            (_, true) => "it was deleted",
            _ => "it was deleted and made anew",
        };
        vec![Difference::new(format!("Namespace {namespace}"), what)]
    }
}

/// Whether two uids are the same, where both are known.
fn same(one: Option<&String>, other: Option<&String>) -> Option<bool> {
    let both = one.zip(other);
    both.map(|(one, other)| one == other)
}

impl Difference {
    /// A change of something.
    pub fn new(about: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            about: about.into(),
            what: what.into(),
        }
    }
}

impl PlanFile {
    /// Reads a plan.
    ///
    /// # Errors
    /// If the text is no plan, or one of another format.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let broken = |error: serde_json::Error| Error::NoPlan(error.to_string());
        let value: Value = serde_json::from_str(text).map_err(broken)?;
        match value.get("format").and_then(Value::as_str) {
            Some(FORMAT) => serde_json::from_value(value).map_err(broken),
            Some(other) => Err(Error::Format(other.chars().take(80).collect())),
            None => Err(Error::NoPlan("it has no format".to_owned())),
        }
    }

    /// The text of the file, sealed by its digest.
    pub fn to_text(&self) -> String {
        let sealed = Self {
            digest: self.seal(),
            ..self.clone()
        };
        // What is plain data can be written.
        let mut text = serde_json::to_string_pretty(&sealed).unwrap_or_default();
        text.push('\n');
        text
    }

    /// The digest of all but itself.
    fn seal(&self) -> String {
        let open = Self {
            digest: String::new(),
            ..self.clone()
        };
        sha256(serde_json::to_string(&open).unwrap_or_default())
    }

    /// Tells why the file cannot be carried out at `now`, whatever it was made from.
    pub fn faults(&self, now: Timestamp) -> Vec<Difference> {
        let mut found = vec![];
        if self.digest != self.seal() {
            found.push(Difference::new("plan", "it was edited after it was made"));
        }
        let (created, expires) = (self.created, self.expires);
        if now >= expires {
            let what = format!("it has expired at {expires:.0}");
            found.push(Difference::new("plan", what));
        }
        if expires.duration_since(created) > LONGEST {
            let what = format!("it was made at {created:.0}, more than 7 days before it expires");
            found.push(Difference::new("plan", what));
        }
        if created.duration_since(now) > SKEW {
            let what = format!("it was made at {created:.0}, which is still to come");
            found.push(Difference::new("plan", what));
        }
        found
    }

    /// Whether the user has agreed to this, or asked for it.
    pub fn has(&self, term: Term) -> bool {
        self.terms.contains(&term)
    }

    /// What the user has agreed to.
    pub fn consent(&self) -> Consent {
        let permits = PERMITS.iter().filter(|(term, _)| self.has(*term));
        Consent {
            recreate: self.recreate.iter().flat_map(|text| text.parse()).collect(),
            permits: permits.map(|(_, permit)| *permit).collect(),
        }
    }
}

const PERMITS: [(Term, Permit); 4] = [
    (Term::DeleteData, Permit::DeleteData),
    (Term::DeleteCrds, Permit::DeleteDefinitions),
    (Term::TakeOwnership, Permit::TakeOwnership),
    (Term::ForceConflicts, Permit::TakeFields),
];

/// What a consent is in a file: the terms, and the resources that may be made anew.
pub fn terms(consent: &Consent) -> (Vec<Term>, Vec<String>) {
    let given = PERMITS.iter();
    let given = given.filter(|(_, permit)| consent.permits(*permit));
    let recreate = consent.recreate.iter().map(Named::to_string);
    (given.map(|(term, _)| *term).collect(), recreate.collect())
}

/// `sha256:…`.
fn sha256(data: impl AsRef<[u8]>) -> String {
    format!("sha256:{}", hex(&Sha256::digest(data)))
}

#[cfg(test)]
mod tests;
