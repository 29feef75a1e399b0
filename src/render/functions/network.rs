//! Filters on addresses and networks, for both IP families.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use tera::{TeraResult, Value};

use super::{Call, Entry};

pub(super) const FILTERS: &[Entry] = &[
    Entry {
        name: "cidr_host",
        arguments: &["n"],
        body: cidr_host,
    },
    Entry {
        name: "cidr_contains",
        arguments: &["other"],
        body: cidr_contains,
    },
    Entry {
        name: "ip_family",
        arguments: &[],
        body: ip_family,
    },
];

/// A network; an address is one with a full prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    /// The first address as a number.
    first: u128,
    /// How many bits an address of the family has.
    bits: u32,
    /// How many of them tell the hosts apart.
    host_bits: u32,
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let (number, bits) = match address.parse().ok()? {
            IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
            IpAddr::V6(address) => (address.to_bits(), 128),
        };
        let prefix = match prefix {
            Some(prefix) if prefix.starts_with('+') => return None,
            Some(prefix) => prefix.parse().ok()?,
            None => bits,
        };
        let host_bits = u32::checked_sub(bits, prefix)?;
        let first = number & !low(host_bits);
        Some(Self {
            first,
            bits,
            host_bits,
        })
    }

    fn contains(self, other: Self) -> bool {
        self.bits == other.bits
            && self.host_bits >= other.host_bits
            && other.first & !low(self.host_bits) == self.first
    }

    /// The address at `n`, counted from the end if that is negative.
    fn host(self, n: i128) -> Option<IpAddr> {
        let distance = n.unsigned_abs();
        let last = low(self.host_bits);
        let offset = match n {
            0.. => Some(distance).filter(|offset| *offset <= last)?,
            _ => last.checked_sub(distance - 1)?,
        };
        let number = self.first | offset;
        match u32::try_from(number) {
            Ok(number) if self.bits == 32 => Some(Ipv4Addr::from_bits(number).into()),
            _ => Some(Ipv6Addr::from_bits(number).into()),
        }
    }
}

/// The number whose lowest `bits` bits are set.
fn low(bits: u32) -> u128 {
    1_u128.checked_shl(bits).map_or(u128::MAX, |next| next - 1)
}

fn network(call: &Call<'_>) -> TeraResult<Network> {
    let parsed = Network::parse(&call.text()?);
    parsed.ok_or_else(|| call.error("the value is neither an address nor a network"))
}

fn cidr_host(call: &Call<'_>) -> TeraResult<Value> {
    let host = network(call)?.host(call.argument_integer("n")?);
    let host = host.ok_or_else(|| call.error("the network has fewer addresses than n"))?;
    Ok(Value::from(host.to_string()))
}

fn cidr_contains(call: &Call<'_>) -> TeraResult<Value> {
    let other = Network::parse(&call.argument_text("other")?)
        .ok_or_else(|| call.error("other is neither an address nor a network"))?;
    Ok(Value::from(network(call)?.contains(other)))
}

fn ip_family(call: &Call<'_>) -> TeraResult<Value> {
    Ok(Value::from(match network(call)?.bits {
        32 => "IPv4",
        _ => "IPv6",
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_host(network: &str, n: i128, expected: Option<&str>) {
        let found = Network::parse(network).unwrap().host(n);
        assert_eq!(
            found.map(|address| address.to_string()).as_deref(),
            expected
        );
    }

    #[track_caller]
    fn check_contains(network: &str, inside: &[&str], outside: &[&str]) {
        let network = Network::parse(network).unwrap();
        for (others, expected) in [(inside, true), (outside, false)] {
            for other in others {
                let found = network.contains(Network::parse(other).unwrap());
                assert_eq!(found, expected, "{other}");
            }
        }
    }

    #[test]
    fn hosts_are_counted_from_both_ends() {
        check_host("10.96.0.0/12", 10, Some("10.96.0.10"));
        check_host("10.96.7.9/12", 1, Some("10.96.0.1"));
        check_host("10.0.0.0/30", -1, Some("10.0.0.3"));
        check_host("10.0.0.0/30", 4, None);
        check_host("10.0.0.0/30", -5, None);
        check_host("10.0.0.7", 0, Some("10.0.0.7"));
        check_host("fd00::/108", 10, Some("fd00::a"));
        check_host("::/0", -1, Some("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
        check_host("::/96", 1, Some("::1"));
        check_host("0.0.0.0/0", i128::MIN, None);
    }

    #[test]
    fn networks_contain_what_lies_inside() {
        check_contains(
            "10.0.0.0/8",
            &["10.1.2.3", "10.1.0.0/16", "10.0.0.0/8"],
            &["11.0.0.1", "8.0.0.0/6", "fd00::1"],
        );
        check_contains("0.0.0.0/0", &["10.0.0.1"], &["::1"]);
        check_contains("::/0", &["::1", "fd00::/8"], &["10.0.0.1"]);
    }

    #[test]
    fn other_text_is_no_network() {
        for text in [
            "",
            "10.0.0",
            "10.0.0.0/33",
            "10.0.0.0/",
            "10.0.0.0/+8",
            "fd00::/129",
            "a/8",
        ] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }
}
