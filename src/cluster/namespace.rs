//! Namespaces.

use serde_json::{Value, json};

use super::path::Address;
use super::resource::Write;
use super::{Cluster, Error};
use crate::capabilities::Kind;

fn kind() -> Kind {
    Kind {
        group: String::new(),
        version: "v1".to_owned(),
        kind: "Namespace".to_owned(),
        plural: "namespaces".to_owned(),
        namespaced: false,
    }
}

impl Cluster {
    /// Reads the uid of a namespace; none if it does not exist.
    ///
    /// # Errors
    /// Any refusal but that it does not exist.
    pub async fn namespace_uid(&self, name: &str) -> Result<Option<String>, Error> {
        let live = self.get(&address(&kind(), name)).await?;
        let uid = live.as_ref().and_then(|live| live.pointer("/metadata/uid"));
        Ok(uid.and_then(Value::as_str).map(str::to_owned))
    }

    /// Tells whether a namespace exists.
    ///
    /// # Errors
    /// Any refusal but that it does not exist.
    pub async fn namespace_exists(&self, name: &str) -> Result<bool, Error> {
        Ok(self.get(&address(&kind(), name)).await?.is_some())
    }

    /// Creates a namespace with the label `name` that Helm gives it; one that exists is fine.
    ///
    /// # Errors
    /// Any refusal but that it exists.
    pub async fn create_namespace(&self, name: &str) -> Result<(), Error> {
        let body = json!({"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": name, "labels": {"name": name}}});
        match self
            .create(&address(&kind(), name), &body, Write::by("helm"))
            .await
        {
            Err(error) if !error.is_already_exists() => Err(error),
            _ => Ok(()),
        }
    }
}

fn address<'a>(kind: &'a Kind, name: &'a str) -> Address<'a> {
    Address {
        kind,
        namespace: None,
        name,
    }
}
