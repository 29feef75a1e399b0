//! What names, addresses and durations may look like.

use std::net::IpAddr;
use std::time::Duration;

use crate::render;

/// A day in seconds.
const DAY: u64 = 24 * 3600;
/// Longer durations are refused.
pub(super) const MAX_DURATION: Duration = Duration::from_secs(100 * 365 * DAY);
/// The longest DNS name and the longest key of a Secret's data.
const MAX_NAME: usize = 253;
/// The longest label of a DNS name, and the longest name of an annotation after its slash.
const MAX_LABEL: usize = 63;

/// Tells whether `name` is a DNS-1123 subdomain, as names of Secrets are.
pub(super) fn is_subdomain(name: &str) -> bool {
    name.len() <= MAX_NAME && name.split('.').all(is_label)
}

/// Tells whether `name` can stand as a DNS name in a certificate: a subdomain of labels of at most
/// 63 characters, the first of which may be `*`, and no address.
pub(crate) fn is_dns_name(name: &str) -> bool {
    let rest = name.strip_prefix("*.").unwrap_or(name);
    is_subdomain(rest)
        && name.len() <= MAX_NAME
        && rest.split('.').all(|label| label.len() <= MAX_LABEL)
        && rest.parse::<IpAddr>().is_err()
}

/// Tells whether `name` is the host name of one host.
pub(super) fn is_host(name: &str) -> bool {
    is_dns_name(name) && !name.starts_with('*')
}

fn is_label(label: &str) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = label.as_bytes();
    bytes.first().is_some_and(is_plain)
        && bytes.last().is_some_and(is_plain)
        && bytes.iter().all(|byte| is_plain(byte) || *byte == b'-')
}

/// Tells whether `key` can be a key of a Secret's data: letters, digits, `-`, `_` and `.`, and no
/// path (kubernetes `validation.IsConfigMapKey`).
pub(super) fn is_data_key(key: &str) -> bool {
    (1..=MAX_NAME).contains(&key.len())
        && key != "."
        && !key.starts_with("..")
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// Tells whether `url` can be the address of an API server: `https`, a host, and no white space,
/// user, query or fragment.
pub(super) fn is_server(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("https://") else {
        return false;
    };
    let (host, _) = rest.split_once('/').unwrap_or((rest, ""));
    let is_odd = |letter: char| !letter.is_ascii_graphic() || "@?#\"\\<>^`{|}".contains(letter);
    !host.is_empty() && !host.starts_with(':') && !rest.contains(is_odd)
}

/// Reads numbers with a unit each, such as `90d` or `1h30m`: `y` (365 days), `w`, `d`, `h`, `m`
/// (minutes) and `s`; none if it is anything else or more than `u64` seconds.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let mut total: u64 = 0;
    let mut rest = text;
    loop {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit())?;
        let number: u64 = rest[..digits].parse().ok()?;
        let unit = match rest.as_bytes()[digits] {
            b'y' => 365 * DAY,
            b'w' => 7 * DAY,
            b'd' => DAY,
            b'h' => 3600,
            b'm' => 60,
            b's' => 1,
            _ => return None,
        };
        total = total.checked_add(number.checked_mul(unit)?)?;
        rest = &rest[digits + 1..];
        if rest.is_empty() {
            return Some(Duration::from_secs(total));
        }
    }
}

/// The name as a part of an annotation's name, as the template function of the same name has it.
pub(crate) fn k8s_name(name: &str) -> String {
    render::k8s_name(name, render::MAX_LABEL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(is_good: fn(&str) -> bool, good: &[&str], bad: &[&str]) {
        for text in good {
            assert!(is_good(text), "{text:?}");
        }
        for text in bad {
            assert!(!is_good(text), "{text:?}");
        }
    }

    #[test]
    fn names_are_checked() {
        let long = format!("{}.x", "a".repeat(64));
        check(
            is_subdomain,
            &["a", "ca.v1-x", &long],
            &["", "A", "-a", "a.", "a..b", "a_b", &"a".repeat(254)],
        );
        check(
            is_dns_name,
            &["kubernetes", "*.example.com", "0.a"],
            &["10.0.0.1", "*", "a.*.b", "*a.b", "a b", "", &long],
        );
        check(
            is_data_key,
            &["tls.crt", "A_b-1", ".hidden"],
            &["", ".", "..", "..a", "a/b", "a b"],
        );
    }

    #[test]
    fn servers_are_https_urls() {
        check(
            is_server,
            &["https://a", "https://[::1]:6443", "https://a:1/base"],
            &[
                "http://a",
                "https://",
                "https:///x",
                "https://:1",
                "https://a b",
                "https://u@a",
                "a:6443",
                "https://a?x",
                "https://a\n",
            ],
        );
    }

    #[test]
    fn durations_have_units() {
        for (text, seconds) in [
            ("1y", 365 * DAY),
            ("1h30m", 5400),
            ("0s", 0),
            ("2w1d", 15 * DAY),
        ] {
            assert_eq!(duration(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        let huge = format!("{}y", u64::MAX);
        for text in [
            "", "1", "h", "1x", "-1h", "1.5h", "1 h", "1hé", "1h2", &huge,
        ] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn long_names_are_cut_and_stay_different() {
        assert_eq!(k8s_name("etcd.ca-1"), "etcd-ca-1");
        assert_eq!(k8s_name(&"a".repeat(63)), "a".repeat(63));
        let (one, other) = (k8s_name(&"a".repeat(64)), k8s_name(&"a".repeat(65)));
        assert_eq!((one.len(), other.len()), (63, 63));
        assert_ne!(one, other);
        assert!(one.starts_with(&format!("{}-", "a".repeat(57))));
        let dashed = format!("{}{}", "a".repeat(50), ".".repeat(30));
        assert_eq!(k8s_name(&dashed).len(), 56);
    }
}
