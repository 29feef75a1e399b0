//! Generators: documents that declare what a Secret holds, so that no key stands in a template, and
//! what a config map says about the address of a Service, which no template can know.
//!
//! One parsed document of `generate.pintle.dev/v1` comes in; a checked [`Generator`] goes out, its
//! stub for the recorded manifest and the text in which a record carries the specs. They never
//! reach the API server. Whether a Secret is kept or issued is left to `plan`, the making of keys
//! to `pki`.
//!
//! The fields of each kind stand in `schemas/generators/` and at the types of [`Spec`].

mod check;
mod data;
mod error;
mod fields;
mod nearest;
mod read;
mod record;
mod spec;
mod syntax;

use serde_json::{Map, Value, json};

use super::Origin;

pub use check::check;
pub use data::{DataError, SecretData};
pub use error::{Error, Fault, ReferenceFault};
pub use record::{RECORD_FILE, specs_from_yaml, specs_to_yaml};
pub use spec::{
    Algorithm, Certificate, CertificateAuthority, CertificateKeys, Endpoint, KeyPair, KeyPairKeys,
    Kubeconfig, Leaf, PairKeys, Product, Random, RandomEncoding, RandomSecret, Server, Spec,
    Subject, Usage,
};
pub(crate) use syntax::{is_dns_name, k8s_name};

/// The `apiVersion` of generators.
pub const API_VERSION: &str = "generate.pintle.dev/v1";
/// The label of a generated Secret that names the release.
pub const RELEASE_LABEL: &str = "pintle.dev/release";
/// The label of a generated Secret that names the kind of its generator.
pub const GENERATOR_LABEL: &str = "pintle.dev/generator";
/// The annotation of a generated Secret with the id of the issue its data is of.
pub const ISSUE_ANNOTATION: &str = "pintle.dev/issue";

/// A declaration of one Secret or config map of the release's namespace.
#[derive(Debug, Clone, PartialEq)]
pub struct Generator {
    /// The name of what it makes.
    pub name: String,
    /// What that holds; a plan puts addresses in that are known by then.
    pub spec: Spec,
    /// Where the generator was written.
    pub origin: Origin,
    /// The document as it was read, without a namespace.
    body: Value,
}

impl Generator {
    /// Tells whether a document is meant as a generator, of whatever kind and version.
    pub fn is_one(body: &Value) -> bool {
        body.get("apiVersion")
            .and_then(Value::as_str)
            .is_some_and(|version| version.split('/').next() == API_VERSION.split('/').next())
    }

    /// Reads one document; `namespace` is the release's, the only one it may name.
    ///
    /// ```
    /// use pintle::manifest::{Origin, generator::Generator};
    /// let document = serde_json::json!({
    ///     "apiVersion": "generate.pintle.dev/v1", "kind": "CertificateAuthority",
    ///     "metadata": {"name": "ca"}, "spec": {"commonName": "kubernetes"},
    /// });
    /// let origin = Origin { template: "kcp/templates/pki.yaml".to_owned(), line: 1 };
    /// let generator = Generator::parse(document, origin, "tenant-a")?;
    /// assert_eq!(generator.stub()["type"], "Opaque");
    /// # Ok::<(), pintle::manifest::generator::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the kind is unknown or not supported yet, or if a field is unknown, missing, of another
    /// type or has a value that cannot be.
    pub fn parse(mut body: Value, origin: Origin, namespace: &str) -> Result<Self, Error> {
        let (name, spec) = read::document(&body, &origin, namespace)?;
        if let Some(metadata) = body.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("namespace");
        }
        Ok(Self {
            name,
            spec,
            origin,
            body,
        })
    }

    /// Returns the kind, such as `Certificate`.
    pub fn kind(&self) -> &'static str {
        self.spec.kind()
    }

    /// Returns the annotation of the generator with that key.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        super::annotation(&self.body, key)
    }

    /// Returns the document as it was written.
    pub fn declared(&self) -> &Value {
        &self.body
    }

    /// Returns what it makes as the recorded manifest has it: with the generator's labels and
    /// annotations, without data.
    pub fn stub(&self) -> Value {
        let mut metadata = Map::new();
        metadata.insert("name".to_owned(), json!(self.name));
        for field in ["labels", "annotations"] {
            if let Some(value) = self.body.pointer(&format!("/metadata/{field}")) {
                metadata.insert(field.to_owned(), value.clone());
            }
        }
        let product = self.spec.product();
        let mut stub = json!({"apiVersion": "v1", "kind": product.kind(), "metadata": metadata});
        if product == Product::Secret {
            stub["type"] = json!("Opaque");
        }
        stub
    }
}

/// `Certificate apiserver`.
impl std::fmt::Display for Generator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind(), self.name)
    }
}

#[cfg(test)]
mod schema_tests;
#[cfg(test)]
mod tests;
