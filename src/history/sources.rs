//! The sources of large charts: objects that revisions share, and that go with the last of them.
//!
//! Each names the revisions that need it as its owners, so that Kubernetes deletes it after the last of
//! these, whoever has deleted them.

use serde_json::{Value, json};

use super::{Driver, Error, MANAGER, Store, at};
use crate::cluster::{Patch, Write};
use crate::release::{Release, SourcePiece};

impl Store<'_> {
    /// Stores the sources of a revision that is recorded, and those that it shares with others: makes
    /// `pieces`, and makes the record `uid` an owner of each that the revision names. Pieces of an older
    /// revision that are lost stay so, since nothing is ever rendered from them.
    ///
    /// # Errors
    /// If one cannot be written.
    pub async fn keep_sources(
        &self,
        release: &Release,
        pieces: &[SourcePiece],
        uid: &str,
    ) -> Result<(), Error> {
        let owner = json!({
            "apiVersion": "v1",
            "kind": self.driver.to_string(),
            "name": super::secret_name(&release.name, release.revision),
            "uid": uid,
        });
        for name in release.source_pieces() {
            let piece = pieces.iter().find(|piece| piece.name == name);
            self.keep_piece((release, &name), piece, &owner).await?;
        }
        Ok(())
    }

    async fn keep_piece(
        &self,
        (release, name): (&Release, &str),
        piece: Option<&SourcePiece>,
        owner: &Value,
    ) -> Result<(), Error> {
        let kind = self.driver.kind();
        let at = at(&kind, &release.namespace, name);
        let failed = |source| Error::Write {
            secret: name.to_owned(),
            source,
        };
        // Owners are a list by uid, so that this adds one to those that there are.
        let patch = json!({"metadata": {"ownerReferences": [owner]}});
        let write = Write::by(MANAGER);
        let cluster = self.cluster;
        match cluster
            .patch(&at, Patch::StrategicMerge(&patch), write)
            .await
        {
            Ok(_) => return Ok(()),
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(failed(error)),
        }
        let Some(piece) = piece else { return Ok(()) };
        let metadata = json!({
            "name": name,
            "namespace": release.namespace,
            "ownerReferences": [owner],
        });
        let object = Driver::sources(self.driver, &metadata, &piece.data);
        match cluster.create(&at, &object, write).await {
            Ok(_) => Ok(()),
            // Another release with the same chart was faster.
            Err(error) if error.is_already_exists() => cluster
                .patch(&at, Patch::StrategicMerge(&patch), write)
                .await
                .map(drop)
                .map_err(failed),
            Err(error) => Err(failed(error)),
        }
    }
}
