//! Where in a chart a field of a rendered resource comes from.
//!
//! The rendered text, the template's source and the path of a field come in; a [`Place`] goes out:
//! the rendered line with two lines around it, and the line of the template where [`super::source`]
//! finds the field. No value that may be a secret is shown.

use super::finding::{Excerpt, Place};
use super::source;
use crate::chart::{Chart, hide_secrets};
use crate::manifest::{Origin, Resource};
use crate::render::{Rendered, window};
use crate::yaml::{self, Step};

/// How many lines are shown before and after the marked one.
const AROUND: u64 = 2;

/// What places are found by.
#[derive(Clone, Copy)]
pub(super) struct Sources<'a> {
    pub(super) chart: &'a Chart,
    pub(super) rendered: &'a Rendered,
}

impl Sources<'_> {
    /// The place of a field of a resource; of the resource itself for an empty path.
    pub(super) fn place(&self, resource: &Resource, path: &[Step]) -> Place {
        let origin = &resource.origin;
        let file = self.file(&origin.template);
        let text = self.document(origin).unwrap_or_default();
        let line = line_of(&text, path);
        let source = self.template(&file);
        let source = source.and_then(|text| source::line(text, &resource.id, path));
        Place {
            line: source.unwrap_or(0),
            file,
            excerpt: match (line, resource.id.kind.as_str()) {
                (0, _) | (_, "Secret") => None,
                _ => Some(excerpt(&text, (line, 0), origin.line)),
            },
        }
    }

    /// The path of a template below the chart's folder.
    fn file(&self, template: &str) -> String {
        let start = format!("{}/", self.chart.metadata.name);
        template.strip_prefix(&start).unwrap_or(template).to_owned()
    }

    /// The rendered lines of the document at `origin`.
    fn document(&self, origin: &Origin) -> Option<String> {
        let mut files = self.rendered.files.iter();
        let file = files.find(|file| file.path == origin.template)?;
        let start = usize::try_from(origin.line).ok()?.checked_sub(1)?;
        let lines = file.text.lines().skip(start).enumerate();
        // A document may begin on the line of its dashes.
        let lines = lines.map(|(index, line)| match index {
            0 => line.strip_prefix("---").unwrap_or(line),
            _ => line,
        });
        let lines = lines.take_while(|line| !line.starts_with("---"));
        Some(lines.collect::<Vec<_>>().join("\n"))
    }

    /// The text of a template of the chart.
    fn template(&self, file: &str) -> Option<&str> {
        let mut templates = self.chart.templates.iter();
        let template = templates.find(|template| template.path == file)?;
        std::str::from_utf8(&template.data).ok()
    }

    /// The line of a template that says `text` as it is: the one at `place` if it does, or else the
    /// first that says nothing else.
    pub(super) fn line_with(&self, place: &Place, text: &str) -> Option<u64> {
        let source = self.template(&place.file)?;
        let bare = |line: &str| {
            let line = line.replace(['"', '\''], "");
            line.trim().trim_start_matches("- ").to_owned()
        };
        let is_at = |line: &str| {
            let bare = bare(line);
            let mut parts = bare.split(['{', '}', '[', ']', ',']);
            parts.any(|part| part.trim() == text)
        };
        let lines = || (1..).zip(source.lines());
        let own = lines().find(|(number, line)| *number == place.line && is_at(line));
        let found = own.or_else(|| lines().find(|(_, line)| bare(line) == text));
        found.map(|(number, _)| number)
    }
}

/// The line in a document, from 1, of the key that `path` ends in; that of what is around it if it
/// is missing; 0 if the text cannot be read.
fn line_of(text: &str, path: &[Step]) -> u64 {
    let place = (0..=path.len())
        .rev()
        .find_map(|end| Some((end, yaml::locate(text, &path[..end])?.0)));
    let Some((end, line)) = place else {
        return 0;
    };
    let Some(Step::Key(key)) = path[..end].last() else {
        return line;
    };
    // A mapping or list stands where its first entry does, which is below its key.
    let lines: Vec<&str> = text.lines().collect();
    let upward = (1..=line).rev();
    let mut named = upward.filter(|line| {
        let index = usize::try_from(line - 1).unwrap_or(usize::MAX);
        lines.get(index).is_some_and(|line| has_key(line, key))
    });
    named.next().unwrap_or(line)
}

/// Whether a line of YAML has the key, be it quoted, in an item of a list or in a flow mapping.
pub(super) fn has_key(line: &str, key: &str) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    line.match_indices(key).any(|(start, _)| {
        let after = line[start + key.len()..].trim_start_matches(['"', '\'']);
        after.starts_with(':') && !line[..start].ends_with(is_name)
    })
}

/// The lines around a line and column of a document that starts on line `first` of its file.
fn excerpt(text: &str, (marked, column): (u64, u64), first: u64) -> Excerpt {
    let from = marked.saturating_sub(AROUND).max(1);
    let lines = (1..).zip(hide_secrets(text));
    let shown = lines.skip_while(|(number, _)| *number < from);
    let shown = shown.take_while(|(number, _)| *number <= marked + AROUND);
    let cut = |(number, line): (u64, String)| {
        let column = if number == marked { column } else { 0 };
        let column = usize::try_from(column).unwrap_or_default();
        window(&line, column).0.into_owned()
    };
    Excerpt {
        of: "rendered",
        first: first + from - 1,
        marked: first + marked - 1,
        lines: shown.map(cut).collect(),
    }
}

/// The lines around a line and column of a rendered file.
pub(super) fn around(rendered: &Rendered, template: &str, at: (u64, u64)) -> Option<Excerpt> {
    let file = rendered.files.iter().find(|file| file.path == template)?;
    let is_secret = file.text.contains("kind: Secret");
    (!is_secret && at.0 > 0).then(|| excerpt(&file.text, at, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(key: &str) -> Step {
        Step::Key(key.to_owned())
    }

    #[track_caller]
    fn check_line(text: &str, path: &[Step], expected: u64) {
        assert_eq!(line_of(text, path), expected);
    }

    #[test]
    fn keys_are_found_in_rendered_text() {
        let text = "kind: X\nspec:\n  template:\n    a: 1\n  list:\n  - b: 2\n    c:\n      d: 3\n";
        check_line(text, &[], 1);
        check_line(text, &[key("spec")], 2);
        check_line(text, &[key("spec"), key("template"), key("a")], 4);
        check_line(
            text,
            &[key("spec"), key("list"), Step::Index(0), key("c")],
            7,
        );
        check_line(text, &[key("spec"), key("template"), key("missing")], 3);
        check_line("a: [", &[key("a")], 0);
    }

    #[test]
    fn keys_are_whole_words() {
        assert!(has_key("  - \"a\": 1", "a"));
        assert!(has_key("{x: 1, a: 2}", "a"));
        assert!(!has_key("  ba: 1", "a"));
        assert!(!has_key("  a", "a"));
    }

    #[test]
    fn the_excerpt_marks_its_line() {
        let excerpt = excerpt("a\nb\nc\nd\ne\nf", (4, 0), 10);
        assert_eq!((excerpt.first, excerpt.marked), (11, 13));
        assert_eq!(excerpt.lines, ["b", "c", "d", "e", "f"]);
    }
}
