//! Services: those of type `LoadBalancer` wait for an address.

use serde_json::Value;

use super::{Health, text, waiting};

pub(super) fn service(live: &Value) -> Health {
    if text(live, "/spec/type") != Some("LoadBalancer") || reachable_otherwise(live) {
        return Health::Ready;
    }
    let addressed = live
        .pointer("/status/loadBalancer/ingress")
        .and_then(Value::as_array)
        .is_some_and(|all| {
            all.iter()
                .any(|one| text(one, "/ip").is_some() || text(one, "/hostname").is_some())
        });
    if addressed {
        Health::Ready
    } else {
        waiting("waiting for an address from the load balancer")
    }
}

/// Whether the spec itself gives addresses, for clusters without a load balancer.
fn reachable_otherwise(live: &Value) -> bool {
    live.pointer("/spec/externalIPs")
        .and_then(Value::as_array)
        .is_some_and(|addresses| !addresses.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::tests::check as check_body;

    #[track_caller]
    fn check(spec: &Value, ingress: &Value, want: &str) {
        check_body(
            &json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
                "spec": spec, "status": {"loadBalancer": {"ingress": ingress}}}),
            want,
        );
    }

    #[test]
    fn load_balancers_need_an_address() {
        let balanced = json!({"type": "LoadBalancer", "clusterIP": "10.0.0.7"});
        let late = "… waiting for an address from the load balancer";
        check(&balanced, &json!(null), late);
        check(&balanced, &json!([]), late);
        check(&balanced, &json!([{"ipMode": "VIP"}]), late);
        check(&balanced, &json!([{"ip": "192.0.2.7"}]), "Ready");
        check(
            &balanced,
            &json!([{"hostname": "web.example.com"}]),
            "Ready",
        );
        let external = json!({"type": "LoadBalancer", "externalIPs": ["192.0.2.1"]});
        check(&external, &json!(null), "Ready");
    }

    #[test]
    fn other_services_need_nothing() {
        check(&json!({"type": "ClusterIP"}), &json!(null), "Ready");
        check(
            &json!({"type": "ClusterIP", "clusterIP": "None"}),
            &json!(null),
            "Ready",
        );
        check(&json!({"type": "NodePort"}), &json!(null), "Ready");
        check(&json!({"type": "ExternalName"}), &json!(null), "Ready");
    }
}
