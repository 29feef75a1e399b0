//! Times in a layout of Go, as `--time-format` takes it.
//!
//! A layout is an example: the reference time `Mon Jan 2 15:04:05 MST 2006` as the user would write
//! it (Go's package `time`, "Constants"). What is not a part of that time stands for itself.

use jiff::Zoned;

/// The parts of the reference time whose text does not depend on what follows, and what they are
/// called in `strftime`. Where one begins like another, the longer one comes first.
const PARTS: [(&str, &str); 24] = [
    ("January", "%B"),
    ("Jan", "%b"),
    ("Monday", "%A"),
    ("Mon", "%a"),
    ("MST", "%Z"),
    ("2006", "%Y"),
    ("__2", "%_j"),
    ("002", "%j"),
    ("01", "%m"),
    ("02", "%d"),
    ("03", "%I"),
    ("04", "%M"),
    ("05", "%S"),
    ("06", "%y"),
    ("_2", "%_d"),
    ("15", "%H"),
    ("PM", "%p"),
    ("pm", "%P"),
    ("1", "%-m"),
    ("2", "%-d"),
    ("3", "%-I"),
    ("4", "%-M"),
    ("5", "%-S"),
    ("%", "%%"),
];

/// The offsets from UTC, in both forms: with `Z`, UTC itself is that letter.
const OFFSETS: [&str; 5] = ["07:00:00", "070000", "07:00", "0700", "07"];

/// Writes a time in a layout.
pub(super) fn format(time: &Zoned, layout: &str) -> String {
    let mut text = String::with_capacity(layout.len() + 8);
    let mut rest = layout;
    while let Some(first) = rest.chars().next() {
        let taken = part(time, rest, &mut text)
            .or_else(|| offset(time, rest, &mut text))
            .or_else(|| fraction(time, rest, &mut text));
        let taken = taken.unwrap_or_else(|| {
            text.push(first);
            first.len_utf8()
        });
        rest = &rest[taken..];
    }
    text
}

/// Writes the part that `rest` begins with, and tells its length.
fn part(time: &Zoned, rest: &str, text: &mut String) -> Option<usize> {
    // Go reads `_2006` as an underscore and a year.
    if rest.starts_with("_2006") {
        text.push('_');
        return Some(1);
    }
    let (part, directive) = PARTS.into_iter().find(|(part, _)| {
        let is_word = matches!(*part, "Jan" | "Mon");
        let goes_on = |rest: &str| rest.starts_with(|next: char| next.is_ascii_lowercase());
        rest.strip_prefix(part)
            .is_some_and(|after| !(is_word && goes_on(after)))
    })?;
    text.push_str(&time.strftime(directive).to_string());
    Some(part.len())
}

/// Writes the offset from UTC that `rest` begins with, and tells its length.
fn offset(time: &Zoned, rest: &str, text: &mut String) -> Option<usize> {
    let form = rest.strip_prefix(['-', 'Z'])?;
    let form = OFFSETS.into_iter().find(|one| form.starts_with(one))?;
    let seconds = time.offset().seconds();
    if seconds == 0 && rest.starts_with('Z') {
        text.push('Z');
        return Some(form.len() + 1);
    }
    let (sign, seconds) = (if seconds < 0 { '-' } else { '+' }, seconds.abs());
    let fields = [seconds / 3600, seconds / 60 % 60, seconds % 60];
    let separator = if form.contains(':') { ":" } else { "" };
    let count = form.replace(':', "").len() / 2;
    let fields: Vec<String> = fields[..count].iter().map(|f| format!("{f:02}")).collect();
    text.push(sign);
    text.push_str(&fields.join(separator));
    Some(form.len() + 1)
}

/// Writes the fraction of a second that `rest` begins with, and tells its length: `.000` with all
/// digits, `.999` without zeros at the end.
fn fraction(time: &Zoned, rest: &str, text: &mut String) -> Option<usize> {
    let digits = rest.strip_prefix(['.', ','])?;
    let digit = digits.chars().next().filter(|c| matches!(c, '0' | '9'))?;
    let count = digits.len() - digits.trim_start_matches(digit).len();
    if count > 9 || digits[count..].starts_with(|next: char| next.is_ascii_digit()) {
        return None;
    }
    let nanoseconds = format!("{:09}", time.subsec_nanosecond());
    let shown = match digit {
        '0' => &nanoseconds[..count],
        _ => nanoseconds[..count].trim_end_matches('0'),
    };
    if !shown.is_empty() {
        text.push_str(&rest[..1]);
        text.push_str(shown);
    }
    Some(count + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(layout: &str, expected: &str) {
        let time: Zoned = "2026-03-04T13:05:06.0789+09:30[+09:30]".parse().unwrap();
        assert_eq!(format(&time, layout), expected, "{layout}");
    }

    #[test]
    fn layouts_are_gos() {
        check("2006-01-02 15:04:05Z0700", "2026-03-04 13:05:06+0930");
        check("Mon Jan _2 15:04:05 2006", "Wed Mar  4 13:05:06 2026");
        check("Monday, 02-Jan-06 3:04PM", "Wednesday, 04-Mar-26 1:05PM");
        check(
            "January 2, 2006 at 3pm (-07:00)",
            "March 4, 2026 at 1pm (+09:30)",
        );
        check("15:04:05.000 15:04:05.999999", "13:05:06.078 13:05:06.0789");
        check("1/2/2006 002 __2", "3/4/2026 063  63");
        check("Januar Monde _2006 100% .01", "Januar Monde _2026 300% .03");
    }

    #[test]
    fn utc_is_z_where_the_layout_says_so() {
        let time: Zoned = "2026-03-04T13:05:06+00:00[UTC]".parse().unwrap();
        assert_eq!(format(&time, "15Z07:00 -0700 .999"), "13Z +0000 ");
    }
}
