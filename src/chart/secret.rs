//! Which keys are likely to hold secrets, so that messages do not show their values.

const WORDS: [&str; 8] = [
    "password",
    "passwd",
    "passphrase",
    "token",
    "secret",
    "key",
    "credential",
    "auth",
];

/// Says whether a value with this key or dotted path should stay out of messages.
pub(crate) fn is_likely(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    WORDS.iter().any(|word| path.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_recognised() {
        for path in [
            "db.rootPassword",
            "apiToken",
            "etcd.tls.KEY",
            "oidc.clientSecret",
        ] {
            assert!(is_likely(path), "{path}");
        }
        for path in ["etcd.replicas", "image.tag", ""] {
            assert!(!is_likely(path), "{path}");
        }
    }
}
