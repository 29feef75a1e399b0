//! Cutting a YAML stream into documents that know where they came from.

use super::{Error, Origin};
use crate::chart::hide_secrets;
use crate::render::{RenderedFile, window};
use crate::yaml;

/// The line that names the template of a recorded document.
const SOURCE: &str = "# Source: ";

/// A document as cut out of a file, with the line it starts on.
pub(super) struct Cut {
    pub(super) template: String,
    pub(super) line: u64,
    pub(super) text: String,
}

/// Cuts a YAML stream at the lines that start with `---`, as Helm does: what follows the dashes
/// on such a line belongs to the next document.
pub(super) fn split(file: &RenderedFile) -> Vec<Cut> {
    let mut cuts = vec![];
    let mut current = String::new();
    let mut start = 1;
    for (index, line) in (1..).zip(file.text.split_inclusive('\n')) {
        let Some(rest) = line.strip_prefix("---") else {
            current.push_str(line);
            continue;
        };
        cuts.push((start, std::mem::take(&mut current)));
        start = index;
        current.push_str(rest.trim_start_matches([' ', '\t']));
    }
    cuts.push((start, current));
    cuts.into_iter()
        .filter(|(_, text)| !text.trim().is_empty())
        .map(|(line, text)| {
            let trimmed = text.trim_start();
            let skipped = &text[..text.len() - trimmed.len()];
            Cut {
                template: file.path.clone(),
                line: line + skipped.matches('\n').count() as u64,
                text: trimmed.to_owned(),
            }
        })
        .collect()
}

/// Takes the template's name out of the first line of a recorded document.
pub(super) fn named_by_comment(cut: Cut) -> Cut {
    let Some((first, rest)) = cut.text.split_once('\n') else {
        return cut;
    };
    match first.strip_prefix(SOURCE) {
        // Helm ends each document with one line break of its own.
        Some(template) => Cut {
            template: template.trim().to_owned(),
            line: 1,
            text: rest.strip_suffix('\n').unwrap_or(rest).to_owned(),
        },
        None => cut,
    }
}

/// The error about a document that is not YAML, with the lines around the fault.
pub(super) fn yaml_error(cut: &Cut, mut fault: yaml::Error) -> Error {
    let marked = fault.line.max(1);
    let lines: Vec<String> = (1..)
        .zip(hide_secrets(&cut.text))
        .skip_while(|(number, _)| *number + 2 < marked)
        .take_while(|(number, _)| *number <= marked + 2)
        .map(|(number, line): (u64, _)| {
            let (sign, column) = if number == marked {
                ('>', fault.column)
            } else {
                (' ', 1)
            };
            let column = usize::try_from(column).unwrap_or(1);
            let (line, _) = window(&line, column);
            format!("{sign} {:>4} | {line}\n", cut.line + number - 1)
        })
        .collect();
    fault.line = cut.line + marked - 1;
    let origin = Origin {
        template: cut.template.clone(),
        line: fault.line,
    };
    Error::Yaml {
        origin,
        excerpt: lines.concat(),
        source: fault,
    }
}
