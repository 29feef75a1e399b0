//! Reading and checking `Chart.yaml`.

pub(in crate::chart) mod fields;

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{Dependency, Maintainer, Metadata};
use crate::chart::constraint::{Constraint, parse_version};
use crate::chart::{Error, Position, Problem};
use crate::yaml;
use fields::{Fault, Fields, fault};

const FILE: &str = "Chart.yaml";

pub(super) fn metadata(text: &str) -> Result<Metadata, Error> {
    document(FILE, text, build)
}

pub(super) fn requirements(text: &str) -> Result<Option<Vec<Dependency>>, Error> {
    document("requirements.yaml", text, |tree| {
        if tree.is_null() {
            return Ok(None);
        }
        let root = Fields::root(tree)?;
        let dependencies = root.entries("dependencies", dependency)?;
        check_dependencies(&root, &dependencies)?;
        // An empty list takes the place of those in `Chart.yaml` as any other does.
        Ok(root.has("dependencies").then_some(dependencies))
    })
}

/// Reads the one document of `file` by `read`, and says where its faults are.
pub(in crate::chart) fn document<T>(
    file: &str,
    text: &str,
    read: impl FnOnce(&Value) -> Result<T, Fault>,
) -> Result<T, Error> {
    let tree = yaml::parse(text).map_err(|cause| Error::yaml(file, cause))?;
    read(&tree).map_err(|Fault { path, problem }| {
        // A field that is missing has no place of its own: its parent has.
        let place = (0..=path.len())
            .rev()
            .find_map(|end| yaml::locate(text, &path[..end]));
        let (line, column) = place.unwrap_or_default();
        let field = crate::chart::path::dotted(&path);
        let field = if field.is_empty() {
            "the document".to_owned()
        } else {
            field
        };
        Error::Field {
            at: Position {
                file: file.to_owned(),
                line,
                column,
            },
            field,
            problem,
        }
    })
}

fn build(tree: &Value) -> Result<Metadata, Fault> {
    let root = Fields::root(tree)?;
    if root.has("engine") {
        return Err(fault(root.at("engine"), Problem::EngineField));
    }
    let metadata = Metadata {
        name: root.text("name")?,
        home: root.text("home")?,
        sources: root.texts("sources")?,
        version: root.raw_text("version")?,
        description: root.text("description")?,
        keywords: root.texts("keywords")?,
        maintainers: root.entries("maintainers", maintainer)?,
        icon: root.text("icon")?,
        api_version: root.text("apiVersion").map(or_v1)?,
        condition: root.text("condition")?,
        tags: root.text("tags")?,
        app_version: root.text("appVersion")?,
        deprecated: root.flag("deprecated")?,
        annotations: root.annotations("annotations")?,
        kube_version: root.text("kubeVersion")?,
        dependencies: root.entries("dependencies", dependency)?,
        kind: root.text("type")?,
        other: Map::new(),
    };
    check(&root, &metadata)?;
    check_dependencies(&root, &metadata.dependencies)?;
    Ok(metadata)
}

fn or_v1(api_version: String) -> String {
    if api_version.is_empty() {
        "v1".to_owned()
    } else {
        api_version
    }
}

fn maintainer(fields: &Fields<'_>) -> Result<Maintainer, Fault> {
    Ok(Maintainer {
        name: fields.text("name")?,
        email: fields.text("email")?,
        url: fields.text("url")?,
    })
}

fn dependency(fields: &Fields<'_>) -> Result<Dependency, Fault> {
    Ok(Dependency {
        name: fields.text("name")?,
        version: fields.text("version")?,
        repository: fields.text("repository")?,
        condition: fields.text("condition")?,
        tags: fields.texts("tags")?,
        enabled: fields.flag("enabled")?,
        import_values: fields.imports("import-values")?,
        alias: fields.raw_text("alias")?,
        depends_on: fields.texts("depends-on")?,
    })
}

fn check(root: &Fields<'_>, metadata: &Metadata) -> Result<(), Fault> {
    let refuse = |field: &str, value: &str, expected: &str| {
        let (value, expected) = (value.to_owned(), expected.to_owned());
        Err(fault(root.at(field), Problem::Value { value, expected }))
    };
    if !matches!(metadata.api_version.as_str(), "v1" | "v2") {
        return refuse("apiVersion", &metadata.api_version, "v1 or v2");
    }
    for (field, value) in [("name", &metadata.name), ("version", &metadata.version)] {
        if value.is_empty() {
            return Err(fault(root.at(field), Problem::Missing));
        }
    }
    if matches!(metadata.name.as_str(), "." | "..") || metadata.name.contains(['/', '\\']) {
        return refuse("name", &metadata.name, "a plain name, not a path");
    }
    if let Err(cause) = parse_version(&metadata.version) {
        return Err(fault(root.at("version"), cause.into()));
    }
    if !matches!(metadata.kind.as_str(), "" | "application" | "library") {
        return refuse("type", &metadata.kind, "application or library");
    }
    let kube = &metadata.kube_version;
    match Constraint::parse(kube) {
        Err(cause) if !kube.is_empty() => Err(fault(root.at("kubeVersion"), cause.into())),
        _ => Ok(()),
    }
}

fn check_dependencies(root: &Fields<'_>, dependencies: &[Dependency]) -> Result<(), Fault> {
    let mut names = BTreeSet::new();
    for (index, dependency) in dependencies.iter().enumerate() {
        let alias = dependency.alias.as_str();
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        if !alias.chars().all(allowed) {
            let expected = "of letters, digits, _ and -".to_owned();
            let problem = Problem::Value {
                value: alias.to_owned(),
                expected,
            };
            return Err(fault(
                root.in_entry("dependencies", index, "alias"),
                problem,
            ));
        }
        let (field, name) = if alias.is_empty() {
            ("name", dependency.name.as_str())
        } else {
            ("alias", alias)
        };
        if !names.insert(name) {
            let problem = Problem::Duplicate {
                name: name.to_owned(),
            };
            return Err(fault(root.in_entry("dependencies", index, field), problem));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const MINIMAL: &str = "apiVersion: v2\nname: kcp\nversion: 1.2.3\n";

    #[track_caller]
    fn check_text(text: &str, expected: &Value) {
        let found = serde_json::to_value(metadata(text).unwrap()).unwrap();
        assert_eq!(&found, expected);
    }

    #[track_caller]
    fn check_error(text: &str, expected: &str) {
        assert_eq!(metadata(text).unwrap_err().to_string(), expected);
    }

    #[test]
    fn every_field_is_read() {
        let text = "{apiVersion: v2, name: kcp, version: 1.2.3, kubeVersion: '>=1.30', home: h,
            sources: [s], description: d, keywords: [k], icon: i, appVersion: 1.36.1,
            maintainers: [{name: nn, email: e, url: u}], deprecated: true, type: library,
            annotations: {a: b}, condition: c, tags: t,
            dependencies: [{name: nn, version: v, repository: r, condition: c, tags: [t],
            enabled: true, import-values: [x, {child: a, parent: b}], alias: l}]}";
        let expected = json!({
            "apiVersion": "v2", "name": "kcp", "version": "1.2.3", "kubeVersion": ">=1.30",
            "home": "h", "sources": ["s"], "description": "d", "keywords": ["k"], "icon": "i",
            "appVersion": "1.36.1", "maintainers": [{"name": "nn", "email": "e", "url": "u"}],
            "deprecated": true, "type": "library", "annotations": {"a": "b"},
            "condition": "c", "tags": "t",
            "dependencies": [{"name": "nn", "version": "v", "repository": "r", "condition": "c",
                "tags": ["t"], "enabled": true,
                "import-values": ["x", {"child": "a", "parent": "b"}], "alias": "l"}],
        });
        check_text(text, &expected);
    }

    #[test]
    fn scalars_become_strings_where_strings_belong() {
        check_text(
            "name: 5\nversion: 1.5\nappVersion: 1.10\ndescription: true\nhome: ~\nfuture: {}\n",
            &json!({
                "apiVersion": "v1", "name": "5", "version": "1.5", "appVersion": "1.1",
                "description": "true",
            }),
        );
    }

    #[test]
    fn characters_that_do_not_print_are_taken_out() {
        let text =
            format!("{MINIMAL}description: \"a\\tb\\u001b[31mc\\u202ed\\u200be\\u00a0f \u{e9}\"\n");
        assert_eq!(metadata(&text).unwrap().description, "a b[31mcde f \u{e9}");
        let text =
            format!("{MINIMAL}annotations: {{\"a\\e\": \"b\\e[2J\\n\\tc\\u009b\\u200d\"}}\n");
        let annotations = metadata(&text).unwrap().annotations;
        let expected = ("a".to_owned(), "b[2J\n\tc\u{200d}".to_owned());
        assert_eq!(annotations, [expected].into());
    }

    #[test]
    fn faults_name_field_and_place() {
        check_error("- 1", "Chart.yaml:1:1: the document must be a mapping");
        check_error("version: 1.2.3\n", "Chart.yaml:1:1: name is required");
        check_error("name: a\n", "Chart.yaml:1:1: version is required");
        check_error(
            "name: ..\nversion: 1.0.0\n",
            "Chart.yaml:1:7: name is \"..\": must be a plain name, not a path",
        );
        check_error(
            "name: a/b\nversion: 1.0.0\n",
            "Chart.yaml:1:7: name is \"a/b\": must be a plain name, not a path",
        );
        check_error(
            "name: a\nversion: one\n",
            "Chart.yaml:2:10: version \"one\" is not a version such as 1.2.3",
        );
        check_error(
            "name: [a]\nversion: 1.0.0\n",
            "Chart.yaml:1:7: name must be a string",
        );
        check_error(
            &format!("{MINIMAL}keywords: a\n"),
            "Chart.yaml:4:11: keywords must be a list",
        );
        check_error(
            &format!("{MINIMAL}deprecated: 1\n"),
            "Chart.yaml:4:13: deprecated must be a boolean",
        );
        check_error(
            &format!("{MINIMAL}type: app\n"),
            "Chart.yaml:4:7: type is \"app\": must be application or library",
        );
        check_error(
            "apiVersion: v9\nname: a\nversion: 1.0.0\n",
            "Chart.yaml:1:13: apiVersion is \"v9\": must be v1 or v2",
        );
        check_error("a: 1\na: 2\n", "Chart.yaml:2:1: not valid YAML");
        check_error(
            &format!("{MINIMAL}kubeVersion: new\n"),
            "Chart.yaml:4:14: kubeVersion \"new\" is not a version constraint such as \">=1.30 <2\"",
        );
        check_error(
            &format!("{MINIMAL}engine: tera\n"),
            "Chart.yaml:4:9: engine does not choose the template engine: the annotation pintle.dev/engine does",
        );
    }

    #[test]
    fn null_entries_are_refused() {
        check_error(
            &format!("{MINIMAL}maintainers: [~]\n"),
            "Chart.yaml:4:15: maintainers[0] must not be null",
        );
        check_error(
            &format!("{MINIMAL}dependencies:\n- ~\n"),
            "Chart.yaml:5:3: dependencies[0] must not be null",
        );
        check_error(
            &format!("{MINIMAL}keywords: [a, ~]\n"),
            "Chart.yaml:4:15: keywords[1] must not be null",
        );
    }

    #[test]
    fn dependencies_have_one_name_each() {
        let with = |list: &str| format!("{MINIMAL}dependencies: {list}\n");
        assert!(metadata(&with("[{name: a}, {name: a, alias: b}]")).is_ok());
        check_error(
            &with("[{name: a}, {name: b, alias: a}]"),
            "Chart.yaml:4:44: dependencies[1].alias is \"a\", which another dependency is called too",
        );
        check_error(
            &with("[{name: a, alias: ../a}]"),
            "Chart.yaml:4:33: dependencies[0].alias is \"../a\": must be of letters, digits, _ and -",
        );
    }

    /// Text as it may be shown: blanks for spaces of any kind, and nothing that does not print.
    fn shown(text: &str) -> String {
        let steers = |c: &char| !c.is_control() && *c != '\u{202e}';
        let blank = |c: char| if c.is_whitespace() { ' ' } else { c };
        text.chars().map(blank).filter(steers).collect()
    }

    /// What people and enemies write, in letters that are old enough for every table of Unicode.
    const TEXT: &str =
        "[ -~\u{e9}\u{4e2d}\u{1f600}\u{202e}\u{1b}\u{9b}\u{85}\u{a0}\u{0}\r\n\t]{0,12}";

    proptest! {
        #[test]
        fn what_is_accepted_is_what_was_written_but_for_what_does_not_print(
            name in prop_oneof!["[a-z]{1,3}", TEXT],
            texts in prop::collection::vec(TEXT, 5),
            keywords in prop::collection::vec(TEXT, 0..3),
            annotations in prop::collection::btree_map("[ -~]{1,8}", TEXT, 0..3),
            version in "1\\.2\\.3(-[a-z]{1,3})?|[0-9.v^ ]{0,6}",
        ) {
            let tree = json!({
                "apiVersion": "v2", "name": name, "version": version, "home": texts[0],
                "description": texts[1], "icon": texts[2], "appVersion": texts[3],
                "keywords": keywords, "annotations": annotations,
                "maintainers": [{"name": texts[4], "email": texts[0]}],
                "dependencies": [{"name": texts[1], "repository": texts[2], "condition": texts[3]}],
            });
            if let Ok(found) = metadata(&crate::yaml::to_string(&tree)) {
                prop_assert_eq!(&found.name, &shown(&name));
                prop_assert_eq!(found.version, version);
                let maintainer = &found.maintainers[0];
                let dependency = &found.dependencies[0];
                let pairs = [
                    (&found.home, 0), (&found.description, 1), (&found.icon, 2), (&found.app_version, 3),
                    (&maintainer.name, 4), (&maintainer.email, 0), (&dependency.name, 1),
                    (&dependency.repository, 2), (&dependency.condition, 3),
                ];
                for (found, at) in pairs {
                    prop_assert_eq!(found, &shown(&texts[at]));
                }
                let keywords: Vec<String> = keywords.iter().map(|text| shown(text)).collect();
                prop_assert_eq!(found.keywords, keywords);
                for (key, text) in &annotations {
                    let steers = |c: &char| c.is_control() && !matches!(c, '\n' | '\t');
                    let text: String = text.chars().filter(|c| !steers(c)).collect();
                    prop_assert_eq!(&found.annotations[key], &text);
                }
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in "(name|version|type|keywords|[-:a-z0-9 {}\\[\\],\n]){0,60}|\\PC{0,60}") {
            let _ = metadata(&text);
        }
    }
}
