//! Rules about a chart's files: what templates are called, what Helm would make of them, and CRDs.

use serde_json::Value;

use super::finding::{Finding, Place};
use super::rule;
use crate::chart::File;
use crate::render::Rendered;
use crate::yaml;

/// What templates may be called, as `helm lint` has it.
const EXTENSIONS: [&str; 4] = ["yaml", "yml", "tpl", "txt"];

/// Checks the names of templates.
pub(super) fn names(files: &[File]) -> Vec<Finding> {
    let templates = files
        .iter()
        .filter(|file| file.path.starts_with("templates/"));
    let wrong = templates.filter(|file| {
        let extension = file
            .path
            .rsplit_once('.')
            .map_or("", |(_, extension)| extension);
        !EXTENSIONS.contains(&extension)
    });
    wrong
        .map(|file| {
            let message = "Helm takes no template of this name".to_owned();
            Finding::new(rule::TEMPLATE_EXTENSION, Place::file(&file.path), message)
                .hint("call it .yaml, .yml, .tpl or .txt, or keep it outside of templates/")
        })
        .collect()
}

/// Finds what a chart should have and does not.
pub(super) fn missing(files: &[File]) -> Vec<Finding> {
    let has = |folder: &str| files.iter().any(|file| file.path.starts_with(folder));
    let templates = (!has("templates/") && !has("charts/")).then(|| {
        let message = "the chart has no templates";
        Finding::new(rule::NO_TEMPLATES, Place::file("templates"), message)
    });
    let values = (!files.iter().any(|file| file.path == "values.yaml")).then(|| {
        let message = "the chart has no values.yaml";
        Finding::new(rule::NO_VALUES, Place::file("values.yaml"), message)
            .hint("give it one, be it empty: it is where users look for what they may set")
    });
    templates.into_iter().chain(values).collect()
}

/// Finds documents that begin on the line of their dashes. Helm and pintle cut there; for other
/// readers the dashes are part of the text.
pub(super) fn separators(rendered: &Rendered, chart: &str) -> Vec<Finding> {
    let files = rendered.files.iter();
    let found = files.flat_map(|file| {
        let lines = (1..).zip(file.text.lines());
        let stuck = lines.filter(|(_, line)| {
            let rest = line.strip_prefix("---");
            rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(char::is_whitespace))
        });
        stuck.map(|(line, _)| {
            let path = file.path.strip_prefix(&format!("{chart}/"));
            let place = Place {
                excerpt: super::place::around(rendered, &file.path, (line, 1)),
                ..Place::file(path.unwrap_or(&file.path))
            };
            let message = "a document begins on the line of its dashes";
            Finding::new(rule::SEPARATOR, place, message).hint("break the line after ---")
        })
    });
    found.collect()
}

/// Checks the files of `crds/`.
pub(super) fn crds(files: &[File]) -> Vec<Finding> {
    let is_crd = |path: &str| {
        let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
        path.starts_with("crds/") && ["yaml", "yml", "json"].contains(&extension)
    };
    let no_folder = files.iter().filter(|file| file.path == "crds").map(|file| {
        let message = "crds is a file, and no folder";
        Finding::new(rule::CRDS, Place::file(&file.path), message)
    });
    let files = files.iter().filter(|file| is_crd(&file.path));
    files.flat_map(crd_file).chain(no_folder).collect()
}

fn crd_file(file: &File) -> Vec<Finding> {
    let at = |line| Place::line(&file.path, line);
    let Ok(text) = std::str::from_utf8(&file.data) else {
        return vec![Finding::new(rule::CRDS, at(0), "not UTF-8 text")];
    };
    let documents = match yaml::parse_all(text) {
        Ok(documents) => documents,
        Err(error) => {
            let message = format!("not valid YAML: {error}");
            return vec![Finding::new(rule::CRDS, at(error.line), message)];
        }
    };
    let field = |document: &Value, key: &str| {
        let text = document.get(key).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let others = documents.iter().filter(|document| {
        let group = field(&document.value, "apiVersion");
        field(&document.value, "kind") != "CustomResourceDefinition"
            || !group.starts_with("apiextensions.k8s.io/")
    });
    others
        .map(|document| {
            let message = "a document is no CustomResourceDefinition";
            Finding::new(rule::CRDS, at(document.line), message).hint("keep it in templates/")
        })
        .collect()
}

/// Checks that Helm would refuse a Tera chart, as it should, and not install it with its statements
/// unread: `{{` is an action for it that it fails at, but `{%` is text. It passes over what stands
/// in comments and block scalars.
pub(super) fn silent_in_helm(templates: &[File]) -> Vec<Finding> {
    let texts: Vec<(&str, &str)> = (templates.iter())
        .filter_map(|file| Some((file.path.as_str(), std::str::from_utf8(&file.data).ok()?)))
        .collect();
    let fails =
        |text: &str| text.contains("{{") || statements(text).iter().any(|(_, shown)| *shown);
    if texts.iter().any(|(_, text)| fails(text)) {
        return Vec::new();
    }
    let silent = texts.iter().filter_map(|(path, text)| {
        let (line, _) = statements(text).into_iter().next()?;
        let message = "Helm takes this file as plain text: its statements stand only in comments or \
                       block scalars";
        let finding = Finding::new(rule::SILENT_IN_HELM, Place::line(path, line), message);
        Some(finding.hint("begin the file with a statement outside of them: Helm then refuses it"))
    });
    silent.collect()
}

/// The lines with statements, and whether YAML would see each: outside of comments and block
/// scalars it would not parse.
fn statements(text: &str) -> Vec<(u64, bool)> {
    let mut found = Vec::new();
    // The indentation of the line that opens the block scalar being read.
    let mut block: Option<usize> = None;
    for (number, line) in (1..).zip(text.lines()) {
        let content = line.trim_start();
        let indent = line.len() - content.len();
        if !content.is_empty() && block.is_some_and(|outer| indent <= outer) {
            block = None;
        }
        if content.contains("{%") || content.contains("{#") {
            let before = content
                .find("{%")
                .or_else(|| content.find("{#"))
                .unwrap_or(0);
            let in_comment = content[..before].starts_with('#') || content[..before].contains(" #");
            found.push((number, block.is_none() && !in_comment));
        }
        if block.is_none() && opens_block(content) {
            block = Some(indent);
        }
    }
    found
}

/// Whether a line ends in `|` or `>` and their marks, as in `script: |-`.
fn opens_block(line: &str) -> bool {
    let last = line.rsplit([' ', ':']).next().unwrap_or_default();
    let marks = last.strip_prefix(['|', '>']);
    !line.starts_with('#')
        && marks.is_some_and(|marks| marks.chars().all(|c| matches!(c, '+' | '-' | '1'..='9')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File {
            path: path.to_owned(),
            data: text.into(),
        }
    }

    #[track_caller]
    fn check(found: &[Finding], expected: &[&str]) {
        let shown = found.iter().map(|f| format!("{} {}", f.rule.id, f.place));
        assert_eq!(shown.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn templates_have_known_extensions() {
        let files = [
            file("templates/a.yaml", ""),
            file("templates/NOTES.txt", ""),
        ];
        check(&names(&files), &[]);
        let files = [file("templates/a.yaml.j2", ""), file("files/x.sh", "")];
        check(&names(&files), &["template-extension templates/a.yaml.j2"]);
    }

    #[test]
    fn crds_are_crds() {
        let good = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n";
        check(
            &crds(&[file("crds/a.yaml", good), file("crds/README.md", "{")]),
            &[],
        );
        let bad = [file("crds/a.yaml", "kind: X\n"), file("crds/b.yml", "a: [")];
        check(&crds(&bad), &["crds crds/a.yaml:1", "crds crds/b.yml:1"]);
        let bad = [
            file("crds/a.yaml", &good.replace("apiextensions.k8s.io/", "")),
            file("crds", good),
        ];
        check(&crds(&bad), &["crds crds/a.yaml:1", "crds crds"]);
    }

    #[test]
    fn silent_statements_are_found() {
        let silent = file(
            "templates/a.yaml",
            "a: |\n  {% if x %}\nb: 1 # {% endif %}\n",
        );
        check(
            &silent_in_helm(std::slice::from_ref(&silent)),
            &["silent-in-helm templates/a.yaml:2"],
        );
        let loud = file("templates/b.yaml", "{% if values.x %}\na: 1\n{% endif %}\n");
        check(&silent_in_helm(&[silent.clone(), loud]), &[]);
        check(
            &silent_in_helm(&[silent, file("templates/c.yaml", "a: {{ values.x }}")]),
            &[],
        );
        check(
            &silent_in_helm(&[file("templates/a.yaml", "a: |\n  x\n")]),
            &[],
        );
    }
}
