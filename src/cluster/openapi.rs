//! How kinds merge, as the API server publishes it.
//!
//! `/openapi/v3/apis/GROUP/VERSION` is for everybody whom the API server knows, whereas definitions of
//! custom resources are often not to be read by those who only manage a namespace.

use std::collections::BTreeMap;

use super::call::Call;
use super::path::Uri;
use super::refusal::{Content, Subject};
use super::{Cluster, Error};
use crate::builtin::custom::{self, Structure};

/// The largest document that is read, in bytes. The kinds of the largest groups take a few megabytes.
const LARGEST: usize = 32 << 20;

impl Cluster {
    /// Asks how the kinds of one group and version merge, by their names.
    ///
    /// What the API server does not tell, or cannot be read, is left out: nothing rests on it alone.
    ///
    /// # Errors
    /// If there is no answer, or the credentials are not accepted.
    pub async fn structures(
        &self,
        (group, version): (&str, &str),
    ) -> Result<BTreeMap<String, Structure>, Error> {
        let path = format!("/openapi/v3/apis/{group}/{version}");
        let subject = Subject {
            verb: "get",
            what: path.clone(),
            content: Content::Open,
        };
        let answer = match self.send(&Call::get(subject, &Uri::new(path))?).await {
            Ok(answer) if answer.body.len() <= LARGEST => answer,
            Ok(_) => return Ok(BTreeMap::new()),
            Err(error) if is_refusal(&error) => return Ok(BTreeMap::new()),
            Err(error) => return Err(error),
        };
        let read = custom::published(&answer.body, (group, version));
        Ok(read.unwrap_or_default())
    }
}

/// Whether the API server will not tell, however often it is asked.
fn is_refusal(error: &Error) -> bool {
    matches!(error, Error::Forbidden { .. } | Error::NotFound { .. })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::{answer, mock};

    #[tokio::test]
    async fn one_request_tells_all_kinds_of_a_version() {
        let (cluster, asked) = mock(|_, _| async {
            let widget = json!({"type": "object", "x-kubernetes-group-version-kind": [
                {"group": "example.com", "version": "v1", "kind": "Widget"}]});
            let document = json!({"openapi": "3.0.0", "paths": {}, "components": {"schemas": {
                "com.example.v1.Widget": widget, "meta.v1.ObjectMeta": {"type": "object"}}}});
            Ok(answer(200, &document.to_string()))
        });
        let found = cluster.structures(("example.com", "v1")).await.unwrap();
        assert_eq!(found.keys().collect::<Vec<_>>(), ["Widget"]);
        assert_eq!(
            *asked.lock().unwrap(),
            ["GET /openapi/v3/apis/example.com/v1"]
        );
    }

    /// How many kinds an answer tells of; none for an error.
    async fn check(code: u16, body: &'static str, expected: Option<usize>) {
        let (cluster, _) = mock(move |_, _| async move { Ok(answer(code, body)) });
        let found = cluster.structures(("example.com", "v1")).await.ok();
        assert_eq!(found.map(|all| all.len()), expected, "{code} {body}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_be_read_is_not_known() {
        check(403, "", Some(0)).await;
        check(404, "404 page not found\n", Some(0)).await;
        // It may tell later, and what it tells decides what becomes of items of others.
        check(503, "", None).await;
        check(200, "<html>log in</html>", Some(0)).await;
        check(200, "{}", Some(0)).await;
        check(401, "", None).await;
    }
}
