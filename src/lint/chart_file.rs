//! Rules about `Chart.yaml`: those of `helm lint`, and that the engine is an annotation.

use serde_json::Value;

use super::finding::{Finding, Place};
use super::rule::{self, Rule};
use crate::chart::{Error, Metadata};
use crate::yaml::{self, Step};

const FILE: &str = "Chart.yaml";

/// The fields of Helm's chart format v2.
const FIELDS: [&str; 17] = [
    "annotations",
    "apiVersion",
    "appVersion",
    "condition",
    "dependencies",
    "deprecated",
    "description",
    "engine",
    "home",
    "icon",
    "keywords",
    "kubeVersion",
    "maintainers",
    "name",
    "sources",
    "tags",
    "type",
];

/// The fields of a maintainer and of a dependency there; the last is that of HIP-0025.
const INNER: [(&str, &[&str]); 2] = [
    ("maintainers", &["email", "name", "url"]),
    (
        "dependencies",
        &[
            "alias",
            "condition",
            "enabled",
            "import-values",
            "name",
            "repository",
            "tags",
            "version",
            "depends-on",
        ],
    ),
];

/// Checks the text of a `Chart.yaml`.
pub(super) fn check(text: &str) -> Vec<Finding> {
    let metadata = match Metadata::parse(text) {
        Ok(metadata) => metadata,
        Err(error) => return vec![broken(text, &error)],
    };
    // What can be read as metadata can be read as YAML.
    let tree = yaml::parse(text).unwrap_or_default();
    let mut check = Check {
        text,
        found: Vec::new(),
    };
    check.identity(&metadata, &tree);
    check.format(&metadata, &tree);
    check.fields(&tree);
    check.people(&metadata);
    check.addresses(&metadata);
    check.dependencies(&metadata);
    check.found
}

/// A field that is wrong, or text that is none.
fn broken(text: &str, error: &Error) -> Finding {
    let tree = yaml::parse(text).unwrap_or_default();
    if tree.get("engine").is_some() {
        let line = yaml::locate(text, &[key("engine")]).map_or(0, |(line, _)| line);
        let message = "engine does not choose the template engine";
        let finding = Finding::new(rule::ENGINE_FIELD, Place::line(FILE, line), message);
        return finding.hint("write it as annotation: `pintle.dev/engine: tera` below annotations");
    }
    let line = error.position().map_or(0, |at| at.line);
    Finding::new(rule::CHART_FILE, Place::line(FILE, line), problem(error))
}

/// What is wrong with a file of a chart, without its place.
pub(super) fn problem(error: &Error) -> String {
    match error {
        Error::Field { field, problem, .. } => format!("{field} {problem}"),
        Error::Yaml { cause, .. } => format!("not valid YAML: {cause}"),
        Error::ValuesNotMapping { .. } => "values must be a mapping".to_owned(),
        Error::NotText { .. } => "not UTF-8 text".to_owned(),
        Error::NoChartYaml { .. } => "the file is missing".to_owned(),
        Error::Stray { .. } => {
            "only charts belong into charts/, in folders or archives (.tgz)".to_owned()
        }
        Error::Archive { cause, .. } => format!("cannot be unpacked: {cause}"),
        other => other.to_string(),
    }
}

fn key(name: &str) -> Step {
    Step::Key(name.to_owned())
}

struct Check<'a> {
    text: &'a str,
    found: Vec<Finding>,
}

impl Check<'_> {
    fn add(&mut self, rule: &'static Rule, path: &[Step], (message, hint): (String, &str)) {
        let line = yaml::locate(self.text, path).map_or(0, |(line, _)| line);
        let finding = Finding::new(rule, Place::line(FILE, line), message);
        let finding = if hint.is_empty() {
            finding
        } else {
            finding.hint(hint)
        };
        self.found.push(finding);
    }

    fn identity(&mut self, metadata: &Metadata, tree: &Value) {
        let name = &metadata.name;
        if !Metadata::is_common_name(name) {
            let message = format!("name is {name:?}, which Helm's repositories take badly");
            let hint = "use lower-case letters, digits and dashes";
            self.add(rule::CHART_NAME, &[key("name")], (message, hint));
        }
        if !tree.get("version").is_some_and(Value::is_string) {
            let message = "version is not a string, so a zero at its end is lost".to_owned();
            self.add(
                rule::CHART_FILE,
                &[key("version")],
                (message, "put it in quotes"),
            );
        } else if semver::Version::parse(&metadata.version).is_err() {
            let message = format!("version is {:?}, which is not SemVer 2", metadata.version);
            let hint = "write three numbers, such as 1.2.0";
            self.add(rule::CHART_VERSION, &[key("version")], (message, hint));
        }
        if metadata.deprecated {
            let hint = "say in its README which chart takes its place";
            let message = "the chart is deprecated".to_owned();
            self.add(
                rule::DEPRECATED_CHART,
                &[key("deprecated")],
                (message, hint),
            );
        }
        let app_version = tree.get("appVersion").unwrap_or(&Value::Null);
        if !matches!(app_version, Value::Null | Value::String(_)) {
            let message = "appVersion is not a string".to_owned();
            self.add(
                rule::APP_VERSION,
                &[key("appVersion")],
                (message, "put it in quotes"),
            );
        }
        if metadata.icon.is_empty() {
            let message = "the chart has no icon".to_owned();
            self.add(
                rule::CHART_ICON,
                &[],
                (message, "give the URL of an image as icon"),
            );
        }
    }

    fn format(&mut self, metadata: &Metadata, tree: &Value) {
        if tree.get("apiVersion").is_none_or(Value::is_null) {
            let message = "apiVersion is missing, and Helm takes no such chart".to_owned();
            self.add(rule::CHART_FILE, &[], (message, "write apiVersion: v2"));
        } else if metadata.api_version != "v2" {
            let message = format!("apiVersion is {}", metadata.api_version);
            self.add(
                rule::CHART_API_VERSION,
                &[key("apiVersion")],
                (message, "write apiVersion: v2"),
            );
        }
        let new = [
            ("type", !metadata.kind.is_empty()),
            ("dependencies", !metadata.dependencies.is_empty()),
        ];
        for (field, _) in new.into_iter().filter(|(_, is_set)| *is_set) {
            if metadata.api_version != "v2" {
                let message = format!("{field} needs apiVersion v2");
                let hint = "write apiVersion: v2";
                self.add(rule::CHART_TYPE, &[key(field)], (message, hint));
            }
        }
    }

    fn fields(&mut self, tree: &Value) {
        let keys = tree.as_object().into_iter().flatten().map(|(name, _)| name);
        let unknown: Vec<&String> = keys
            .filter(|name| !FIELDS.contains(&name.as_str()) && *name != "version")
            .collect();
        for name in unknown {
            let near = crate::render::nearest(name, FIELDS.into_iter().chain(["version"]));
            let hint = match near {
                Some(near) => format!("did you mean {near}?"),
                None => "keep it below annotations".to_owned(),
            };
            let message = format!("{name} is not a field of Chart.yaml, and Helm drops it");
            self.add(rule::CHART_FIELD, &[key(name)], (message, &hint));
        }
        for (list, known) in INNER {
            let items = tree.get(list).and_then(Value::as_array);
            for (index, item) in items.into_iter().flatten().enumerate() {
                self.inner_fields((list, index), item, known);
            }
        }
    }

    /// The fields of one maintainer or dependency.
    fn inner_fields(&mut self, (list, index): (&str, usize), item: &Value, known: &[&str]) {
        let names = item.as_object().into_iter().flatten().map(|(name, _)| name);
        for name in names.filter(|name| !known.contains(&name.as_str())) {
            let hint = crate::render::nearest(name, known.iter().copied());
            let hint = hint.map_or(String::new(), |near| format!("did you mean {near}?"));
            let message = format!("{list}[{index}] has no field {name}, and Helm drops it");
            let at = [key(list), Step::Index(index), key(name)];
            self.add(rule::CHART_FIELD, &at, (message, &hint));
        }
    }

    fn people(&mut self, metadata: &Metadata) {
        for (index, person) in metadata.maintainers.iter().enumerate() {
            let at = [key("maintainers"), Step::Index(index)];
            if person.name.is_empty() {
                let message = format!("maintainers[{index}] has no name");
                self.add(rule::MAINTAINER, &at, (message, ""));
            }
            if !person.email.is_empty() && !is_email(&person.email) {
                let message = format!("maintainers[{index}].email is no address of mail");
                self.add(rule::MAINTAINER, &at, (message, ""));
            }
            if !person.url.is_empty() && !is_url(&person.url) {
                let message = format!("maintainers[{index}].url is no URL");
                self.add(rule::MAINTAINER, &at, (message, ""));
            }
        }
    }

    fn addresses(&mut self, metadata: &Metadata) {
        for (name, address) in [("home", &metadata.home), ("icon", &metadata.icon)] {
            if !address.is_empty() && !is_url(address) {
                let message = format!("{name} is {address:?}, which is no URL");
                self.add(rule::CHART_URL, &[key(name)], (message, ""));
            }
        }
        for (index, address) in metadata.sources.iter().enumerate() {
            if !is_url(address) {
                let at = [key("sources"), Step::Index(index)];
                let message = format!("sources[{index}] is {address:?}, which is no URL");
                self.add(rule::CHART_URL, &at, (message, ""));
            }
        }
    }

    fn dependencies(&mut self, metadata: &Metadata) {
        for (index, dependency) in metadata.dependencies.iter().enumerate() {
            let fields = [("name", &dependency.name), ("version", &dependency.version)];
            for (field, value) in fields {
                if value.is_empty() {
                    let at = [key("dependencies"), Step::Index(index)];
                    let message = format!("dependencies[{index}].{field} is required");
                    self.add(rule::DEPENDENCY, &at, (message, ""));
                }
            }
        }
    }
}

/// As `govalidator.IsRequestURL`, which Helm asks: a scheme and something after it.
fn is_url(text: &str) -> bool {
    let uri: Result<http::Uri, _> = text.parse();
    uri.is_ok_and(|uri| uri.scheme().is_some() && uri.host().is_some_and(|host| !host.is_empty()))
}

fn is_email(text: &str) -> bool {
    let parts = text.rsplit_once('@');
    parts.is_some_and(|(user, host)| {
        !user.is_empty() && !host.is_empty() && !text.contains(char::is_whitespace)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found below a good head, as `rule:line`.
    #[track_caller]
    fn check(rest: &str, expected: &[&str]) {
        let text =
            format!("apiVersion: v2\nname: a\nversion: 1.0.0\nicon: https://h/i.png\n{rest}");
        check_whole(&text, expected);
    }

    #[track_caller]
    fn check_whole(text: &str, expected: &[&str]) {
        let found = super::check(text);
        let shown = |finding: &Finding| format!("{}:{}", finding.rule.id, finding.place.line);
        assert_eq!(found.iter().map(shown).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_good_file_has_nothing() {
        check("", &[]);
        check(
            "appVersion: '1.29'\nsources: [https://h/x]\nhome: http://h\n",
            &[],
        );
    }

    #[test]
    fn what_cannot_be_read_is_one_finding() {
        check_whole("name: [", &["chart-file:1"]);
        check_whole("apiVersion: v2\nname: a\n", &["chart-file:1"]);
        check("type: lib", &["chart-file:5"]);
        check("kubeVersion: soon", &["chart-file:5"]);
        check("dependencies: [{name: b}, {name: b}]", &["chart-file:5"]);
        check("engine: tera", &["engine-field:5"]);
    }

    #[test]
    fn fields_have_their_rules() {
        check_whole(
            "apiVersion: v2\nname: A_b\nversion: '1.2'\n",
            &["chart-name:2", "chart-version:3", "chart-icon:1"],
        );
        check_whole(
            "name: a\nversion: 1.0.0\ntype: library\nicon: x\n",
            &["chart-file:1", "chart-type:3", "chart-url:4"],
        );
        check_whole(
            "apiVersion: v1\nname: a\nversion: 1.0.0\nicon: https://h\ndependencies: [{name: b, version: 1.0.0}]\n",
            &["chart-api-version:1", "chart-type:5"],
        );
        check("appVersion: 1.29", &["app-version:5"]);
        check(
            "appversion: '1'\nowner: me\n",
            &["chart-field:5", "chart-field:6"],
        );
        check(
            "maintainers: [{email: x}, {name: a, url: h}]",
            &["maintainer:5"; 3],
        );
        check("sources: [x]\nhome: y", &["chart-url:6", "chart-url:5"]);
        check("dependencies: [{name: b}]", &["dependency:5"]);
        check_whole(
            "apiVersion: v1\nname: a\nversion: 1.10\nicon: https://h/i.png\n",
            &["chart-file:3", "chart-api-version:1"],
        );
        check(
            "maintainers: [{name: a, mail: a@b}]\ndependencies:\n  - name: b\n    version: 1.0.0\n    \
             Alias: x\n    depends-on: [c]\n  - {name: c, version: 1.0.0, kind: x}\n",
            &["chart-field:5", "chart-field:9", "chart-field:11"],
        );
    }
}
