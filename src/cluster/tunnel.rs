//! Reaching a Service of the cluster from outside, through its API server and a pod
//! (`pods/portforward`), as `kubectl port-forward` does.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use serde_json::Value;
use tokio::io::DuplexStream;
use tower::{BoxError, Service};

use super::path::Address;
use super::{Cluster, Error};
use crate::capabilities::Kind;
use crate::health;

/// One port of a Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServicePort {
    /// The namespace of the Service.
    pub namespace: String,
    /// The Service.
    pub service: String,
    /// The port that it listens on.
    pub port: u16,
}

impl ServicePort {
    /// Reads the address of a Service inside its cluster, `https://NAME.NAMESPACE.svc:PORT`, with or
    /// without the cluster's domain; none if `server` is any other address.
    pub fn of(server: &str) -> Option<Self> {
        let uri: http::Uri = server.parse().ok()?;
        let mut labels = uri.host()?.split('.');
        let (service, namespace) = (labels.next()?, labels.next()?);
        (labels.next()? == "svc").then(|| Self {
            namespace: namespace.to_owned(),
            service: service.to_owned(),
            port: uri.port_u16().unwrap_or(443),
        })
    }
}

/// A way to connect to one port of a pod, whatever the address that is asked for.
#[derive(Clone)]
pub(super) struct Tunnel {
    pods: Api<Pod>,
    pod: String,
    port: u16,
}

impl Cluster {
    /// The way to a pod behind a Service that is ready.
    pub(super) async fn tunnel(&self, to: &ServicePort) -> Result<Tunnel, Error> {
        let broken = |why: String| Error::Unreachable {
            server: format!("Service {} in namespace {}", to.service, to.namespace),
            source: why.into(),
        };
        let at = Address {
            kind: &Kind::core("Service", "services"),
            namespace: Some(&to.namespace),
            name: &to.service,
        };
        let service = self.get(&at).await?;
        let service = service.ok_or_else(|| broken("it does not exist".to_owned()))?;
        let pods = Kind::core("Pod", "pods");
        let selector = selector(&service).ok_or_else(|| broken("it selects no pods".to_owned()))?;
        let pods = self.list(&pods, Some(&to.namespace), &selector).await?;
        let (pod, port) = choose(&service, to.port, &pods)
            .ok_or_else(|| broken(format!("none of its pods is ready at port {}", to.port)))?;
        let client = self.upgradable()?;
        Ok(Tunnel {
            pods: Api::namespaced(client, &to.namespace),
            pod,
            port,
        })
    }
}

fn selector(service: &Value) -> Option<String> {
    let labels = service.pointer("/spec/selector")?.as_object()?;
    let terms = labels.iter().filter_map(|(key, value)| {
        let value = value.as_str()?;
        Some(format!("{key}={value}"))
    });
    let terms: Vec<_> = terms.collect();
    (!terms.is_empty()).then(|| terms.join(","))
}

/// A pod that is ready, and its port behind `port` of the Service.
fn choose(service: &Value, port: u16, pods: &[Value]) -> Option<(String, u16)> {
    let ports = service.pointer("/spec/ports")?.as_array()?;
    let found = ports
        .iter()
        .find(|known| known.get("port").and_then(Value::as_u64) == Some(port.into()))?;
    let target = found.get("targetPort").unwrap_or(&found["port"]);
    // One that is being deleted is not ready either.
    let mut ready = pods.iter().filter(|pod| health::of(pod).is_ready());
    ready.find_map(|pod| {
        let name = pod.pointer("/metadata/name")?.as_str()?;
        Some((name.to_owned(), port_of(pod, target)?))
    })
}

/// A port of a pod by its number or its name.
fn port_of(pod: &Value, target: &Value) -> Option<u16> {
    let number = match target {
        Value::String(name) => {
            let containers = pod.pointer("/spec/containers")?.as_array()?.iter();
            let mut ports = containers.filter_map(|one| one.get("ports")?.as_array());
            let of_name = |port: &&Value| port.get("name").and_then(Value::as_str) == Some(name);
            let port = ports.find_map(|ports| ports.iter().find(of_name))?;
            port.get("containerPort")?.as_u64()?
        }
        number => number.as_u64()?,
    };
    number.try_into().ok()
}

impl Service<http::Uri> for Tunnel {
    type Response = Stream;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Stream, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Uri) -> Self::Future {
        let Self { pods, pod, port } = self.clone();
        Box::pin(async move {
            let mut forward = pods.portforward(&pod, &[port]).await?;
            let stream = forward.take_stream(port);
            let stream = stream.ok_or("the API server forwards nothing")?;
            Ok(Stream(TokioIo::new(stream)))
        })
    }
}

/// One connection through a tunnel.
pub(super) struct Stream(TokioIo<DuplexStream>);

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl Write for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(server: &str, expected: Option<(&str, &str, u16)>) {
        let found = ServicePort::of(server);
        let expected = expected.map(|(service, namespace, port)| ServicePort {
            namespace: namespace.to_owned(),
            service: service.to_owned(),
            port,
        });
        assert_eq!(found, expected);
    }

    #[test]
    fn services_are_known_by_their_names_inside_the_cluster() {
        check("https://api.shop.svc:6443", Some(("api", "shop", 6443)));
        check(
            "https://api.shop.svc.cluster.local",
            Some(("api", "shop", 443)),
        );
        check("https://api.shop.example.com:6443", None);
        check("https://10.0.0.1:6443", None);
        check("https://svc:6443", None);
        check("", None);
    }

    fn pod(name: &str, ready: &str) -> Value {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
            "spec": {"containers": [{"name": "a"}, {"name": "b", "ports": [
                {"name": "https", "containerPort": 8443}]}]},
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": ready}]}})
    }

    #[track_caller]
    fn check_choice(port: &Value, pods: &[Value], expected: Option<(&str, u16)>) {
        let service = json!({"spec": {"ports": [{"port": 1}, port]}});
        let found = choose(&service, 6443, pods);
        assert_eq!(found, expected.map(|(pod, port)| (pod.to_owned(), port)));
    }

    #[test]
    fn a_pod_that_is_ready_is_chosen() {
        let pods = [pod("a", "False"), pod("b", "True")];
        let by = |target: Value| json!({"port": 6443, "targetPort": target});
        check_choice(&by(json!("https")), &pods, Some(("b", 8443)));
        check_choice(&by(json!(7443)), &pods, Some(("b", 7443)));
        check_choice(&json!({"port": 6443}), &pods, Some(("b", 6443)));
        check_choice(&by(json!("http")), &pods, None);
        check_choice(&by(json!("https")), &pods[..1], None);
        check_choice(&json!({"port": 443}), &pods, None);
    }
}
