//! Following the resources of one scope as they change.
//!
//! A watch goes on from a list's version. The API server ends it now and then, and forgets old
//! versions; then it is opened again, or the scope is listed again. Neither is an error, nor is an
//! API server that cannot be reached for a while: whoever follows has a time limit of their own.

use std::pin::Pin;
use std::time::Duration;

use futures::stream::{self, Stream};
use kube::core::WatchEvent;
use serde_json::Value;

use super::body::Lean;
use super::call::Call;
use super::events::Events;
use super::pause::Backoff;
use super::scope::{Scope, name};
use super::{Cluster, Error};

/// For how long the API server is asked to keep a watch open, in seconds.
const OPEN: &str = "240";
/// How long a watch may be silent; the API server sends a bookmark about every minute.
const SILENCE: Duration = Duration::from_secs(150);

/// What has happened in a scope.
#[derive(Debug)]
pub(super) enum Change {
    /// This is all there is now.
    All(Vec<Value>),
    /// This one is new or has changed.
    One(Value),
    /// The one of this name is deleted.
    Gone(String),
}

/// Where following a scope is.
enum State {
    List,
    Open { version: String },
    Watch { version: String, events: Events },
    End,
}

impl Cluster {
    /// Follows a scope from a list's version on, until an error that does not pass.
    pub(super) fn follow<'a>(
        &'a self,
        scope: &'a Scope<'a>,
        version: String,
    ) -> Pin<Box<dyn Stream<Item = Result<Change, Error>> + 'a>> {
        self.follow_from(scope, State::Open { version })
    }

    /// Follows a scope from what there is now on, until an error that does not pass.
    pub(super) fn follow_all<'a>(
        &'a self,
        scope: &'a Scope<'a>,
    ) -> Pin<Box<dyn Stream<Item = Result<Change, Error>> + 'a>> {
        self.follow_from(scope, State::List)
    }

    fn follow_from<'a>(
        &'a self,
        scope: &'a Scope<'a>,
        state: State,
    ) -> Pin<Box<dyn Stream<Item = Result<Change, Error>> + 'a>> {
        let begin = (state, Backoff::default());
        Box::pin(stream::unfold(
            begin,
            move |(mut state, mut backoff)| async move {
                loop {
                    let (change, next) = self.step(scope, state, &mut backoff).await;
                    state = next?;
                    if let Some(change) = change {
                        return Some((change, (state, backoff)));
                    }
                }
            },
        ))
    }

    /// Goes one step on; without a next state, there is none.
    async fn step(
        &self,
        scope: &Scope<'_>,
        state: State,
        backoff: &mut Backoff,
    ) -> (Option<Result<Change, Error>>, Option<State>) {
        let (change, next) = match state {
            State::End => return (None, None),
            State::List => match self.list_scope(scope).await {
                Ok((items, version)) => (Some(Ok(Change::All(items))), State::Open { version }),
                Err(error) => after(error, State::List, backoff).await,
            },
            State::Open { version } => match self.open_watch(scope, &version).await {
                Ok(events) => (None, State::Watch { version, events }),
                Err(error) if error.is_expired() || error.is_unserved() => {
                    after(error, State::List, backoff).await
                }
                Err(error) => after(error, State::Open { version }, backoff).await,
            },
            State::Watch { version, events } => self.watch(scope, (version, events), backoff).await,
        };
        (change, Some(next))
    }

    async fn open_watch(&self, scope: &Scope<'_>, version: &str) -> Result<Events, Error> {
        let uri = scope
            .uri("watch")?
            .with("watch", "true")
            .with("allowWatchBookmarks", "true")
            .with("timeoutSeconds", OPEN)
            .with("resourceVersion", version);
        let call = Call::get(scope.subject("watch"), &uri)?;
        Ok(Events::new(self.open(&call).await?))
    }

    /// Waits for the next event of an open watch.
    async fn watch(
        &self,
        scope: &Scope<'_>,
        (version, mut events): (String, Events),
        backoff: &mut Backoff,
    ) -> (Option<Result<Change, Error>>, State) {
        let event = match tokio::time::timeout(SILENCE, events.next()).await {
            Ok(Some(Ok(event))) => event,
            // The API server has closed it.
            Ok(None) => {
                backoff.wait(None).await;
                return (None, State::Open { version });
            }
            Ok(Some(Err(_))) | Err(_) => {
                backoff.wait(None).await;
                return (None, State::List);
            }
        };
        let (change, version) = match event {
            WatchEvent::Added(Lean(live)) | WatchEvent::Modified(Lean(live)) => {
                let newer = version_of(&live, version);
                (Change::One(live), newer)
            }
            WatchEvent::Deleted(Lean(live)) => {
                let newer = version_of(&live, version);
                (Change::Gone(name(&live).to_owned()), newer)
            }
            WatchEvent::Bookmark(mark) => {
                backoff.reset();
                let version = mark.metadata.resource_version;
                return (None, State::Watch { version, events });
            }
            WatchEvent::Error(status) => {
                let error = scope
                    .subject("watch")
                    .refused(&self.server, status.code, &status);
                return after(error, State::List, backoff).await;
            }
        };
        backoff.reset();
        (Some(Ok(change)), State::Watch { version, events })
    }
}

/// What follows an error: the same again if it may pass, or else the end.
async fn after(
    error: Error,
    again: State,
    backoff: &mut Backoff,
) -> (Option<Result<Change, Error>>, State) {
    if error.is_passing() {
        backoff.wait(error.pause()).await;
        return (None, again);
    }
    (Some(Err(error)), State::End)
}

fn version_of(live: &Value, older: String) -> String {
    live.pointer("/metadata/resourceVersion")
        .and_then(Value::as_str)
        .map_or(older, str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use futures::StreamExt as _;
    use http::HeaderValue;
    use http::header::RETRY_AFTER;
    use serde_json::json;
    use tokio::time::Instant;

    use super::super::tests::{answer, mock};
    use super::*;
    use crate::capabilities::Kind;
    use crate::manifest::ResourceId;

    fn pods() -> Kind {
        Kind {
            group: String::new(),
            version: "v1".to_owned(),
            kind: "Pod".to_owned(),
            plural: "pods".to_owned(),
            namespaced: true,
        }
    }

    fn id() -> ResourceId {
        ResourceId {
            group: String::new(),
            kind: "Pod".to_owned(),
            namespace: None,
            name: "web".to_owned(),
        }
    }

    fn event(what: &str, version: &str) -> String {
        let body = json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "web", "resourceVersion": version, "managedFields": []}});
        format!("{}\n", json!({"type": what, "object": body}))
    }

    fn status(code: u16) -> serde_json::Value {
        json!({"kind": "Status", "status": "Failure", "code": code, "reason": "Expired"})
    }

    fn list() -> String {
        json!({"metadata": {"resourceVersion": "20"}, "items": []}).to_string()
    }

    /// Status codes and bodies.
    type Answers = &'static [(u16, fn() -> String)];

    /// Follows until the changes end or there are six, with a server that answers in turn.
    async fn follow(answers: Answers) -> (Vec<String>, Vec<String>) {
        let (cluster, asked) = mock(move |_, number| async move {
            match answers.get(number - 1) {
                Some((code, body)) => {
                    let mut answer = answer(*code, &body());
                    if *code == 429 {
                        let pause = HeaderValue::from_static("40");
                        answer.headers_mut().insert(RETRY_AFTER, pause);
                    }
                    Ok(answer)
                }
                None => Ok(answer(403, "")),
            }
        });
        let (kind, id) = (pods(), id());
        let scope = Scope {
            kind: &kind,
            namespace: Some("shop"),
            ids: BTreeMap::from([("web", &id)]),
            makers: Vec::new(),
            labels: "",
        };
        let changes = cluster
            .follow(&scope, "10".to_owned())
            .take(6)
            .map(|change| match change {
                Ok(Change::All(live)) => format!("all {}", live.len()),
                Ok(Change::One(live)) => format!("one {}", live["metadata"]),
                Ok(Change::Gone(name)) => format!("gone {name}"),
                Err(error) => error.to_string(),
            });
        let changes = changes.collect().await;
        let asked = asked.lock().unwrap().clone();
        (changes, asked)
    }

    fn versions(asked: &[String]) -> Vec<&str> {
        asked
            .iter()
            .map(|path| {
                path.split_once("resourceVersion=")
                    .map_or("list", |(_, version)| version)
            })
            .collect()
    }

    const END: &str = "not allowed to watch pods in namespace shop";

    #[tokio::test(start_paused = true)]
    async fn a_closed_watch_is_opened_again_where_it_was() {
        let (changes, asked) = follow(&[
            (200, || event("ADDED", "11") + &event("MODIFIED", "12")),
            (200, || event("BOOKMARK", "15")),
            (200, || event("DELETED", "16")),
        ])
        .await;
        assert_eq!(
            changes,
            [
                "one {\"name\":\"web\",\"resourceVersion\":\"11\"}",
                "one {\"name\":\"web\",\"resourceVersion\":\"12\"}",
                "gone web",
                END,
            ]
        );
        assert_eq!(versions(&asked), ["10", "12", "15", "16"]);
        assert_eq!(
            asked[0],
            "GET /api/v1/namespaces/shop/pods?fieldSelector=metadata.name%3Dweb&watch=true\
             &allowWatchBookmarks=true&timeoutSeconds=240&resourceVersion=10"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_forgotten_version_is_listed_again() {
        let (changes, asked) = follow(&[
            (410, || status(410).to_string()),
            (200, list),
            (200, || {
                json!({"type": "ERROR", "object": status(410)}).to_string() + "\n"
            }),
            (200, list),
        ])
        .await;
        assert_eq!(changes, ["all 0", "all 0", END]);
        assert_eq!(versions(&asked), ["10", "list", "20", "list", "20"]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_absent_server_is_waited_for() {
        let (changes, asked) = follow(&[
            (500, String::new),
            (200, || "{\"type\": nonsense\n".to_owned()),
            (502, String::new),
            (200, list),
            (404, || "404 page not found".to_owned()),
            (200, list),
        ])
        .await;
        assert_eq!(changes, ["all 0", "all 0", END]);
        assert_eq!(
            versions(&asked),
            ["10", "10", "list", "list", "20", "list", "20"]
        );
    }
    #[tokio::test(start_paused = true)]
    async fn a_busy_server_is_given_the_time_it_asks_for() {
        const BUSY: (u16, fn() -> String) = (429, || "Too many requests".to_owned());
        let begin = Instant::now();
        let (changes, asked) = follow(&[BUSY, BUSY, (200, || event("ADDED", "11")), BUSY]).await;
        assert_eq!(changes.len(), 2, "{changes:?}");
        assert_eq!(versions(&asked), ["10", "10", "10", "11", "11"]);
        // 0.5 s, 1 s, and after an event 0.5 s and 1 s at most come to that.
        let took = begin.elapsed().as_millis();
        assert!((121_500..=123_000).contains(&took), "{took}");
    }
}
