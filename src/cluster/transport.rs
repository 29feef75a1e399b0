//! The connection to the API server.
//!
//! A kubeconfig, or what kube finds in the environment, comes in; a client goes out whose
//! connection is HTTP/2 where the API server speaks it, and several of HTTP/1.1 where not, over TCP
//! without delay, through a proxy where there is one. What is
//! sent is left to [`super::call`].
//!
//! A connection can be dead without having ended: a firewall has forgotten it, the network is another one. So
//! the other side is asked for a sign of life where it is silent, over HTTP/2 by pings, which also find out what
//! still takes bytes and passes none on, and below by TCP. A dead connection is closed within 10 s, so that a
//! lock can be renewed over another one before it is lost.

use std::io;
use std::time::Duration;

use http::header::USER_AGENT;
use http::{HeaderValue, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as Http;
use hyper_util::client::legacy::connect::proxy::{self as connect, SocksV5};
use hyper_util::client::legacy::connect::{Connection as Connected, HttpConnector};
use hyper_util::client::proxy::matcher::Intercept;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use kube::client::{Body, ConfigExt};
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};
use tower::timeout::TimeoutLayer;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, Layer, Service, ServiceBuilder};

use super::Target;
use super::access::Access;
use super::broken::{credentials, innermost};
use super::error::{Cause, Error};
use super::proxy;
use super::tunnel::Tunnel;
use crate::kubeconfig;

/// How long a connection may take: name, TCP, proxy and TLS.
const CONNECT: Duration = Duration::from_secs(5);
/// After how long without a byte the other side is asked whether it still lives.
const QUIET: Duration = Duration::from_secs(5);
/// How long its answer may take, behind what is being sent.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);
/// How long an unused connection is kept.
const IDLE: Duration = Duration::from_secs(50);
/// Who sends the requests, for the API server's audit log.
const AGENT: &str = concat!("pintle/", env!("CARGO_PKG_VERSION"));

/// A client and what is known without a request.
pub(super) struct Connection {
    pub(super) client: Client,
    pub(super) server: Uri,
    pub(super) namespace: String,
    pub(super) dialing: Dialing,
}

/// What another client of the same API server is made from.
pub(super) struct Dialing {
    config: Config,
    proxy: Option<Intercept>,
}

/// What is spoken over a connection.
#[derive(Clone, Copy)]
enum Protocol {
    /// HTTP/2 where the API server speaks it, otherwise HTTP/1.1.
    Any,
    /// HTTP/1.1, whose connections can become something else.
    Http1,
}

impl Dialing {
    /// Makes a client for requests that turn their connection into a stream.
    pub(super) fn upgradable(&self) -> Result<Client, kube::Error> {
        let mut config = self.config.clone();
        client(&mut config, self.proxy.clone(), Protocol::Http1)
    }
}

/// Makes a client; nothing is sent yet, but a credential plugin runs.
pub(super) async fn open(target: &Target, access: &Access) -> Result<Connection, Error> {
    let (mut config, own_proxy) = load(target, access).await?;
    if let Some(namespace) = &target.namespace {
        config.default_namespace.clone_from(namespace);
    }
    let unusable = |source| unusable(target, source);
    let proxy = proxy::find(&config.cluster_url, own_proxy.as_deref()).map_err(unusable)?;
    let dialing = Dialing { config, proxy };
    finish(dialing, &unusable, |dialing| {
        let mut config = dialing.config.clone();
        client(&mut config, dialing.proxy.clone(), Protocol::Any)
    })
}

/// Makes a client by a kubeconfig that pintle has made, called `called` in errors; through the tunnel
/// if there is one.
pub(super) async fn open_as(
    kubeconfig: &kubeconfig::Kubeconfig,
    called: &str,
    tunnel: Option<Tunnel>,
) -> Result<Connection, Error> {
    let unusable = |source| Error::Kubeconfig {
        kubeconfig: called.to_owned(),
        source,
    };
    let text = kubeconfig.to_text();
    let text = str::from_utf8(&text).map_err(|_| unusable("it is not text".into()))?;
    let read = Kubeconfig::from_yaml(text).map_err(|error| unusable(explain(&error)))?;
    let config = Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await;
    let config = config.map_err(|error| unusable(explain(&error)))?;
    let proxy = match &tunnel {
        Some(_) => None,
        None => proxy::find(&config.cluster_url, None).map_err(unusable)?,
    };
    finish(Dialing { config, proxy }, &unusable, |dialing| {
        let mut config = dialing.config.clone();
        match tunnel {
            Some(tunnel) => stack(named(&mut config), tunnel, Protocol::Any),
            None => client(&mut config, dialing.proxy.clone(), Protocol::Any),
        }
    })
}

fn finish(
    dialing: Dialing,
    unusable: &dyn Fn(Cause) -> Error,
    client: impl FnOnce(&Dialing) -> Result<Client, kube::Error>,
) -> Result<Connection, Error> {
    let server = dialing.config.cluster_url.clone();
    let scheme = server.scheme_str();
    if !matches!(scheme, Some("http" | "https")) {
        // kube takes such an address, and panics at the first request.
        let problem = format!("{server} is no address such as https://10.0.0.1:6443");
        return Err(unusable(problem.into()));
    }
    let client = client(&dialing).map_err(|error| match error {
        kube::Error::Auth(error) => Error::Credentials {
            server: super::shown(&server),
            source: credentials(&error),
        },
        other => unusable(innermost(&other)),
    })?;
    Ok(Connection {
        client,
        server,
        namespace: dialing.config.default_namespace.clone(),
        dialing,
    })
}

/// Reads the kubeconfig and its own proxy, or what a pod has in its place.
async fn load(target: &Target, access: &Access) -> Result<(Config, Option<String>), Error> {
    let read = match &target.kubeconfig {
        Some(path) => Kubeconfig::read_from(path),
        None => Kubeconfig::read(),
    };
    let mut kubeconfig = match read {
        Ok(kubeconfig) => kubeconfig,
        // The address is all that it takes.
        Err(error) if access.server.is_some() && is_absent(target, &error) => Kubeconfig::default(),
        Err(error) => {
            let (mut config, own_proxy) = within_pod(target, &error)?;
            access.put_over_user(&mut config.auth_info);
            return Ok((config, own_proxy));
        }
    };
    access.put_over(&mut kubeconfig, target.context.as_deref());
    let own_proxy = proxy::take(&mut kubeconfig, target.context.as_deref());
    let options = KubeConfigOptions {
        context: target.context.clone(),
        ..KubeConfigOptions::default()
    };
    let config = Config::from_custom_kubeconfig(kubeconfig, &options).await;
    let config = config.map_err(|error| unusable(target, explain(&error)))?;
    Ok((config, own_proxy))
}

/// Uses the account of the pod this runs in, when there is no kubeconfig and none was asked for.
fn within_pod(target: &Target, error: &KubeconfigError) -> Result<(Config, Option<String>), Error> {
    if is_absent(target, error)
        && let Ok(config) = Config::incluster()
    {
        return Ok((config, None));
    }
    Err(unusable(target, explain(error)))
}

/// Whether there is no kubeconfig, and none was asked for.
fn is_absent(target: &Target, error: &KubeconfigError) -> bool {
    let is_absent = match error {
        KubeconfigError::ReadConfig(error, _) => error.kind() == io::ErrorKind::NotFound,
        KubeconfigError::FindPath => true,
        _ => false,
    };
    is_absent && target.kubeconfig.is_none() && target.context.is_none()
}

fn unusable(target: &Target, source: Cause) -> Error {
    let file = match &target.kubeconfig {
        Some(path) => format!("the kubeconfig {}", path.display()),
        None => "the kubeconfig".to_owned(),
    };
    let kubeconfig = match &target.context {
        Some(context) => format!("{file} with context {context}"),
        None => file,
    };
    Error::Kubeconfig { kubeconfig, source }
}

/// Says what is wrong with a kubeconfig without quoting it, since it holds credentials.
fn explain(error: &KubeconfigError) -> Cause {
    match error {
        KubeconfigError::CurrentContextNotSet => "it has no current context".into(),
        KubeconfigError::LoadContext(name) => format!("it has no context {name}").into(),
        KubeconfigError::LoadClusterOfContext(name) => format!("it has no cluster {name}").into(),
        KubeconfigError::ReadConfig(error, path) => {
            format!("cannot read {}: {error}", path.display()).into()
        }
        KubeconfigError::Parse(error) => match error.location() {
            Some(at) => format!("not valid YAML or not a kubeconfig, at line {}", at.line()).into(),
            None => "not valid YAML or not a kubeconfig".into(),
        },
        other => other.to_string().into(),
    }
}

/// Says who sends the requests.
fn named(config: &mut Config) -> &mut Config {
    let agent = HeaderValue::from_static(AGENT);
    config.headers.push((USER_AGENT, agent));
    config
}

fn client(
    config: &mut Config,
    proxy: Option<Intercept>,
    protocol: Protocol,
) -> Result<Client, kube::Error> {
    let config = named(config);
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    // Otherwise the first request on each connection waits 40 ms for an acknowledgement.
    tcp.set_nodelay(true);
    keep_alive(&mut tcp);
    let Some(proxy) = proxy else {
        return stack(config, tcp, protocol);
    };
    match proxy.uri().scheme_str() {
        Some("https") => {
            let tls = config.rustls_https_connector_with_connector(tcp)?;
            stack(config, tunnel(&proxy, tls), protocol)
        }
        Some(scheme) if scheme.starts_with("socks5") => {
            let mut socks = SocksV5::new(proxy.uri().clone(), tcp).local_dns(scheme == "socks5");
            if let Some((user, password)) = proxy.raw_auth() {
                socks = socks.with_auth(user.to_owned(), password.to_owned());
            }
            stack(config, socks, protocol)
        }
        _ => stack(config, tunnel(&proxy, tcp), protocol),
    }
}

/// Has the system close connections whose other side does not acknowledge what it gets, or that it is there.
fn keep_alive(tcp: &mut HttpConnector) {
    tcp.set_keepalive(Some(QUIET));
    tcp.set_keepalive_interval(Some(SIGN_OF_LIFE));
    tcp.set_keepalive_retries(Some(2));
    #[cfg(target_os = "linux")]
    tcp.set_tcp_user_timeout(Some(QUIET + 2 * SIGN_OF_LIFE));
}

/// Puts TLS around a way to connect.
///
/// A TLS handshake costs the API server more than most requests do. With HTTP/2 the first request
/// makes the one connection that all others share, while HTTP/1.1 needs one for each request that
/// is under way at the same time.
fn secured<C>(
    config: &Config,
    connector: C,
    protocol: Protocol,
) -> Result<HttpsConnector<C>, kube::Error> {
    if config.tls_server_name.is_some() {
        // kube alone knows how to check another name than that of the address.
        return config.rustls_https_connector_with_connector(connector);
    }
    let tls = config.rustls_client_config()?;
    let builder = HttpsConnectorBuilder::new().with_tls_config(tls);
    let builder = builder.https_or_http().enable_http1();
    Ok(match protocol {
        Protocol::Any => builder.enable_http2().wrap_connector(connector),
        Protocol::Http1 => builder.wrap_connector(connector),
    })
}

fn tunnel<C>(proxy: &Intercept, connector: C) -> connect::Tunnel<C> {
    let tunnel = connect::Tunnel::new(proxy.uri().clone(), connector);
    match proxy.basic_auth() {
        Some(value) => tunnel.with_auth(value.clone()),
        None => tunnel,
    }
}

/// Puts TLS, the base path, credentials and fixed headers around a way to connect.
fn stack<C>(config: &mut Config, connector: C, protocol: Protocol) -> Result<Client, kube::Error>
where
    C: Service<Uri> + Clone + Send + Sync + 'static,
    C::Response: Connected + hyper::rt::Read + hyper::rt::Write + Send + Unpin + 'static,
    C::Future: Send + 'static,
    C::Error: Into<BoxError>,
{
    let auth = config.auth_layer()?;
    if auth.is_some() {
        // A plugin has just given a token; it would run once more to see whether it gives a
        // client certificate instead.
        config.auth_info.exec = None;
    }
    let secured = secured(config, connector, protocol)?;
    let timed = BoxCloneSyncService::new(TimeoutLayer::new(CONNECT).layer(secured));
    let http: Http<_, Body> = Http::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .timer(TokioTimer::new())
        .http2_adaptive_window(true)
        .http2_keep_alive_interval(QUIET)
        .http2_keep_alive_timeout(SIGN_OF_LIFE)
        .http2_keep_alive_while_idle(true)
        .build(timed);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(auth)
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(http);
    Ok(Client::new(service, config.default_namespace.clone()))
}
