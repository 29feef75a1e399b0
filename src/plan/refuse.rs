//! What cannot be planned at all.

use std::collections::BTreeMap;

use super::addresses::{self, Services};
use super::consent::{Named, Permit};
use super::resource::{self, Base, Credentials};
use super::{Error, Inputs, credentials, pod_template};
use crate::manifest::generator::Generator;
use crate::manifest::{Resource, ResourceId, group};

pub(super) fn no_service(generators: &[Generator], services: &Services<'_>) -> Result<(), Error> {
    let missing: Vec<_> = generators
        .iter()
        .flat_map(|generator| {
            let waits = addresses::waits(generator, generators).into_iter();
            let missing = waits.filter(|name| !services.has(name));
            missing.map(|name| (name.to_owned(), generator.origin.clone()))
        })
        .collect();
    none(missing, Error::NoService)
}

pub(super) fn no_address(inputs: &Inputs<'_>, generators: &[Generator]) -> Result<(), Error> {
    let resources = inputs.desired.resources.iter();
    let own = resources.filter(|resource| resource::is_own(resource, inputs));
    let bodies = own.map(|resource| &resource.body);
    let found = addresses::without_address(generators, bodies);
    if found.is_empty() {
        return Ok(());
    }
    let place = |generator: &Generator| (generator.to_string(), generator.origin.clone());
    Err(Error::NoAddress(found.into_iter().map(place).collect()))
}

/// Refuses pods of a group that could not start before what is in no group is there, which waits
/// for the group.
pub(super) fn ungrouped(inputs: &Inputs<'_>) -> Result<(), Error> {
    let resources = &inputs.desired.resources;
    let is_grouped = |resource: &&Resource| group::group_of(&resource.body).is_some();
    let namespace = inputs.owner.namespace;
    let late: BTreeMap<&ResourceId, &Resource> = resources
        .iter()
        .filter(|resource| !is_grouped(resource))
        .filter(|resource| inputs.desired.generator(&resource.id, namespace).is_none())
        .filter(|resource| !inputs.observed.contains_key(&resource.id))
        .map(|resource| (&resource.id, resource))
        .collect();
    let found: Vec<_> = resources
        .iter()
        .filter(is_grouped)
        .flat_map(|resource| {
            let needs = pod_template::needs(&resource.body).into_iter();
            needs.filter_map(|(kind, name)| {
                let id = ResourceId {
                    group: String::new(),
                    kind: kind.to_owned(),
                    namespace: resource.id.namespace.clone(),
                    name: name.to_owned(),
                };
                let (id, _) = late.get_key_value(&id)?;
                Some((
                    format!("{} needs {id}", resource.id),
                    resource.origin.clone(),
                ))
            })
        })
        .collect();
    none(found, Error::Ungrouped)
}

pub(super) fn unknown_uses(inputs: &Inputs<'_>, credentials: &Credentials) -> Result<(), Error> {
    let resources = inputs.desired.resources.iter();
    let own = resources.filter(|resource| resource::is_own(resource, inputs));
    let unknown: Vec<_> = own
        .flat_map(|resource| {
            let names = credentials::unknown_mentions(&resource.body, &credentials.issues);
            names
                .into_iter()
                .map(|name| (name, resource.origin.clone()))
        })
        .collect();
    none(unknown, Error::UnknownUses)
}

pub(super) fn unknown(inputs: &Inputs<'_>) -> Result<(), Error> {
    let unknown: Vec<_> = inputs
        .desired
        .unknown_kinds(inputs.kinds)
        .map(|r| (format!("{} {}", r.api_version, r.id.kind), r.origin.clone()))
        .collect();
    none(unknown, Error::UnknownKinds)
}

pub(super) fn foreign(inputs: &Inputs<'_>, base: &Base<'_>) -> Result<(), Error> {
    if inputs.consent.permits(Permit::TakeOwnership) {
        return Ok(());
    }
    let foreign: Vec<_> = inputs
        .desired
        .resources
        .iter()
        .filter(|resource| !base.resources.contains_key(&resource.id))
        .filter(|resource| !inputs.found.shared.contains(&resource.id))
        .filter_map(|resource| {
            let live = inputs.observed.get(&resource.id)?;
            let why = inputs.owner.mismatch(live)?;
            Some((resource.id.clone(), why))
        })
        .collect();
    none(foreign, Error::Foreign)
}

/// Refuses names of resources to be made anew that nothing wanted has.
pub(super) fn unnamed(inputs: &Inputs<'_>) -> Result<(), Error> {
    let is_wanted = |named: &&Named| {
        let mut resources = inputs.desired.resources.iter();
        resources.any(|resource| named.is(&resource.id))
    };
    let named = inputs.consent.recreate.iter();
    let missing: Vec<Named> = named.filter(|named| !is_wanted(named)).cloned().collect();
    none(missing, Error::NoSuchResource)
}

/// Refuses what was found, all of it in one error.
fn none<T>(found: Vec<T>, error: impl FnOnce(Vec<T>) -> Error) -> Result<(), Error> {
    if found.is_empty() {
        Ok(())
    } else {
        Err(error(found))
    }
}
