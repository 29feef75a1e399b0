//! Makes text of containers fit to be printed: on one line, short, without what moves a terminal's
//! cursor, and without what may be secret.
//!
//! What is secret cannot be known, so what looks like it is hidden: private keys in PEM, whole or
//! cut by the tail of a log; tokens and what follows `password=`; and every long word that looks
//! random, where the digest of an image is none.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// How many characters of a line are kept.
const WIDTH: usize = 240;
/// How many of them are kept of its end, where a chain of causes has the first one.
const END: usize = 100;
/// How many of the last lines are kept, whatever they say.
const LINES: usize = 20;
/// How many of the lines before them are kept that say something else.
const EARLIER: usize = 10;
/// What stands for what was hidden.
pub(super) const HIDDEN: &str = "[hidden]";

/// Makes one line of a text.
pub(super) fn line(text: &str) -> String {
    cut(&whole(text))
}

/// Makes one line of a text, of any length.
pub(super) fn whole(text: &str) -> String {
    let text = hide(&strip(text));
    let words: Vec<&str> = text.split_whitespace().collect();
    replace(&CALL, &words.join(" "), |_| String::new()).into_owned()
}

/// Makes a whole text fit to be printed, line by line, however long it is.
pub(in crate::cluster) fn printable(text: &str) -> String {
    hide(&strip(text))
}

/// Makes the last lines of a text, without empty ones, and before them the last of those that say something
/// else: what tries again and again has pushed out of the last lines why it has to. Lines that differ in
/// numbers only, such as the time, say the same.
pub(super) fn lines(text: &str) -> Vec<String> {
    let text = hide(&strip(text));
    let lines = text.lines().map(str::trim_end);
    let mut lines = lines.rev().filter(|line| !line.is_empty());
    let what = |line: &str| replace(&NUMBER, line, |_| String::new()).into_owned();
    let mut told: Vec<&str> = lines.by_ref().take(LINES).collect();
    let mut said: BTreeSet<String> = told.iter().map(|line| what(line)).collect();
    let earlier = lines.filter(|line| said.insert(what(line)));
    told.extend(earlier.take(EARLIER));
    told.into_iter().rev().map(cut).collect()
}

/// Leaves out the middle of what is too long.
fn cut(line: &str) -> String {
    let count = line.chars().count();
    if count <= WIDTH {
        return line.to_owned();
    }
    let begin: String = line.chars().take(WIDTH - END).collect();
    let end: String = line.chars().skip(count - END).collect();
    format!("{}…{}", begin.trim_end(), end.trim_start())
}

/// Leaves out escape sequences, control characters but line breaks, and marks that reorder text.
fn strip(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' => kept.push('\n'),
            '\t' => kept.push(' '),
            '\u{1b}' => match chars.next() {
                Some('[') => skip(&mut chars, |c| ('\u{40}'..='\u{7e}').contains(&c)),
                Some(']' | 'P' | 'X' | '^' | '_') => {
                    skip(&mut chars, |c| matches!(c, '\u{7}' | '\\'));
                }
                _ => {}
            },
            '\u{9b}' => skip(&mut chars, |c| ('\u{40}'..='\u{7e}').contains(&c)),
            c if c.is_control() || is_invisible(c) => {}
            c => kept.push(c),
        }
    }
    kept
}

/// Skips the rest of an escape sequence, which does not go beyond its line.
fn skip(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, ends: impl Fn(char) -> bool) {
    while let Some(c) = chars.next_if(|c| *c != '\n') {
        if ends(c) {
            return;
        }
    }
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// An expression of this file, which a test holds to be good.
fn expression(text: &str) -> Option<Regex> {
    Regex::new(text).ok()
}

type Expression = LazyLock<Option<Regex>>;

/// A number, also one in hexadecimal digits.
static NUMBER: Expression = LazyLock::new(|| expression(r"[0-9a-f]*[0-9][0-9a-f]*"));
/// What a kubelet writes before the cause when its container runtime refuses.
static CALL: Expression = LazyLock::new(|| expression(r"rpc error: code = \w+ desc = "));
/// A private key from its beginning to its end, or to the end of the text.
static KEY: Expression = LazyLock::new(|| {
    expression(
        r"(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\z)",
    )
});
/// The rest of a private key whose beginning is cut off.
static REST: Expression =
    LazyLock::new(|| expression(r"(?s)\A.*-----END [A-Z0-9 ]*PRIVATE KEY-----"));
/// What is sent as proof of who is asking.
static TOKEN: Expression = LazyLock::new(|| {
    expression(
        r"(?i)\b(bearer\s+)[a-z0-9._~+/=-]{16,}|()\beyJ[a-z0-9_-]{8,}(?:\.[a-z0-9_-]*)*|()\b[a-z0-9]{6}\.[a-z0-9]{16}\b|(://)[^\s/@:]+:[^\s/@]+@",
    )
});
/// What is called a secret.
static NAMED: Expression = LazyLock::new(|| {
    expression(
        r#"(?i)((?:password|passwd|secret|token|api[_-]?key|authorization)\\?["']?\s*[:=]\s*(?:basic\s+)?\\?["']?)([^\s"',;&}\\]+)"#,
    )
});
/// What may be random.
static WORD: Expression =
    LazyLock::new(|| expression(r"(sha256:|sha512:)?([A-Za-z0-9+/=_-]{32,})"));

fn hide(text: &str) -> String {
    let text = replace(&KEY, text, |_| HIDDEN.to_owned());
    let text = replace(&REST, &text, |_| HIDDEN.to_owned());
    let text = replace(&TOKEN, &text, |found| {
        let before = found.iter().skip(1).flatten().next();
        let before = before.map_or("", |before| before.as_str());
        match before {
            "://" => format!("://{HIDDEN}@"),
            _ => format!("{before}{HIDDEN}"),
        }
    });
    let text = replace(&NAMED, &text, |found| {
        let (name, value) = (&found[1], &found[2]);
        // `token: unexpected status` is an error, not a token.
        let is_value =
            name.contains(['=', '"', '\'']) || value.contains(|c: char| c.is_ascii_digit());
        let kept = if is_value { HIDDEN } else { value };
        format!("{name}{kept}")
    });
    let text = replace(&WORD, &text, |found| {
        let kept = found.get(1).is_some() || !is_random(&found[2]);
        let kept = if kept { &found[0] } else { HIDDEN };
        kept.to_owned()
    });
    text.into_owned()
}

fn replace<'a>(
    expression: &Expression,
    text: &'a str,
    by: impl Fn(&Captures<'_>) -> String,
) -> Cow<'a, str> {
    match expression.as_ref() {
        Some(expression) => expression.replace_all(text, by),
        None => Cow::Borrowed(HIDDEN),
    }
}

/// Whether a long word is more likely a key than a name or a path.
fn is_random(word: &str) -> bool {
    let has = |is: fn(&char) -> bool| word.chars().any(|c| is(&c));
    let is_hex = word.chars().all(|c| c.is_ascii_hexdigit());
    let is_base64 =
        has(char::is_ascii_uppercase) && has(char::is_ascii_lowercase) && has(char::is_ascii_digit);
    is_hex || is_base64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, proptest};

    use super::*;

    #[track_caller]
    fn check(text: &str, want: &str) {
        assert_eq!(line(text), want);
    }

    #[track_caller]
    fn keeps(text: &str) {
        check(text, text);
    }

    #[test]
    fn terminals_are_not_moved() {
        check(
            "\u{1b}[31mred\u{1b}[0m \u{1b}]0;title\u{7}x\u{9b}2Ky",
            "red xy",
        );
        check("a\r\nb\tc\u{8}\u{202e}d", "a b cd");
        check("\u{1b}", "");
        check("\u{1b}[12;\nstays", "stays");
        assert_eq!(lines("a\u{1b}[2J\n\n  b \nc\n"), ["a", "  b", "c"]);
    }

    #[test]
    fn long_texts_are_cut() {
        let long = format!("begin {} end", "ä".repeat(400));
        let short = line(&long);
        assert_eq!(short.chars().count(), WIDTH + 1);
        assert!(short.starts_with("begin ä") && short.ends_with("ä end"));
        let many: String = ('g'..='z')
            .chain('G'..='Z')
            .flat_map(|c| [c, '\n'])
            .collect();
        let told = lines(&many);
        assert_eq!(told.len(), LINES + EARLIER);
        assert_eq!(
            (told[0].as_str(), told[LINES + EARLIER - 1].as_str()),
            ("q", "Z")
        );
    }

    #[test]
    fn the_last_lines_are_told_whatever_they_say() {
        let log =
            "10:01 start\n10:02 peer 8416cf9d is down\n10:03 stop\n10:04 peer f0914983 is down\n";
        let told: Vec<&str> = log.lines().collect();
        assert_eq!(lines(log), told);
        assert_eq!(lines("1\n2\n"), ["1", "2"]);
    }

    #[test]
    fn of_earlier_lines_those_that_say_something_else_are_told() {
        let again = |from: usize, to: usize| (from..to).map(|number| format!("try {number}"));
        let log = ["1 start", "2 no route", "3 start"].map(str::to_owned);
        let log: Vec<String> = log.into_iter().chain(again(10, 60)).collect();
        let told = ["2 no route", "3 start"].map(str::to_owned);
        let told: Vec<String> = told.into_iter().chain(again(60 - LINES, 60)).collect();
        assert_eq!(lines(&log.join("\n")), told);
    }

    #[test]
    fn calls_of_a_runtime_are_left_out() {
        check(
            "ErrImagePull: rpc error: code = NotFound desc = failed to pull: not found",
            "ErrImagePull: failed to pull: not found",
        );
    }

    #[test]
    fn private_keys_are_hidden() {
        let key = "-----BEGIN RSA PRIVATE KEY-----\nabc\ndef\n-----END RSA PRIVATE KEY-----";
        assert_eq!(lines(&format!("a\n{key}\nb")), ["a", HIDDEN, "b"]);
        assert_eq!(lines("a\n-----BEGIN PRIVATE KEY-----\nabc"), ["a", HIDDEN]);
        assert_eq!(lines("abc\n-----END EC PRIVATE KEY-----\nb"), [HIDDEN, "b"]);
        let json = r#"{"key":"-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\n"}"#;
        check(json, r#"{"key":"[hidden]\n"}"#);
        let middle = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";
        assert_eq!(lines(middle), [HIDDEN]);
        let coloured = "-----BEGIN PRIV\u{1b}[31mATE KEY-----abc";
        assert_eq!(line(coloured), HIDDEN);
    }

    #[test]
    fn tokens_and_passwords_are_hidden() {
        check(
            "Authorization: Bearer abcdefghijklmnopq",
            "Authorization: Bearer [hidden]",
        );
        check(
            "got eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ.c2ln-x",
            "got [hidden]",
        );
        check("use abcdef.0123456789abcdef now", "use [hidden] now");
        check("--token=x9 --v=2", "--token=[hidden] --v=2");
        check(
            r#"{"password":"hunter2","user":"a"}"#,
            r#"{"password":"[hidden]","user":"a"}"#,
        );
        check(
            r#"{\"secret\": \"hunter\"}"#,
            r#"{\"secret\": \"[hidden]\"}"#,
        );
        check("https://me:pw@r.example/a", "https://[hidden]@r.example/a");
        check("key 00112233445566778899aabbccddeeff", "key [hidden]");
        check(
            "AESGCM k3vXz0Qm9TqVhY2bJw8LrN5sDfGuKiPo+aE1cM7tZxI=",
            "AESGCM [hidden]",
        );
    }

    #[test]
    fn what_explains_is_kept() {
        keeps("failed to fetch anonymous token: unexpected status from GET request");
        keeps("secret \"tenant-a-ca\" not found");
        keeps(
            "Back-off restarting failed container etcd in pod tenant-a-etcd-0_shop(4bc0ab4e-36a1-4b0e-9d6a-5a0c0f6f2f10)",
        );
        keeps(
            "pulling r.example/a@sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
        );
        keeps(
            "open /etc/kubernetes/pki/apiserver-kubelet-client/tls.crt: no such file or directory",
        );
        keeps(
            r#"{"level":"fatal","ts":"2026-11-21T10:00:00.000000Z","caller":"etcdmain/etcd.go:204","msg":"discovery failed"}"#,
        );
    }

    proptest! {
        #[test]
        fn any_text_can_be_cleaned(text in any::<String>()) {
            let cleaned = line(&text);
            prop_assert!(cleaned.chars().all(|c| !c.is_control()));
            prop_assert!(lines(&text).len() <= LINES + EARLIER);
        }
    }
}
