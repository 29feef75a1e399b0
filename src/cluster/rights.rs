//! What the user may do, as the API server says (`authorization.k8s.io/v1`).

use serde_json::{Value, json};

use super::path::Address;
use super::{Cluster, Error, Write};
use crate::capabilities::Kind;

/// One right that is asked about.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The verb, as in roles.
    pub verb: &'a str,
    /// The kind.
    pub kind: &'a Kind,
    /// The namespace.
    pub namespace: &'a str,
    /// The resource; empty for any.
    pub name: &'a str,
}

impl Cluster {
    /// The `status` of a review of the rules that hold for the user in a namespace.
    ///
    /// # Errors
    /// Any refusal.
    pub async fn rules_in(&self, namespace: &str) -> Result<Value, Error> {
        let spec = json!({ "namespace": namespace });
        self.review(("SelfSubjectRulesReview", "selfsubjectrulesreviews"), spec)
            .await
    }

    /// Whether the user may do something; the rules alone may not tell all.
    ///
    /// # Errors
    /// Any refusal.
    pub async fn may(&self, question: Question<'_>) -> Result<bool, Error> {
        let Question {
            verb,
            kind,
            namespace,
            name,
        } = question;
        let spec = json!({"resourceAttributes": {"namespace": namespace, "verb": verb,
            "group": kind.group, "resource": kind.plural, "name": name}});
        let status = self
            .review(
                ("SelfSubjectAccessReview", "selfsubjectaccessreviews"),
                spec,
            )
            .await?;
        Ok(status["allowed"] == true)
    }

    async fn review(&self, (kind, plural): (&str, &str), spec: Value) -> Result<Value, Error> {
        let body = json!({"apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": spec});
        let kind = Kind {
            group: "authorization.k8s.io".to_owned(),
            namespaced: false,
            ..Kind::core(kind, plural)
        };
        let at = Address {
            kind: &kind,
            namespace: None,
            name: "",
        };
        let mut answer = self.create(&at, &body, Write::by("pintle")).await?;
        Ok(answer.live["status"].take())
    }
}
