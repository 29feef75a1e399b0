//! Paths in a tree of values, and how they are written.

use std::fmt::Write as _;

use crate::yaml::Step;

/// Writes a path as `--set` would: `nodes[0].name`. Characters that would move a terminal's cursor
/// are written as escapes.
pub(crate) fn dotted(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Key(key) => {
                if !text.is_empty() {
                    text.push('.');
                }
                for character in key.chars() {
                    if character.is_control() {
                        text.extend(character.escape_default());
                    } else {
                        text.push(character);
                    }
                }
            }
            // Writing to a string cannot fail.
            Step::Index(index) => drop(write!(text, "[{index}]")),
        }
    }
    text
}

/// Reads a path as [`dotted`] writes it; a key with dots in it comes out as several.
pub(crate) fn parse(text: &str) -> Vec<Step> {
    let mut path = Vec::new();
    for part in text.split('.').filter(|part| !part.is_empty()) {
        let (key, indexes) = part.split_at(part.find('[').unwrap_or(part.len()));
        if !key.is_empty() {
            path.push(Step::Key(key.to_owned()));
        }
        for index in indexes.split(['[', ']']).filter(|index| !index.is_empty()) {
            path.push(
                index
                    .parse()
                    .map_or_else(|_| Step::Key(unquoted(index)), Step::Index),
            );
        }
    }
    path
}

fn unquoted(text: &str) -> String {
    text.trim_matches(['\'', '"']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, steps: usize) {
        let path = parse(text);
        assert_eq!((dotted(&path).as_str(), path.len()), (text, steps));
    }

    #[test]
    fn paths_survive_a_round_trip() {
        check("", 0);
        check("a", 1);
        check("a.b[0].c", 4);
        check("[1][2].a", 3);
    }

    #[test]
    fn a_key_cannot_paint_the_terminal() {
        let path = [Step::Key("a\u{1b}[31m\n".to_owned()), Step::Index(0)];
        assert_eq!(dotted(&path), "a\\u{1b}[31m\\n[0]");
    }

    #[test]
    fn quoted_keys_are_read() {
        assert_eq!(dotted(&parse(".a['b']")), "a.b");
    }
}
