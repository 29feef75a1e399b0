//! The words of the API server, made fit to be shown or looked through.

/// How much of them is shown, in characters.
pub(super) const LENGTH: usize = 600;

/// Text without what moves a terminal's cursor, cut to a length that can be read.
pub(super) fn one_line(text: &str) -> String {
    let clean: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let words: Vec<&str> = clean.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// What stands in quotes right after `words`.
pub(super) fn after<'a>(text: &'a str, words: &str) -> Option<&'a str> {
    let rest = text.split_once(words)?.1;
    let mark = rest.chars().next()?;
    if mark == '"' || mark == '\'' {
        return rest[1..].split(mark).next();
    }
    rest.split([' ', ',', ':']).next()
}
