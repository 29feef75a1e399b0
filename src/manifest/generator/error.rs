//! What can be wrong with generators.

use super::super::{Origin, ResourceId};
use super::{API_VERSION, Product};
use crate::yaml;

/// A generator that cannot be.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A field is wrong.
    #[error("{}: {generator}: {path} {fault}", origin.in_words())]
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
    #[error("{}: {API_VERSION} has no kind {kind:?}{}", origin.in_words(), hint(nearest.as_ref()))]
    Kind {
        /// Where the document starts.
        origin: Origin,
        /// The kind that was written.
        kind: String,
        /// The kind that was probably meant.
        nearest: Option<String>,
    },
    /// Two generators make the same.
    #[error("{}: {} {name} is already generated at {}", second.in_words(), product.kind(), first.in_words())]
    Duplicate {
        /// What is made.
        product: Product,
        /// Its name.
        name: String,
        /// Where it is generated first.
        first: Origin,
        /// Where it is generated again.
        second: Origin,
    },
    /// The manifest has a resource of the name of what is generated.
    #[error("{}: {id} is also written at {}; give one of them another name", generator.in_words(), resource.in_words())]
    Collision {
        /// The Secret or config map.
        id: ResourceId,
        /// Where it is generated.
        generator: Origin,
        /// Where the resource is written.
        resource: Origin,
    },
    /// Two names become the same in the annotation that rolls pods.
    #[error(
        "{}: {} {name} would share a pod annotation with {other}, generated at {}",
        second.in_words(),
        product.kind(),
        first.in_words()
    )]
    Alike {
        /// What the second makes.
        product: Product,
        /// Its name.
        name: String,
        /// The name of what the first makes.
        other: String,
        /// Where the first is generated.
        first: Origin,
        /// Where the second is generated.
        second: Origin,
    },
    /// What a generator refers to is not there or is something else.
    #[error("{}: {generator}: spec.{field} {name:?} {fault}", origin.in_words())]
    Reference {
        /// Where the generator starts.
        origin: Origin,
        /// The kind and name of the generator.
        generator: String,
        /// The field, such as `issuer`.
        field: &'static str,
        /// The name that was written.
        name: String,
        /// What is wrong with it.
        fault: ReferenceFault,
    },
    /// A Service never has an address of the sort that is asked for.
    #[error("{}: {generator}: spec.ip is missing: Service {service} {why}", origin.in_words())]
    NoAddress {
        /// Where the generator starts.
        origin: Origin,
        /// The kind and name of the generator.
        generator: String,
        /// The Service.
        service: String,
        /// What about it gives no address.
        why: &'static str,
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

/// Why a generator cannot refer to something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceFault {
    /// Nothing in the manifest has that name.
    #[error("is not a {wanted} of this release{}", hint(nearest.as_ref()))]
    Unknown {
        /// What it has to be: `generator` or `Service`.
        wanted: &'static str,
        /// The name that was probably meant.
        nearest: Option<String>,
    },
    /// The generator of that name is of another kind.
    #[error("is a {found}, not a generator of kind {wanted}")]
    OtherKind {
        /// Its kind.
        found: &'static str,
        /// The kind that it has to be.
        wanted: &'static str,
    },
}

fn hint(nearest: Option<&String>) -> String {
    nearest.map_or_else(String::new, |name| format!("; did you mean {name:?}?"))
}
