//! What is left of a template's text where nothing is computed.

/// Stands for a piece of text that a template computes.
pub(super) const COMPUTED: char = '\u{1}';
/// Stands for a statement that opens a block.
pub(super) const OPENS: char = '\u{2}';
/// Stands for the end of a block.
pub(super) const CLOSES: char = '\u{3}';

/// The words of statements that have an end.
const BLOCKS: [&str; 6] = ["if", "for", "filter", "block", "component", "raw"];

/// The text without comments, each expression and statement as one sign. Every line stays one.
pub(super) fn masked(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        let (before, action) = rest.split_at(start);
        masked.push_str(before);
        let close = match action.as_bytes().get(1) {
            Some(b'{') => "}}",
            Some(b'%') => "%}",
            Some(b'#') => "#}",
            _ => {
                masked.push('{');
                rest = &action[1..];
                continue;
            }
        };
        let inside = &action[2..];
        let (inside, after) = inside.split_once(close).unwrap_or((inside, ""));
        match close {
            "}}" => masked.push(COMPUTED),
            "%}" => masked.extend(statement(inside)),
            _ => {}
        }
        masked.extend(inside.chars().filter(|sign| *sign == '\n'));
        rest = after;
    }
    masked.push_str(rest);
    masked
}

fn statement(inside: &str) -> Option<char> {
    let inside = inside.trim_matches(['-', ' ', '\t', '\n', '\r']);
    let word = inside.split_whitespace().next().unwrap_or_default();
    let opens_body = inside.starts_with('<') && !inside.ends_with('/');
    if word.starts_with("end") || word.starts_with("</") {
        Some(CLOSES)
    } else if BLOCKS.contains(&word) || opens_body || (word == "set" && !inside.contains('=')) {
        Some(OPENS)
    } else {
        None
    }
}
