//! The addresses and networks of a lab. They are private (RFC 1918) and never leave the machine.

use std::net::Ipv4Addr;
use std::ops::RangeInclusive;

/// The bridge that joins the nodes and the machine.
pub const BRIDGE: &str = "lab0";

/// The machine's own address on the bridge, where the host's API is.
pub const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);

/// The port of the host's API.
pub const API_PORT: u16 = 6443;

/// The port of the registry, at the same address.
pub const REGISTRY_PORT: u16 = 5000;

/// The networks of the host cluster's pods.
pub const PODS: &str = "10.78.0.0/17";

/// The network of the host cluster's Services.
pub const SERVICES: &str = "10.79.0.0/16";

/// The last parts of the nodes' addresses.
const NODES: RangeInclusive<u8> = 11..=199;

/// The last parts of the addresses that Services of type `LoadBalancer` get.
const BALANCED: RangeInclusive<u8> = 200..=250;

/// Returns an address for a node that is not among `taken`.
pub fn for_node(taken: &[Ipv4Addr]) -> Option<Ipv4Addr> {
    free(NODES, taken)
}

/// Returns an address for a Service that is not among `taken`.
pub fn for_service(taken: &[Ipv4Addr]) -> Option<Ipv4Addr> {
    free(BALANCED, taken)
}

/// Tells whether a Service may ask for `address`.
pub fn is_balanced(address: Ipv4Addr) -> bool {
    BALANCED.map(at).any(|one| one == address)
}

fn free(range: RangeInclusive<u8>, taken: &[Ipv4Addr]) -> Option<Ipv4Addr> {
    range.map(at).find(|address| !taken.contains(address))
}

fn at(last: u8) -> Ipv4Addr {
    let [a, b, c, _] = GATEWAY.octets();
    Ipv4Addr::new(a, b, c, last)
}

#[cfg(test)]
mod tests {
    use super::{for_node, for_service, is_balanced};

    #[test]
    fn addresses_are_handed_out_once() {
        let first = for_node(&[]).unwrap();
        let second = for_node(&[first]).unwrap();
        assert_eq!(
            [first.to_string(), second.to_string()],
            ["10.77.0.11", "10.77.0.12"]
        );
        assert_eq!(for_node(&[second]), Some(first));
        let service = for_service(&[]).unwrap();
        assert!(is_balanced(service) && !is_balanced(first));
    }
}
