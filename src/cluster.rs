//! The one handle to the Kubernetes API.
//!
//! Kinds, names and JSON bodies come in, JSON bodies go out. This is where time limits, retries and
//! the number of requests at once are kept, so nobody else has to. Deciding what to write is left
//! to `plan`, and records of releases to `history`.

mod access;
mod answer;
mod body;
mod broken;
mod call;
mod clock;
mod deletion;
mod diagnosis;
mod discovery;
mod error;
mod events;
mod hopeless;
mod lease;
mod metadata;
mod namespace;
mod observe;
mod openapi;
mod output;
mod owner;
mod path;
mod pause;
mod protobuf;
mod proxy;
mod refusal;
mod resource;
mod rights;
mod scope;
mod survey;
mod transport;
mod tunnel;
mod wait;
mod watch;

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use http::Uri;
use jiff::Timestamp;
use tokio::sync::Semaphore;

use crate::kubeconfig::Kubeconfig;

pub use access::{Access, Token, Verification};
pub use deletion::{Deletion, Precondition, Propagation};
pub use diagnosis::{Depth, Diagnosis, EXPLAINED, KnownValues, SickPod, Warning};
pub use discovery::Discovered;
pub use error::{Error, FieldConflict, Missing, Unready};
pub use lease::{Claim, Hold, Holder, Lease, Left, Lost, Taking, Tenure, kind as lease_kind};
pub use metadata::Metadata;
pub use output::Output;
pub use path::Address;
pub use resource::{Effect, Force, Patch, Validation, Write, Written};
pub use rights::Question;
pub use tunnel::ServicePort;
pub use wait::Wait;

use call::PATIENCE;
use clock::Clock;
use transport::{Connection, Dialing};
use wait::Finished;

/// How many requests are under way at once; watches count while they are opened.
const AT_ONCE: usize = 16;

/// Which cluster to talk to, as far as the user has said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Target {
    /// The kubeconfig; without one, those of `KUBECONFIG`, `~/.kube/config`, or the account of the
    /// pod this runs in.
    pub kubeconfig: Option<PathBuf>,
    /// The context in it; without one, its current context.
    pub context: Option<String>,
    /// The namespace for whatever names none; without one, that of the context.
    pub namespace: Option<String>,
}

/// A connection to one API server.
///
/// Requests may be made from many places at once; 16 of them are under way at a time, each for at
/// most 30 s. Those that do no harm when they are sent twice are sent again, up to 5 times with pauses
/// that grow, when the API server is too busy, fails or does not answer, or the connection breaks:
/// reads, deletions, creations, merge patches, applies, and other patches with a resource version.
/// Others are only when the API server has turned them away unread, and dry runs not when it fails,
/// which may be the fault of a webhook. An API server that was reached before may be away for a while, and one
/// that asks for pauses gets them, up to 2 minutes altogether for a request.
pub struct Cluster {
    client: kube::Client,
    uri: Uri,
    server: String,
    namespace: String,
    slots: Semaphore,
    /// How long one try of a request may take.
    patience: Duration,
    /// Whether there has been an answer yet.
    is_reached: AtomicBool,
    /// What was seen to have run to its end; later waits of a command rely on it.
    finished: Mutex<Finished>,
    clock: Clock,
    /// None for a client that is no connection.
    dialing: Option<Dialing>,
}

impl Cluster {
    /// Reads the kubeconfig and prepares a connection. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Kubeconfig`] names the file and the context; [`Error::Credentials`] says what a
    /// credential plugin said.
    pub async fn connect(target: &Target) -> Result<Self, Error> {
        Self::connect_with(target, &Access::default()).await
    }

    /// The same, where the user has said more about the way than stands in the kubeconfig.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn connect_with(target: &Target, access: &Access) -> Result<Self, Error> {
        Ok(Self::with_connection(
            transport::open(target, access).await?,
        ))
    }

    /// Prepares a connection by a kubeconfig that pintle has made, which errors call `called`.
    ///
    /// Where its server is a Service of the cluster `host`, by the name that it has inside of it, the
    /// way leads through the API server of `host` and a pod of the Service that is ready. Otherwise
    /// nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Kubeconfig`] if its certificates or its address cannot be used;
    /// [`Error::Unreachable`] if the Service has no pod that is ready; refusals to read these.
    pub async fn connect_as(
        host: &Self,
        (kubeconfig, called): (&Kubeconfig, &str),
        namespace: &str,
    ) -> Result<Self, Error> {
        let tunnel = match ServicePort::of(&kubeconfig.server) {
            Some(service) => Some(host.tunnel(&service).await?),
            None => None,
        };
        let mut connection = transport::open_as(kubeconfig, called, tunnel).await?;
        namespace.clone_into(&mut connection.namespace);
        let mut cluster = Self::with_connection(connection).answering_within(host.patience);
        cluster.clock = host.clock.of_another();
        Ok(cluster)
    }

    /// The same connection, on which one try of a request may take this long instead of 30 s.
    #[must_use]
    pub fn answering_within(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The same connection, on which it is found out by how much the API server's clock differs from `now`.
    /// Leases and the age of pods are judged by the API server's then.
    #[must_use]
    pub fn beside_clock(mut self, now: fn() -> Timestamp) -> Self {
        self.clock = Clock::beside(now);
        self
    }

    fn with_connection(connection: Connection) -> Self {
        Self {
            client: connection.client,
            server: shown(&connection.server),
            uri: connection.server,
            namespace: connection.namespace,
            slots: Semaphore::new(AT_ONCE),
            patience: PATIENCE,
            is_reached: AtomicBool::new(false),
            finished: Mutex::default(),
            clock: Clock::default(),
            dialing: Some(connection.dialing),
        }
    }

    /// A client for requests that turn their connection into a stream.
    fn upgradable(&self) -> Result<kube::Client, Error> {
        let unusable = |source| Error::Unreachable {
            server: self.server.clone(),
            source,
        };
        let dialing = self.dialing.as_ref();
        let dialing = dialing.ok_or_else(|| unusable("there is no other way to it".into()))?;
        dialing
            .upgradable()
            .map_err(|error| unusable(broken::innermost(&error)))
    }

    /// Returns the namespace for whatever names none.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Returns the address of the API server, such as `https://127.0.0.1:6443`.
    pub fn server(&self) -> &str {
        &self.server
    }

    fn is_near(&self) -> bool {
        proxy::is_near(&self.uri)
    }
}

/// The address as users know it: without the slash that a URI without a path gets.
fn shown(server: &Uri) -> String {
    server.to_string().trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::path::Path;
    use std::sync::Arc;

    use http::{Request, Response};
    use kube::client::Body;

    use super::*;

    /// What a mock was asked: the method and the path with its query.
    pub(super) type Asked = Arc<Mutex<Vec<String>>>;

    /// A cluster whose answers come from a function of the request and its number.
    pub(super) fn mock<F, A>(answer: F) -> (Cluster, Asked)
    where
        F: Fn(Request<Body>, usize) -> A + Send + Sync + 'static,
        A: Future<Output = Result<Response<Body>, tower::BoxError>> + Send + 'static,
    {
        let asked = Asked::default();
        let log = Arc::clone(&asked);
        let service = tower::service_fn(move |request: Request<Body>| {
            let mut log = log.lock().unwrap();
            log.push(format!("{} {}", request.method(), request.uri()));
            answer(request, log.len())
        });
        let client = kube::Client::new(service, "default");
        let uri = Uri::from_static("https://127.0.0.1:6443");
        let cluster = Cluster {
            client,
            server: shown(&uri),
            uri,
            namespace: "default".to_owned(),
            slots: Semaphore::new(AT_ONCE),
            patience: PATIENCE,
            is_reached: AtomicBool::new(false),
            finished: Mutex::default(),
            clock: Clock::default(),
            dialing: None,
        };
        (cluster, asked)
    }

    pub(super) fn answer(code: u16, body: &str) -> Response<Body> {
        Response::builder()
            .status(code)
            .body(Body::from(body.as_bytes().to_vec()))
            .unwrap()
    }

    const KUBECONFIG: &str = "apiVersion: v1\nkind: Config\ncurrent-context: a\n\
        contexts:\n- {name: a, context: {cluster: one, user: u}}\n\
        - {name: b, context: {cluster: one, user: u, namespace: shop}}\n\
        - {name: c, context: {cluster: gone, user: u}}\n\
        clusters:\n- {name: one, cluster: {server: 'https://127.0.0.1:6443'}}\n\
        users:\n- {name: u, user: {token: t}}\n";

    async fn connect(path: &Path, context: Option<&str>) -> Result<Cluster, Error> {
        Cluster::connect(&Target {
            kubeconfig: Some(path.to_owned()),
            context: context.map(str::to_owned),
            namespace: None,
        })
        .await
    }

    #[tokio::test]
    async fn a_context_gives_server_and_namespace() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::io::Write::write_all(&mut file.as_file(), KUBECONFIG.as_bytes()).unwrap();
        let cluster = connect(file.path(), None).await.unwrap();
        assert_eq!(cluster.server(), "https://127.0.0.1:6443");
        assert_eq!(cluster.namespace(), "default");
        let cluster = connect(file.path(), Some("b")).await.unwrap();
        assert_eq!(cluster.namespace(), "shop");
    }

    #[track_caller]
    fn refused(cluster: Result<Cluster, Error>) -> String {
        let error = cluster.err().unwrap();
        let source = std::error::Error::source(&error).unwrap();
        format!("{error}: {source}")
    }

    #[tokio::test]
    async fn what_is_wrong_with_a_kubeconfig_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let good = folder.path().join("good");
        let bad = folder.path().join("bad");
        for (path, text) in [
            (&good, KUBECONFIG),
            (&bad, "clusters: [\nusers: hunter2: x"),
        ] {
            let mut file = tempfile::NamedTempFile::new_in(folder.path()).unwrap();
            std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
            file.persist(path).unwrap();
        }
        let shown = good.display();
        assert_eq!(
            refused(connect(&good, Some("x")).await),
            format!("cannot use the kubeconfig {shown} with context x: it has no context x")
        );
        assert_eq!(
            refused(connect(&good, Some("c")).await),
            format!("cannot use the kubeconfig {shown} with context c: it has no cluster gone")
        );
        let none = folder.path().join("none");
        let shown = none.display();
        assert_eq!(
            refused(connect(&none, None).await),
            format!(
                "cannot use the kubeconfig {shown}: \
                 cannot read {shown}: No such file or directory (os error 2)"
            )
        );
        let said = refused(connect(&bad, None).await);
        assert!(said.contains("not valid YAML"), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_does_not_answer_is_given_up_in_seconds() {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = silent.local_addr().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        let text = KUBECONFIG.replace("127.0.0.1:6443", &address.to_string());
        let mut file = tempfile::NamedTempFile::new_in(folder.path()).unwrap();
        std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
        file.persist(&path).unwrap();
        let cluster = connect(&path, None).await.unwrap();
        let start = tokio::time::Instant::now();
        let error = cluster.version().await.unwrap_err();
        assert!(error.is_unreachable());
        assert_eq!(
            refused(Err(error)),
            format!("cannot reach the API server https://{address}: no connection within 5s")
        );
        assert_eq!(start.elapsed().as_secs(), 5);
        drop(silent);
        assert_eq!(
            refused(cluster.version().await.map(|_| cluster)),
            format!(
                "cannot reach the API server https://{address}: \
                 Connection refused (os error 111)"
            )
        );
    }
}
