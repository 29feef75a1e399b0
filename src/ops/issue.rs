//! Making the data of generated Secrets and config maps, and writing it.
//!
//! The stub belongs to the manifest and to its field manager. The data and the marks
//! are written by another one, because a rollback of Helm by server-side apply takes away what
//! Helm's own manager wrote and the manifest does not have.

use std::cell::RefCell;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::StepError;
use super::step::{at, changed, failed, origin};
use crate::cluster::{Address, Cluster, Effect, Patch, Validation, Write};
use crate::event::Done;
use crate::manifest::generator::{
    Endpoint, GENERATOR_LABEL, Generator, ISSUE_ANNOTATION, RELEASE_LABEL, SecretData, Spec,
};
use crate::pki::{self, Sources};
use crate::plan::{Credential, Owner, Step, credentials};

/// What only pintle owns is written by a field manager of its own.
const WRITE: Write<'_> = Write {
    manager: "pintle",
    effect: Effect::Persist,
    validation: Validation::Strict,
};

/// Makes the data of one plan.
pub(super) struct Issuer<'a> {
    owner: Owner<'a>,
    generators: &'a [Generator],
    now: Timestamp,
    /// What generated Secrets hold, as far as it was read or made.
    secrets: RefCell<BTreeMap<String, SecretData>>,
}

impl<'a> Issuer<'a> {
    pub(super) fn new(owner: Owner<'a>, generators: &'a [Generator], now: Timestamp) -> Self {
        Self {
            owner,
            generators,
            now,
            secrets: RefCell::default(),
        }
    }

    /// Writes the marks of what is generated and, where it is issued, its data; `live` is the object
    /// as it is now, from which random text and key pairs are kept as far as they are good.
    pub(super) async fn issue(
        &self,
        step: &Step,
        (credential, live): (&Credential, &Value),
        cluster: &Cluster,
    ) -> Result<Done, StepError> {
        let decision = &credential.decision;
        let mut patch = json!({ "metadata": {
            "resourceVersion": live.pointer("/metadata/resourceVersion"),
            "labels": {
                RELEASE_LABEL: self.owner.release,
                GENERATOR_LABEL: decision.kind,
            },
            "annotations": { ISSUE_ANNOTATION: decision.action.id() },
        }});
        let mut done = Done::Configured;
        if let credentials::Action::Issue { .. } = decision.action {
            patch["data"] = self.make(step, live, cluster).await?;
            done = Done::Issued;
        }
        match cluster.patch(&at(step), Patch::Merge(&patch), WRITE).await {
            Ok(_) => Ok(done),
            Err(error) if error.is_conflict() && is_issued(step, &patch, cluster).await? => {
                Ok(done)
            }
            Err(error) if error.is_conflict() => Err(changed(step)),
            Err(error) => Err(failed(step, "issue", error)),
        }
    }

    /// The data for the API server. It goes nowhere else.
    async fn make(&self, step: &Step, live: &Value, cluster: &Cluster) -> Result<Value, StepError> {
        let name = &step.id.name;
        let generator = self.generators.iter().find(|other| other.name == *name);
        let Some(generator) = generator else {
            return Err(changed(step));
        };
        if let Spec::Endpoint(spec) = &generator.spec {
            return data(spec, step);
        }
        if let Some(leaf) = generator.spec.leaf() {
            self.learn(step, &leaf.issuer, cluster).await?;
        }
        // What cannot be read is made anew; nothing of it could be kept.
        if let Ok(existing) = SecretData::from_secret(live) {
            self.secrets.borrow_mut().insert(name.clone(), existing);
        }
        let made = pki::issue(
            generator,
            &Sources {
                generators: self.generators,
                secrets: &self.secrets.borrow(),
            },
            self.now,
        );
        let made = made.map_err(|source| StepError::Issue {
            id: step.id.clone(),
            origin: origin(step),
            source,
        })?;
        let json = made.to_json();
        self.secrets.borrow_mut().insert(name.clone(), made);
        Ok(json)
    }

    /// Reads an authority that was not made or read before.
    async fn learn(&self, step: &Step, issuer: &str, cluster: &Cluster) -> Result<(), StepError> {
        if self.secrets.borrow().contains_key(issuer) {
            return Ok(());
        }
        let at = Address {
            name: issuer,
            ..at(step)
        };
        let fault = |source| StepError::Issuer {
            id: step.id.clone(),
            issuer: issuer.to_owned(),
            source,
        };
        let live = cluster.get(&at).await.map_err(|error| fault(Some(error)))?;
        let live = live.ok_or_else(|| fault(None))?;
        let data = SecretData::from_secret(&live).map_err(|_| fault(None))?;
        self.secrets.borrow_mut().insert(issuer.to_owned(), data);
        Ok(())
    }
}

/// Whether what a patch says is there already: a try whose answer was lost has written it, and what is
/// random is not made twice.
async fn is_issued(step: &Step, patch: &Value, cluster: &Cluster) -> Result<bool, StepError> {
    let live = cluster.get(&at(step)).await;
    let live = live.map_err(|source| failed(step, "read", source))?;
    let has = |pointer: &str| {
        let wanted = patch.pointer(pointer).and_then(Value::as_object);
        let mut wanted = wanted.into_iter().flatten();
        let found = live.as_ref().and_then(|live| live.pointer(pointer));
        wanted.all(|(key, value)| {
            found
                .and_then(|found| found.get(key))
                .unwrap_or(&Value::Null)
                == value
        })
    };
    Ok(["/metadata/labels", "/metadata/annotations", "/data"]
        .into_iter()
        .all(has))
}

/// The data of the config map of an endpoint; what it does not say any more is taken away.
fn data(spec: &Endpoint, step: &Step) -> Result<Value, StepError> {
    let data = spec.data().ok_or_else(|| changed(step))?;
    let entries = Endpoint::KEYS.map(|key| (key.to_owned(), json!(data.get(key))));
    Ok(Value::Object(entries.into_iter().collect()))
}
