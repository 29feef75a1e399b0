//! The proxy between here and the API server, if there is one.

use std::net::IpAddr;

use http::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use kube::config::Kubeconfig;

use super::error::Cause;

/// Takes the `proxy-url` of the context's cluster out of a kubeconfig.
pub(super) fn take(kubeconfig: &mut Kubeconfig, context: Option<&str>) -> Option<String> {
    let context = context.or(kubeconfig.current_context.as_deref())?;
    let named = kubeconfig
        .contexts
        .iter()
        .find(|named| named.name == context)?;
    let name = &named.context.as_ref()?.cluster;
    let mut clusters = kubeconfig.clusters.iter_mut();
    let cluster = clusters
        .find(|named| named.name == *name)?
        .cluster
        .as_mut()?;
    cluster.proxy_url.take().filter(|proxy| !proxy.is_empty())
}

/// Finds the proxy that requests to a server have to take: `own` or that of the environment.
///
/// The latter never stands between a machine and itself. It is looked up here and not by kube,
/// which compares the exceptions of `NO_PROXY` with the address of the proxy instead of the API
/// server's, and applies them to `own` as well.
///
/// # Errors
/// If `own` is no proxy that can be used. The text does not repeat it, as it may hold a password.
pub(super) fn find(server: &Uri, own: Option<&str>) -> Result<Option<Intercept>, Cause> {
    match own {
        Some(own) => {
            let found = Matcher::builder().all(own).build().intercept(server);
            found
                .filter(|proxy| is_supported(proxy.uri()))
                .map(Some)
                .ok_or_else(|| "its proxy-url is not of http, https or socks5".into())
        }
        None if is_near(server) => Ok(None),
        None => Ok(Matcher::from_env()
            .intercept(server)
            .filter(|proxy| is_supported(proxy.uri()))),
    }
}

fn is_supported(proxy: &Uri) -> bool {
    matches!(
        proxy.scheme_str(),
        Some("http" | "https" | "socks5" | "socks5h")
    )
}

/// Tells whether an address is this machine.
pub(super) fn is_near(server: &Uri) -> bool {
    let host = server.host().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kubeconfig(proxy: &str) -> Kubeconfig {
        let text = format!(
            "current-context: a\n\
             contexts:\n- {{name: a, context: {{cluster: one, user: u}}}}\n\
             - {{name: b, context: {{cluster: two, user: u}}}}\n\
             clusters:\n- {{name: one, cluster: {{server: 'https://192.0.2.1', proxy-url: '{proxy}'}}}}\n\
             - {{name: two, cluster: {{server: 'https://192.0.2.2'}}}}\n"
        );
        Kubeconfig::from_yaml(&text).unwrap()
    }

    #[test]
    fn the_context_decides_about_the_proxy() {
        let mut set = kubeconfig("http://proxy:3128");
        assert_eq!(take(&mut set, Some("b")), None);
        assert_eq!(take(&mut set, Some("c")), None);
        assert_eq!(take(&mut set, None).as_deref(), Some("http://proxy:3128"));
        assert_eq!(take(&mut set, None), None);
        assert_eq!(take(&mut kubeconfig(""), Some("a")), None);
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_an_error() {
        let server = Uri::from_static("https://192.0.2.1:6443");
        for bad in ["ftp://proxy:21", "socks4://proxy:1080", "::"] {
            assert!(find(&server, Some(bad)).is_err(), "{bad}");
        }
        let found = find(&server, Some("http://user:word@proxy:3128"));
        let found = found.unwrap().unwrap();
        assert_eq!(found.uri().to_string(), "http://proxy:3128/");
        assert!(found.basic_auth().is_some());
    }

    #[test]
    fn this_machine_is_near() {
        for (server, near) in [
            ("https://127.0.0.1:6443", true),
            ("https://127.9.0.1", true),
            ("https://[::1]:6443", true),
            ("https://localhost:6443/base", true),
            ("https://192.0.2.1", false),
            ("https://localhost.example.com", false),
        ] {
            assert_eq!(is_near(&Uri::from_static(server)), near, "{server}");
        }
    }
}
