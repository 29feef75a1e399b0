//! From a document to a [`Spec`].

mod kinds;
mod parts;

use serde_json::Value;

use super::super::Origin;
use super::fields::{At, Field, Read};
use super::nearest::nearest;
use super::spec::Spec;
use super::syntax;
use super::{API_VERSION, Error, Fault, GENERATOR_LABEL, ISSUE_ANNOTATION, RELEASE_LABEL};

/// Reads the whole document: the name of what it makes, and what that holds.
pub(super) fn document(
    body: &Value,
    origin: &Origin,
    namespace: &str,
) -> Result<(String, Spec), Error> {
    let word = |path: &str| body.pointer(path).and_then(Value::as_str).unwrap_or("");
    let (kind, name) = (word("/kind"), word("/metadata/name"));
    check_kind(kind, origin)?;
    let read = || {
        let fields = Field::root(body).map_of(&["apiVersion", "kind", "metadata", "spec"])?;
        (fields.required("apiVersion")?).choice(&[(API_VERSION, ())])?;
        let name = metadata(&fields.required("metadata")?, namespace)?;
        Ok((name, spec(kind, &fields.required("spec")?)?))
    };
    read().map_err(|At { path, fault }| Error::Field {
        origin: origin.clone(),
        generator: format!("{kind} {name}").trim_end().to_owned(),
        path,
        fault,
    })
}

fn check_kind(kind: &str, origin: &Origin) -> Result<(), Error> {
    let origin = origin.clone();
    let kind = kind.to_owned();
    match kind.as_str() {
        known if Spec::KINDS.contains(&known) => Ok(()),
        unknown => Err(Error::Kind {
            nearest: nearest(unknown, Spec::KINDS),
            origin,
            kind,
        }),
    }
}

fn metadata(field: &Field<'_>, namespace: &str) -> Read<String> {
    let fields = field.map_of(&["name", "namespace", "labels", "annotations"])?;
    let name = fields.required("name")?.text_where(
        syntax::is_subdomain,
        "it has to be a DNS subdomain of lower-case letters, digits, '-' and '.'",
    )?;
    if let Some(field) = fields.optional("namespace")
        && field.text()? != namespace
    {
        return field.refuse("everything is made in the release's namespace; leave it out");
    }
    for kind in ["labels", "annotations"] {
        let Some(field) = fields.optional(kind) else {
            continue;
        };
        for (name, field) in field.map()?.entries() {
            mark(name, &field)?;
        }
    }
    Ok(name)
}

/// Checks one label or annotation; values may be empty.
fn mark(name: &str, field: &Field<'_>) -> Read<()> {
    match name {
        "helm.sh/hook" => return field.refuse("a generator cannot be a hook"),
        RELEASE_LABEL | GENERATOR_LABEL | ISSUE_ANNOTATION => {
            return field.refuse("pintle sets it itself");
        }
        _ => (),
    }
    match field.text() {
        Err(At {
            fault: fault @ Fault::Type { .. },
            ..
        }) => field.fail(fault),
        _ => Ok(()),
    }
}

fn spec(kind: &str, field: &Field<'_>) -> Read<Spec> {
    Ok(match kind {
        "CertificateAuthority" => Spec::CertificateAuthority(kinds::authority(field)?),
        "Certificate" => Spec::Certificate(kinds::certificate(field)?),
        "KeyPair" => Spec::KeyPair(kinds::key_pair(field)?),
        "Kubeconfig" => Spec::Kubeconfig(kinds::kubeconfig(field)?),
        "Endpoint" => Spec::Endpoint(kinds::endpoint(field)?),
        _ => Spec::RandomSecret(kinds::random_secret(field)?),
    })
}
