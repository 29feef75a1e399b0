//! What only all generators of a manifest together can have wrong.

use std::collections::BTreeMap;

use super::super::{Resource, ResourceId};
use super::nearest::nearest;
use super::{Error, Generator, IssuerFault, Spec, k8s_name};

/// Checks that every Secret is made once and by nobody else, and that every issuer is an authority
/// among the generators. Authorities are self-signed, so that no cycle can be written.
///
/// `others` are the resources and hooks of the same manifest, `namespace` is the release's.
///
/// # Errors
/// If it is not so; the first fault in the order of the generators.
pub fn check<'a>(
    generators: &[Generator],
    others: impl IntoIterator<Item = &'a Resource>,
    namespace: &str,
) -> Result<(), Error> {
    let by_name = by_name(generators)?;
    refuse_alike(generators)?;
    generators
        .iter()
        .try_for_each(|generator| check_issuer(generator, &by_name))?;
    for resource in others {
        let ResourceId {
            group, kind, name, ..
        } = &resource.id;
        if !group.is_empty()
            || kind != "Secret"
            || resource.id.namespace.as_deref() != Some(namespace)
        {
            continue;
        }
        if let Some(generator) = by_name.get(name.as_str()) {
            return Err(Error::Collision {
                id: resource.id.clone(),
                generator: generator.origin.clone(),
                resource: resource.origin.clone(),
            });
        }
    }
    Ok(())
}

fn by_name(generators: &[Generator]) -> Result<BTreeMap<&str, &Generator>, Error> {
    let mut by_name = BTreeMap::new();
    for generator in generators {
        if let Some(first) = by_name.insert(generator.name.as_str(), generator) {
            return Err(Error::Duplicate {
                name: generator.name.clone(),
                first: first.origin.clone(),
                second: generator.origin.clone(),
            });
        }
    }
    Ok(by_name)
}

/// Refuses names such as `a.b` and `a-b`: one's issue would hide the other's from the pods.
fn refuse_alike(generators: &[Generator]) -> Result<(), Error> {
    let mut by_stamp: BTreeMap<String, &Generator> = BTreeMap::new();
    for generator in generators {
        if let Some(first) = by_stamp.insert(k8s_name(&generator.name), generator) {
            return Err(Error::Alike {
                name: generator.name.clone(),
                other: first.name.clone(),
                first: first.origin.clone(),
                second: generator.origin.clone(),
            });
        }
    }
    Ok(())
}

fn check_issuer(generator: &Generator, all: &BTreeMap<&str, &Generator>) -> Result<(), Error> {
    let Some(leaf) = generator.spec.leaf() else {
        return Ok(());
    };
    let is_authority = |spec: &Spec| matches!(spec, Spec::CertificateAuthority(_));
    let fault = match all.get(leaf.issuer.as_str()) {
        Some(issuer) if is_authority(&issuer.spec) => return Ok(()),
        Some(issuer) => IssuerFault::NotAuthority {
            kind: issuer.kind(),
        },
        None => {
            let authorities = all.values().filter(|other| is_authority(&other.spec));
            let names = authorities.map(|other| other.name.as_str());
            IssuerFault::Unknown {
                nearest: nearest(&leaf.issuer, names),
            }
        }
    };
    Err(Error::Issuer {
        origin: generator.origin.clone(),
        generator: generator.to_string(),
        issuer: leaf.issuer.clone(),
        fault,
    })
}
