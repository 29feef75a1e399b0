//! Addresses of the bridge for Services of type `LoadBalancer`. A node of the host cluster answers
//! for them, and kube-proxy there takes what comes in to the pods.

use std::net::Ipv4Addr;

use k8s_openapi::api::core::v1::Service;
use kube::api::{ListParams, Patch, PatchParams};
use kube::{Api, Client, ResourceExt};
use serde_json::json;

use super::Error;
use crate::addresses;

/// The annotation by which a Service asks for an address, as it does with `MetalLB`.
const ANNOTATION: &str = "metallb.io/loadBalancerIPs";

/// Gives every such Service that has none an address, and returns the addresses of all.
pub(super) async fn assign(client: &Client) -> Result<Vec<Ipv4Addr>, Error> {
    let services = Api::<Service>::all(client.clone())
        .list(&ListParams::default())
        .await?;
    let balanced: Vec<&Service> = services
        .iter()
        .filter(|service| is_balanced(service))
        .collect();
    let mut taken: Vec<Ipv4Addr> = balanced
        .iter()
        .filter_map(|service| address(service))
        .collect();
    for service in balanced {
        if address(service).is_some() {
            continue;
        }
        let Some(wanted) = wanted(service, &taken) else {
            return Err(Error::Full);
        };
        write(client, service, wanted).await?;
        taken.push(wanted);
    }
    Ok(taken)
}

async fn write(client: &Client, service: &Service, address: Ipv4Addr) -> Result<(), Error> {
    let namespace = service.namespace().unwrap_or_default();
    let services = Api::<Service>::namespaced(client.clone(), &namespace);
    let status = json!({"status": {"loadBalancer": {"ingress": [{"ip": address}]}}});
    let patch = Patch::Merge(status);
    services
        .patch_status(&service.name_any(), &PatchParams::default(), &patch)
        .await?;
    Ok(())
}

fn is_balanced(service: &Service) -> bool {
    let spec = service.spec.as_ref();
    spec.is_some_and(|spec| {
        spec.type_.as_deref() == Some("LoadBalancer") && spec.load_balancer_class.is_none()
    })
}

fn address(service: &Service) -> Option<Ipv4Addr> {
    let balancer = service.status.as_ref()?.load_balancer.as_ref()?;
    balancer
        .ingress
        .as_ref()?
        .first()?
        .ip
        .as_ref()?
        .parse()
        .ok()
}

/// Returns the address that a Service asks for and may have, or the first that is free.
fn wanted(service: &Service, taken: &[Ipv4Addr]) -> Option<Ipv4Addr> {
    let asked = service.annotations().get(ANNOTATION);
    let asked = asked.and_then(|text| text.parse().ok());
    let may_have = |one: &Ipv4Addr| addresses::is_balanced(*one) && !taken.contains(one);
    asked
        .filter(may_have)
        .or_else(|| addresses::for_service(taken))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Service;
    use serde_json::{Value, json};

    use super::{address, is_balanced, wanted};

    fn service(value: Value) -> Service {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn only_load_balancers_of_no_class_are_served() {
        let kind = |spec: Value| is_balanced(&service(json!({"metadata": {}, "spec": spec})));
        assert!(kind(json!({"type": "LoadBalancer"})));
        assert!(!kind(
            json!({"type": "LoadBalancer", "loadBalancerClass": "a/b"})
        ));
        assert!(!kind(json!({"type": "NodePort"})));
    }

    #[test]
    fn a_service_gets_what_it_asks_for_where_that_is_free() {
        let asking = |ip: &str| {
            let annotations = json!({"metallb.io/loadBalancerIPs": ip});
            service(json!({"metadata": {"annotations": annotations}}))
        };
        let get = |ip: &str| wanted(&asking(ip), &["10.77.0.200".parse().unwrap()]).unwrap();
        assert_eq!(get("10.77.0.210").to_string(), "10.77.0.210");
        assert_eq!(get("10.77.0.200").to_string(), "10.77.0.201");
        assert_eq!(get("192.0.2.1").to_string(), "10.77.0.201");
    }

    #[test]
    fn an_address_is_read_from_the_status() {
        let ingress = json!([{"ip": "10.77.0.200"}]);
        let status = json!({"loadBalancer": {"ingress": ingress}});
        let with = service(json!({"metadata": {}, "status": status}));
        assert_eq!(address(&with).unwrap().to_string(), "10.77.0.200");
        assert_eq!(address(&service(json!({"metadata": {}}))), None);
    }
}
