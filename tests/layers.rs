//! The layers of the library: a module uses only modules above it, and each heavy dependency has
//! one home.

use std::fs;
use std::path::{Path, PathBuf};

/// The modules of the library from the lowest layer to the highest, as ARCHITECTURE.md explains
/// them.
const ORDER: [&str; 18] = [
    "yaml",
    "builtin",
    "capabilities",
    "chart",
    "render",
    "manifest",
    "lint",
    "release",
    "health",
    "x509",
    "kubeconfig",
    "plan",
    "event",
    "pki",
    "source",
    "cluster",
    "history",
    "ops",
];

/// Crates that only these modules may name; `bin` is the binary.
const HOMES: [(&str, &[&str]); 18] = [
    ("reqwest", &["source"]),
    ("x509_parser", &["x509"]),
    ("ring", &["x509", "pki"]),
    ("serde_saphyr", &["yaml"]),
    ("tar", &["chart", "source"]),
    ("tera", &["render"]),
    ("jsonschema", &["chart"]),
    ("kube_cel", &["chart"]),
    ("kube", &["cluster", "history"]),
    ("k8s_openapi", &["cluster", "history"]),
    ("hyper_util", &["cluster"]),
    ("hyper_rustls", &["cluster"]),
    ("futures", &["cluster", "history", "ops"]),
    ("tokio", &["cluster", "history", "ops", "bin"]),
    ("rustls", &["cluster", "bin"]),
    ("clap", &["bin"]),
    ("anstream", &["bin"]),
    ("indicatif", &["bin"]),
];

/// Everything that is wrong with the source `text` of a file that belongs to `module` and stands
/// `depth` levels below the root of the crate.
fn violations(module: &str, depth: usize, text: &str) -> Vec<String> {
    [misplaced(module, depth, text), homeless(module, text)].concat()
}

/// The lines of `text` that are code, without their comments, by number.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(
        text.lines()
            .map(|line| line.split("//").next().unwrap_or_default()),
    )
}

/// Where `text` reaches for a higher layer, or in a way that this check cannot follow.
fn misplaced(module: &str, mut depth: usize, text: &str) -> Vec<String> {
    let own = ORDER.iter().position(|known| *known == module);
    let mut found = vec![];
    for (number, line) in code(text) {
        if line.contains("use crate::{") {
            found.push(format!(
                "{number}: import each module of the crate by its own `use`"
            ));
        }
        // The module of tests at the end of a file is one level deeper.
        depth += usize::from(line.starts_with("mod tests {"));
        if supers(line) >= depth {
            found.push(format!(
                "{number}: leave the module by `crate::`, not by `super::`"
            ));
        }
        for used in names_after(line, "crate::") {
            let place = ORDER.iter().position(|known| *known == used);
            if let (Some(own), Some(place)) = (own, place)
                && place > own
            {
                found.push(format!(
                    "{number}: `{module}` uses `{used}`, which is a higher layer"
                ));
            }
        }
    }
    found
}

/// Where `text` names a dependency that belongs to other modules.
fn homeless(module: &str, text: &str) -> Vec<String> {
    let mut found = vec![];
    for (number, line) in code(text) {
        for (dependency, homes) in HOMES {
            let path = format!("{dependency}::");
            if words_before(line, &path) && !homes.contains(&module) {
                found.push(format!("{number}: `{dependency}` belongs to {homes:?}"));
            }
        }
    }
    found
}

/// How many levels the longest chain of `super::` in `code` goes up.
fn supers(code: &str) -> usize {
    (1..8)
        .take_while(|count| code.contains(&"super::".repeat(*count)))
        .count()
}

/// The identifiers that follow `prefix` in `code`.
fn names_after<'a>(code: &'a str, prefix: &str) -> Vec<&'a str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(prefix)
        .filter(|(start, _)| !code[..*start].ends_with(is_word))
        .map(|(start, _)| &code[start + prefix.len()..])
        .map(|rest| &rest[..rest.find(|c| !is_word(c)).unwrap_or(rest.len())])
        .collect()
}

/// Whether `path` stands in `code` as a path of its own, not as the end of another one.
fn words_before(code: &str, path: &str) -> bool {
    code.match_indices(path).any(|(start, _)| {
        !code[..start].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':')
    })
}

/// Every Rust file below `folder`, with the module it belongs to.
fn files(folder: &Path) -> Vec<(String, PathBuf)> {
    let mut found = vec![];
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(
                fs::read_dir(path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let first = path
                .strip_prefix(folder)
                .unwrap()
                .components()
                .next()
                .unwrap();
            let first = first.as_os_str().to_str().unwrap();
            found.push((first.trim_end_matches(".rs").to_owned(), path));
        }
    }
    found
}

#[test]
fn every_file_keeps_to_its_layer() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = files(&sources);
    let (mut found, mut checked) = (vec![], 0);
    for (module, path) in &files {
        assert!(
            ORDER.contains(&module.as_str()) || ["lib", "bin"].contains(&module.as_str()),
            "{module} has no place in the order of the layers"
        );
        let name = path.strip_prefix(&sources).unwrap();
        let text = fs::read_to_string(path).unwrap();
        let mut wrong = misplaced(module, name.components().count(), &text);
        // Files of tests keep to their layer too, but may hold one library against another one.
        let name = name.to_str().unwrap();
        if !name.contains("/tests/") && !name.ends_with("tests.rs") {
            wrong.extend(homeless(module, &text));
            checked += 1;
        }
        found.extend(wrong.into_iter().map(|what| format!("{name}:{what}")));
    }
    assert!(checked > 50, "only {checked} files were checked");
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_library_lists_its_modules_in_the_same_order() {
    let text =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let listed: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .collect();
    assert_eq!(listed, ORDER);
}

#[track_caller]
fn check(module: &str, text: &str, expected: &[&str]) {
    assert_eq!(violations(module, 1, text), expected, "{text}");
}

#[test]
fn a_reversed_use_is_found() {
    check("plan", "use crate::manifest::Manifest;", &[]);
    check("plan", "use crate::plan::diff;", &[]);
    check(
        "manifest",
        "\nuse crate::plan::Plan;",
        &["2: `manifest` uses `plan`, which is a higher layer"],
    );
    check(
        "yaml",
        "fn f() { crate::ops::install() }",
        &["1: `yaml` uses `ops`, which is a higher layer"],
    );
    check("yaml", "// crate::ops", &[]);
    check("yaml", "my_crate::ops::x", &[]);
}

#[test]
fn a_grouped_use_is_refused() {
    check(
        "ops",
        "use crate::{chart, plan};",
        &["1: import each module of the crate by its own `use`"],
    );
}

#[test]
fn leaving_a_module_by_super_is_refused() {
    let left = "1: leave the module by `crate::`, not by `super::`";
    check("plan", "use super::ops;", &[left]);
    assert_eq!(violations("plan", 2, "use super::diff;"), [] as [&str; 0]);
    assert_eq!(violations("plan", 2, "use super::super::ops;"), [left]);
    assert_eq!(
        violations("plan", 1, "mod tests {\nuse super::*;"),
        [] as [&str; 0]
    );
}

#[test]
fn a_dependency_outside_its_home_is_found() {
    check(
        "plan",
        "use kube::Client;",
        &["1: `kube` belongs to [\"cluster\", \"history\"]"],
    );
    check("cluster", "use kube::Client;", &[]);
    check(
        "plan",
        "let x: tokio::sync::Mutex<()>;",
        &["1: `tokio` belongs to [\"cluster\", \"history\", \"ops\", \"bin\"]"],
    );
    check("chart", "use crate::kube::x;", &[]);
}
