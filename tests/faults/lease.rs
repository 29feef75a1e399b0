//! The lock that a killed process has left, as another machine sees it.

use jiff::Timestamp;
use serde_json::json;

use crate::support::{Place, api, testbed};

/// Lets the Lease of a place be of a process on another machine that has renewed it last at `renewed`, and
/// gives that time; none if there is no Lease.
pub(crate) fn set(place: &Place, renewed: Timestamp) -> Option<Timestamp> {
    let path = format!(
        "/apis/coordination.k8s.io/v1/namespaces/{}/leases/pintle.app",
        place.namespace
    );
    let spec = json!({
        "holderIdentity": "eve@elsewhere pid 1",
        "renewTime": format!("{renewed:.6}"),
    });
    let request = http::Request::patch(path)
        .header("Content-Type", "application/merge-patch+json")
        .body(json!({ "spec": spec }).to_string().into_bytes())
        .unwrap();
    let sent = api::send(&testbed().kubeconfig, request);
    sent.is_ok().then_some(renewed)
}
