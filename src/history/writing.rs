//! Writing records: a new revision, one that is recorded already, and none any more.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::entry::secret_name;
use super::{Entry, Error, MANAGER, SUMMARY, Store, Summary, at, version};
use crate::cluster::{Address, Deletion, Patch, Write};
use crate::release::{self, Release};

impl Store<'_> {
    /// Records a new revision, and gives the UID of its Secret. That this does not exist yet is the
    /// lock of the release, for Helm as well.
    ///
    /// # Errors
    /// [`Error::Exists`] if another process has begun this revision; otherwise if the record
    /// cannot be made or written.
    pub async fn create(&self, release: &mut Release, now: Timestamp) -> Result<String, Error> {
        let name = secret_name(&release.name, release.revision);
        let mut labels = json!(release.labels);
        labels["createdAt"] = now.as_second().to_string().into();
        labels["owner"] = "helm".into();
        labels["name"] = release.name.clone().into();
        labels["status"] = release.info.status.name().into();
        labels["version"] = release.revision.to_string().into();
        let metadata = json!({
            "name": name,
            "namespace": release.namespace,
            "labels": labels,
            "annotations": { SUMMARY: Summary::of(release).to_text() },
        });
        let body = self.driver.object(&metadata, &payload(release)?);
        let kind = self.driver.kind();
        let at = at(&kind, &release.namespace, &name);
        let live = match self.cluster.create(&at, &body, Write::by(MANAGER)).await {
            Ok(written) => written.live,
            Err(error) if error.is_already_exists() => {
                // It may be this very record, written by a try whose answer was lost.
                let written = self.written(&at, &body).await?;
                written.ok_or_else(|| Error::Exists {
                    release: release.name.clone(),
                    revision: release.revision,
                })?
            }
            Err(source) => {
                return Err(Error::Write {
                    secret: name,
                    source,
                });
            }
        };
        release.record_version = version(&live);
        Ok(uid(&live))
    }

    /// What is stored, if it is the record `body`. Its times are exact enough to tell two writers
    /// apart.
    async fn written(&self, at: &Address<'_>, body: &Value) -> Result<Option<Value>, Error> {
        let live = self.cluster.get(at).await.map_err(|source| Error::Read {
            secret: at.name.to_owned(),
            source,
        })?;
        Ok(live.filter(|live| is_record(live, body)))
    }

    /// Writes a revision again that is recorded already, if its record still has the version that the
    /// release knows of, if any; it knows the new one then.
    ///
    /// # Errors
    /// If the record cannot be made or written; [`Error::is_outdated`] tells that it has another version.
    pub async fn update(&self, release: &mut Release, now: Timestamp) -> Result<(), Error> {
        let name = secret_name(&release.name, release.revision);
        let mut patch = json!({
            "metadata": {
                "labels": {
                    "modifiedAt": now.as_second().to_string(),
                    "status": release.info.status.name(),
                },
                "annotations": { SUMMARY: Summary::of(release).to_text() },
            },
            "data": self.driver.data(&payload(release)?),
        });
        if let Some(version) = &release.record_version {
            patch["metadata"]["resourceVersion"] = version.as_str().into();
        }
        let written = self
            .cluster
            .patch(
                &at(&self.driver.kind(), &release.namespace, &name),
                Patch::Merge(&patch),
                Write::by(MANAGER),
            )
            .await
            .map_err(|source| Error::Write {
                secret: name,
                source,
            })?;
        release.record_version = version(&written.live);
        Ok(())
    }

    /// Deletes a revision's record; one that is gone already is fine.
    ///
    /// # Errors
    /// If the Secret cannot be deleted.
    pub async fn delete(&self, entry: &Entry) -> Result<(), Error> {
        let kind = self.driver.kind();
        let at = at(&kind, &entry.namespace, &entry.secret);
        let deleted = self.cluster.delete(&at, Deletion::default()).await;
        match deleted {
            Err(error) if !error.is_not_found() => Err(Error::Write {
                secret: entry.secret.clone(),
                source: error,
            }),
            _ => Ok(()),
        }
    }
}

fn payload(release: &Release) -> Result<Vec<u8>, Error> {
    release::encode(release).map_err(|source| Error::Encode { source })
}

fn uid(object: &Value) -> String {
    let uid = object.pointer("/metadata/uid").and_then(Value::as_str);
    uid.unwrap_or_default().to_owned()
}

/// Whether what is stored is the record `body`; admission may have given it more labels.
fn is_record(stored: &Value, body: &Value) -> bool {
    let labels = body["metadata"]["labels"].as_object();
    let mut labels = labels.into_iter().flatten();
    let has = |(name, value): (&String, &Value)| stored["metadata"]["labels"][name] == *value;
    stored["data"] == body["data"] && labels.all(has)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks what is stored counts as, beside the record that was sent.
    #[track_caller]
    fn check((data, labels): (&str, Value), expected: &str) {
        let body = json!({"metadata": {"labels": {"owner": "helm", "createdAt": "7"}},
            "data": {"release": "one"}});
        let stored = json!({"metadata": {"labels": labels}, "data": {"release": data}});
        let found = if is_record(&stored, &body) {
            "the same"
        } else {
            "another"
        };
        assert_eq!(found, expected, "{stored}");
    }

    #[test]
    fn a_record_that_admission_has_labelled_is_the_one_that_was_sent() {
        let own = json!({"owner": "helm", "createdAt": "7"});
        let more = json!({"owner": "helm", "createdAt": "7", "team": "web"});
        check(("one", own.clone()), "the same");
        check(("one", more), "the same");
        check(("two", own), "another");
        check(
            ("one", json!({"owner": "helm", "createdAt": "8"})),
            "another",
        );
        check(("one", Value::Null), "another");
    }
}
