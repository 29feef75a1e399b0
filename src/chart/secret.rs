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

/// The lines of a rendered document without the values that may be secrets: those of keys that sound
/// like it, of environment variables, and all of a Secret. The text need not be YAML.
pub(crate) fn hide(text: &str) -> Vec<String> {
    let bare = |line: &str| line.replace([' ', '"', '\''], "");
    let is_secret = text.lines().any(|line| bare(line).contains("kind:Secret"));
    let mut below = None;
    let lines = text.lines().map(|line| {
        let indent = line.len() - line.trim_start().len();
        let above = below.filter(|(above, _)| indent > *above);
        let is_text = |(_, is_block): (usize, bool)| is_block || !line.contains(':');
        if above.is_some_and(is_text) || is_secret && !line.contains(':') {
            // What a key above begins, such as a block of text.
            return format!("{}...", &line[..indent]);
        }
        let hides = |name: &&str| {
            name.eq_ignore_ascii_case("value")
                || is_likely(name)
                || is_secret && !PLAIN.contains(name)
        };
        let found = keys(line).find(|(_, name)| hides(name));
        let value = found.map(|(end, _)| (end, line[end..].trim()));
        below = value.map(|(_, value)| (indent, value.starts_with(['|', '>'])));
        match value {
            Some((end, value)) if !value.is_empty() => format!("{} ...", &line[..end]),
            _ => line.to_owned(),
        }
    });
    lines.collect()
}

/// The keys of a Secret that say nothing about what it holds.
const PLAIN: [&str; 8] = [
    "apiVersion",
    "data",
    "kind",
    "metadata",
    "name",
    "namespace",
    "stringData",
    "type",
];

/// The words before the colons of a line, each with where the value begins.
fn keys(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    line.match_indices(':').map(move |(at, _)| {
        let before = line[..at].trim_end_matches(['"', '\'', ' ']);
        let rest = before.trim_end_matches(is_part);
        (at + 1, before[rest.len()..].trim_start_matches('-'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_hidden(text: &str, expected: &str) {
        assert_eq!(hide(text).join("\n"), expected);
    }

    #[test]
    fn values_that_may_be_secrets_are_hidden() {
        check_hidden("  - value: hunter2", "  - value: ...");
        check_hidden("password: hunter2: x", "password: ...");
        check_hidden("image: web", "image: web");
        check_hidden(
            "env: {image: web, \"TOKEN\": x, b: c}",
            "env: {image: web, \"TOKEN\": ...",
        );
        check_hidden(
            "a:\n  apiKey: |\n    one\n    two: 3\n  b: 1",
            "a:\n  apiKey: ...\n    ...\n    ...\n  b: 1",
        );
        check_hidden("password:\n  hunter2\nb: 1", "password:\n  ...\nb: 1");
        check_hidden(
            "- secret:\n    optional: true",
            "- secret:\n    optional: true",
        );
    }

    #[test]
    fn all_that_a_secret_holds_is_hidden() {
        check_hidden(
            "apiVersion: v1\nkind: \"Secret\"\nmetadata: {name: a}\nstringData:\n  user: admin\n hunter2",
            "apiVersion: v1\nkind: \"Secret\"\nmetadata: {name: a}\nstringData:\n  user: ...\n ...",
        );
    }

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
