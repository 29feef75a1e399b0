//! What can be wrong with generators.

use super::super::{Origin, ResourceId};
use super::API_VERSION;
use crate::yaml;

/// A generator that cannot be.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A field is wrong.
    #[error("{origin}: {generator}: {path} {fault}")]
    Field {
        /// Where the generator starts.
        origin: Origin,
        /// The kind and name of the generator.
        generator: String,
        /// The field, such as `spec.dnsNames[2]`.
        path: String,
        /// What is wrong with it.
        fault: Fault,
    },
    /// The group has no such kind.
    #[error("{origin}: {API_VERSION} has no kind {kind:?}{}", hint(nearest.as_ref()))]
    Kind {
        /// Where the document starts.
        origin: Origin,
        /// The kind that was written.
        kind: String,
        /// The kind that was probably meant.
        nearest: Option<String>,
    },
    /// The kind is planned, and not there yet.
    #[error("{origin}: generators of kind {kind} are not supported yet")]
    UnsupportedKind {
        /// Where the document starts.
        origin: Origin,
        /// The kind that was written.
        kind: String,
    },
    /// Two generators make the same Secret.
    #[error("{second}: Secret {name} is already generated at {first}")]
    Duplicate {
        /// The Secret.
        name: String,
        /// Where it is generated first.
        first: Origin,
        /// Where it is generated again.
        second: Origin,
    },
    /// The manifest has a resource of the name of a generated Secret.
    #[error("{generator}: {id} is also written at {resource}; give one of them another name")]
    Collision {
        /// The Secret.
        id: ResourceId,
        /// Where it is generated.
        generator: Origin,
        /// Where the resource is written.
        resource: Origin,
    },
    /// Two names become the same in the annotation that rolls pods.
    #[error(
        "{second}: Secret {name} would share a pod annotation with {other}, generated at {first}"
    )]
    Alike {
        /// The second Secret.
        name: String,
        /// The first Secret.
        other: String,
        /// Where the first is generated.
        first: Origin,
        /// Where the second is generated.
        second: Origin,
    },
    /// The issuer of a certificate is not there or is no authority.
    #[error("{origin}: {generator}: spec.issuer {issuer:?} {fault}")]
    Issuer {
        /// Where the generator starts.
        origin: Origin,
        /// The kind and name of the generator.
        generator: String,
        /// The issuer that was written.
        issuer: String,
        /// What is wrong with it.
        fault: IssuerFault,
    },
    /// The specs in a record are not YAML.
    #[error("reading the recorded generators: line {} is not YAML", .0.line)]
    Record(#[source] yaml::Error),
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The field has to be there.
    #[error("is missing")]
    Missing,
    /// There is no such field.
    #[error("is not a known field{}", hint(nearest.as_ref()))]
    Unknown {
        /// The field that was probably meant.
        nearest: Option<String>,
    },
    /// The field is planned, and not there yet.
    #[error("is not supported yet")]
    Unsupported,
    /// The value has another type.
    #[error("has to be {wanted}, not {found}")]
    Type {
        /// The type it has to have.
        wanted: &'static str,
        /// The type it has.
        found: &'static str,
    },
    /// The value cannot be.
    #[error("is {value:?}: {problem}")]
    Value {
        /// The value.
        value: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// Why an issuer is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IssuerFault {
    /// No generator of the manifest has that name.
    #[error("is not a generator of this release{}", hint(nearest.as_ref()))]
    Unknown {
        /// The authority that was probably meant.
        nearest: Option<String>,
    },
    /// The generator of that name is of another kind.
    #[error("is a {kind}, not a CertificateAuthority")]
    NotAuthority {
        /// Its kind.
        kind: &'static str,
    },
}

fn hint(nearest: Option<&String>) -> String {
    nearest.map_or_else(String::new, |name| format!("; did you mean {name:?}?"))
}
