//! Rules about values: the defaults, the schema, and what templates read of them.

use serde_json::{Map, Value};

use super::finding::{Finding, Place};
use super::rule;
use crate::chart::{self, Chart, Kind, Node, Origin, Tree, Values, schema};
use crate::render::{Missing, Read, nearest, reads};
use crate::yaml::{self, Step};

const FILE: &str = "values.yaml";
const SCHEMA: &str = "values.schema.json";

/// The keys of the defaults that no template needs to read: Helm's own, for other charts.
const ALWAYS_USED: [&str; 2] = ["global", "exports"];

/// Keys in a file of values that Kubernetes and Helm read as booleans.
pub(super) fn boolean_keys(file: &str, text: &str) -> Vec<Finding> {
    let found = yaml::boolean_keys(text).into_iter().map(|found| {
        let message = format!(
            "Kubernetes and Helm read the key {} as {}",
            found.key, found.value
        );
        Finding::new(rule::BOOLEAN_KEY, Place::line(file, found.line), message)
            .hint("put quotes around it")
    });
    found.collect()
}

/// What is wrong with the schema itself, or with values for it; `file` is where the values stand.
pub(super) fn misfits(error: schema::Error, file: &str, text: &str) -> Vec<Finding> {
    if let schema::Error::Subchart { chart, cause } = error {
        let mut findings = misfits(*cause, file, text);
        for finding in &mut findings {
            finding.place.file = format!("{chart}/{}", finding.place.file);
        }
        return findings;
    }
    let schema::Error::Violations(violations) = error else {
        return vec![unusable(&error)];
    };
    let violations = violations.into_iter().map(|violation| {
        // A rule for all values is told at the first that it reads.
        let first = violation
            .reads
            .first()
            .filter(|_| violation.path.is_empty());
        let (path, origin) = match first {
            Some(read) => (&read.path, read.origin.clone()),
            None => (&violation.path, violation.origin.clone()),
        };
        let path = chart::path_steps(path);
        let line = || {
            let mut ends = (0..=path.len()).rev();
            let place = ends.find_map(|end| yaml::locate(text, &path[..end]));
            place.map_or(0, |(line, _)| line)
        };
        // What the user has set stands in no file of the chart.
        let rule = violation.shown_rule();
        let (file, line, source) = match origin {
            None => (file.to_owned(), line(), None),
            Some(Origin::Default(at)) if at.file == FILE => (file.to_owned(), line(), None),
            Some(Origin::Default(at)) => (at.file, at.line, None),
            Some(Origin::File(at)) if at.file == file => (at.file, at.line, None),
            Some(origin) => (file.to_owned(), 0, Some(origin.to_string())),
        };
        let marks: Vec<String> = source.into_iter().chain(rule).collect();
        let marks = match marks.as_slice() {
            [] => String::new(),
            marks => format!(" ({})", marks.join("; ")),
        };
        let what = match violation.path.as_str() {
            "" => "the values",
            path => path,
        };
        let message = format!("{what}: {}{marks}", violation.expected);
        Finding::new(rule::VALUES, Place::line(&file, line), message)
    });
    violations.collect()
}

/// A schema that cannot be used, with what its reader says of it.
fn unusable(error: &schema::Error) -> Finding {
    let text = error.to_string();
    let message = text.strip_prefix("values.schema.json: ").unwrap_or(&text);
    let (line, message) = match error {
        schema::Error::Json(cause) => (cause.line() as u64, format!("{message}: {cause}")),
        schema::Error::Rule { cause, .. } => {
            let cause = cause.to_string();
            // Behind the first line it draws the expression.
            let cause = cause.lines().next().unwrap_or_default();
            let cause = cause.strip_prefix("ERROR: <input>:").unwrap_or(cause);
            // The parser goes on with all signs that there are.
            let cause = cause.split(" expecting {").next().unwrap_or(cause);
            (0, format!("{message}: {cause}"))
        }
        _ => (0, message.to_owned()),
    };
    Finding::new(rule::SCHEMA, Place::line(SCHEMA, line), message)
}

/// References in a chart's schema to rules, which are not evaluated there.
pub(super) fn unseen_rules(chart: &Chart) -> Vec<Finding> {
    let schema = chart.schema.as_deref().unwrap_or(b"{}");
    // What is no schema at all is told of where it is compiled.
    let references = schema::rules_below_refs(schema).unwrap_or_default();
    let found = references.into_iter().map(|found| {
        let message = format!(
            "{} leads to {}, whose rules are not evaluated there",
            found.at, found.reference
        );
        let file = format!("{}{SCHEMA}", chart.folder);
        Finding::new(rule::SCHEMA, Place::file(&file), message)
            .hint("write the rules (x-kubernetes-validations) again beside the $ref")
    });
    found.collect()
}

/// What the rules in a chart's schema name in vain.
pub(super) fn undefined_names(chart: &Chart) -> Vec<Finding> {
    let schema = chart.schema.as_deref().unwrap_or(b"{}");
    // What is no schema at all is told of where it is compiled.
    let found = schema::undefined_in_rules(schema, &chart.values).unwrap_or_default();
    let told = found.into_iter().map(|found| {
        let message = format!(
            "{:?}, a rule for {}, cannot be evaluated: {}",
            found.expression, found.path, found.problem
        );
        let file = format!("{}{SCHEMA}", chart.folder);
        Finding::new(rule::SCHEMA, Place::file(&file), message)
    });
    told.collect()
}

/// Compares what the templates read with what the defaults and the schema have.
///
/// `text` is that of `values.yaml`.
pub(super) fn usage(tree: &Tree<'_>, text: &str) -> Vec<Finding> {
    let chart = tree.root.chart;
    let mut all = all_reads(chart);
    if calls_tpl(tree) {
        read_by_defaults(&chart.values.0, text, &mut vec![], &mut all);
    }
    // What subcharts have by default the chart may read as well.
    let defaults = tree.select(Values::default()).unwrap_or_default();
    // The values of a library are those of the charts that use it.
    if chart.metadata.chart_kind() == Kind::Library {
        for (_, read) in &mut all {
            if read.missing == Missing::Falls {
                read.missing = Missing::Asked;
            }
        }
    }
    let document = chart.schema.as_deref();
    let document = document.and_then(|schema| serde_json::from_slice(schema).ok());
    let mut found = undeclared(
        &defaults.values.0,
        &document.unwrap_or(Value::Bool(false)),
        &all,
    );
    let others = used_by_subcharts(tree);
    let paths = all.iter().map(|(_, read)| read.path.as_slice());
    let paths: Vec<&[Step]> = paths.chain(others.iter().map(Vec::as_slice)).collect();
    let mut path = Vec::new();
    unused(&chart.values.0, &paths, &mut path, &mut |path| {
        let line = yaml::locate(text, path).map_or(0, |(line, _)| line);
        let message = format!("no template reads {}", chart::dotted_path(path));
        let finding = Finding::new(rule::UNUSED_VALUE, Place::line(FILE, line), message);
        found.push(finding.hint("remove it, or use it"));
    });
    found
}

/// What the templates of a chart read, each with the template.
fn all_reads(chart: &Chart) -> Vec<(&str, Read)> {
    let templates = chart.templates.iter();
    let read = templates.flat_map(|template| {
        let text = std::str::from_utf8(&template.data).unwrap_or_default();
        let reads = reads(text).into_iter();
        reads.map(|read| (template.path.as_str(), read))
    });
    read.collect()
}

/// Whether a template of the charts may take a value for a template.
fn calls_tpl(tree: &Tree<'_>) -> bool {
    let charts = tree.root.chart.all().into_iter();
    let mut templates = charts.flat_map(|chart| &chart.templates);
    templates.any(|template| String::from_utf8_lossy(&template.data).contains("tpl"))
}

/// Adds what default values read that are templates themselves.
fn read_by_defaults(
    values: &Map<String, Value>,
    file: &str,
    path: &mut Vec<Step>,
    found: &mut Vec<(&str, Read)>,
) {
    for (key, value) in values {
        path.push(Step::Key(key.clone()));
        match value {
            Value::String(text) if text.contains("{{") || text.contains("{%") => {
                let line = yaml::locate(file, path).map_or(0, |(line, _)| line);
                found.extend(
                    reads(text)
                        .into_iter()
                        .map(|read| (FILE, Read { line, ..read })),
                );
            }
            Value::Object(map) => read_by_defaults(map, file, path, found),
            Value::Array(items) => {
                let texts = items.iter().filter_map(Value::as_str);
                let all = texts.flat_map(reads);
                let line = yaml::locate(file, path).map_or(0, |(line, _)| line);
                found.extend(all.map(|read| (FILE, Read { line, ..read })));
            }
            _ => {}
        }
        path.pop();
    }
}

/// The values of the root that its subcharts use: their own, those that turn them on, and what the
/// templates of libraries read, which are lent to it.
fn used_by_subcharts(tree: &Tree<'_>) -> Vec<Vec<Step>> {
    let key = |key: &str| Step::Key(key.to_owned());
    let mut used = Vec::new();
    let mut open: Vec<&Node<'_>> = tree.root.subcharts.iter().collect();
    used.extend(open.iter().map(|sub| vec![key(sub.name())]));
    for entry in open.iter().filter_map(|sub| sub.entry) {
        let conditions = entry.condition.split(',').map(str::trim);
        used.extend(conditions.map(|path| path.split('.').map(key).collect()));
        used.extend(entry.tags.iter().map(|tag| vec![key("tags"), key(tag)]));
    }
    while let Some(node) = open.pop() {
        open.extend(&node.subcharts);
        if node.chart.metadata.chart_kind() == Kind::Library {
            let reads = all_reads(node.chart).into_iter();
            used.extend(reads.map(|(_, read)| read.path));
        }
    }
    used
}

/// Tells of the highest values that no path of `reads` leads to, through or from.
fn unused(
    values: &Map<String, Value>,
    reads: &[&[Step]],
    path: &mut Vec<Step>,
    tell: &mut dyn FnMut(&[Step]),
) {
    for (key, value) in values {
        if path.is_empty() && ALWAYS_USED.contains(&key.as_str()) {
            continue;
        }
        path.push(Step::Key(key.clone()));
        let covered = reads.iter().any(|read| path.starts_with(read));
        if !covered {
            match value {
                Value::Object(map) if reads.iter().any(|read| read.starts_with(path)) => {
                    unused(map, reads, path, tell);
                }
                _ if reads.iter().any(|read| read.starts_with(path)) => {}
                _ => tell(path),
            }
        }
        path.pop();
    }
}

/// Reads of what is declared nowhere. What a missing value does no harm to is told of only where nothing
/// of its first key is known, or a name beside it is near: the template may mean a value that no default
/// has.
fn undeclared(values: &Map<String, Value>, schema: &Value, reads: &[(&str, Read)]) -> Vec<Finding> {
    let is_known = |path: &[Step]| is_default(values, path) || declares(schema, schema, path, 0);
    let told = reads.iter().filter_map(|(file, read)| {
        let known = (0..read.path.len()).take_while(|end| is_known(&read.path[..=*end]));
        let known = known.count();
        let near = match read.path.get(known)? {
            Step::Key(key) => nearest(key, beside(values, schema, &read.path[..known])),
            Step::Index(_) => None,
        };
        let is_strange = match read.missing {
            Missing::Asked => false,
            Missing::Falls => {
                let first = read.path.first();
                let is_global = first == Some(&Step::Key("global".to_owned()));
                near.is_some() || known == 0 && !is_global
            }
            Missing::Fails => true,
        };
        let path = chart::dotted_path(&read.path);
        let message = format!("values.{path} is in no default and in no schema");
        let place = Place::line(file, read.line);
        let finding = Finding::new(rule::UNDECLARED_VALUE, place, message);
        let finding = match (near, read.missing) {
            (Some(near), _) => finding.hint(format!("did you mean {near}?")),
            (None, Missing::Fails) => {
                finding.hint("give it a default in values.yaml, or read it by `?.` or `is defined`")
            }
            (None, _) => finding.hint(
                "give it a default in values.yaml or a place in the schema, or ask by `is defined`",
            ),
        };
        is_strange.then_some(finding)
    });
    told.collect()
}

/// The names of what is declared below a path, in the defaults and in the plain properties of the schema.
fn beside<'a>(
    values: &'a Map<String, Value>,
    schema: &'a Value,
    path: &[Step],
) -> impl Iterator<Item = &'a str> {
    let key = |step: &Step| match step {
        Step::Key(key) => Some(key.clone()),
        Step::Index(_) => None,
    };
    let defaults = path.iter().try_fold(values, |map, step| {
        map.get(&key(step)?).and_then(Value::as_object)
    });
    let schema = path.iter().try_fold(schema, |schema, step| {
        schema.get("properties")?.get(key(step)?)
    });
    let properties = schema.and_then(|schema| schema.get("properties")?.as_object());
    let maps = defaults.into_iter().chain(properties);
    maps.flat_map(|map| map.keys().map(String::as_str))
}

/// Whether the defaults have the path, or end in something on the way that says no more.
fn is_default(values: &Map<String, Value>, path: &[Step]) -> bool {
    let Some((Step::Key(key), rest)) = path.split_first() else {
        return true;
    };
    match values.get(key) {
        None => false,
        Some(Value::Object(map)) if !map.is_empty() => is_default(map, rest),
        Some(_) => true,
    }
}

/// Whether a schema speaks of the path. What it says nothing about at all it does not declare.
fn declares(root: &Value, schema: &Value, path: &[Step], depth: usize) -> bool {
    const MAX_DEPTH: usize = 64;
    if depth > MAX_DEPTH {
        return true;
    }
    let Some((step, rest)) = path.split_first() else {
        return *schema != Value::Bool(false);
    };
    let Value::Object(schema) = schema else {
        return *schema == Value::Bool(true);
    };
    let inside = |inner: &Value| declares(root, inner, rest, depth + 1);
    let own = match step {
        Step::Index(_) => schema.get("items").is_some_and(inside),
        Step::Key(key) => {
            let named = schema
                .get("properties")
                .and_then(|properties| properties.get(key));
            let free = ["additionalProperties", "patternProperties"].into_iter();
            let mut free = free.filter_map(|keyword| schema.get(keyword));
            named.is_some_and(inside) || free.any(|free| *free != Value::Bool(false))
        }
    };
    let target = schema.get("$ref").and_then(Value::as_str);
    let target = target.and_then(|at| root.pointer(at.strip_prefix('#')?));
    let branches = ["allOf", "anyOf", "oneOf"].into_iter();
    let branches = branches
        .filter_map(|keyword| schema.get(keyword)?.as_array())
        .flatten();
    let mut others = branches.chain(target);
    own || others.any(|other| declares(root, other, path, depth + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::Metadata;

    fn chart(values: &str, schema: Option<&str>, template: &str) -> Chart {
        let text = "name: a\nversion: 1.0.0\nannotations: {pintle.dev/engine: tera}\n";
        Chart {
            metadata: Metadata::parse(text).unwrap(),
            values: chart::Values::parse(FILE, values).unwrap(),
            values_text: values.to_owned(),
            schema: schema.map(|schema| schema.as_bytes().to_owned()),
            templates: vec![chart::File {
                path: "templates/a.yaml".to_owned(),
                data: template.into(),
            }],
            ..Chart::default()
        }
    }

    #[track_caller]
    fn check(values: &str, schema: Option<&str>, template: &str, expected: &[&str]) {
        let chart = chart(values, schema, template);
        let found = usage(&Tree::of(&chart).unwrap(), values);
        let shown = found.iter().map(|f| format!("{}: {}", f.place, f.message));
        assert_eq!(shown.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn values_that_nothing_reads_are_found() {
        let values = "a:\n  b: 1\n  c: {d: 1}\ne: 1\nglobal: {x: 1}\n";
        let unread = ["values.yaml:3: no template reads a.c"];
        check(values, None, "{{ values.a.b }}{{ values.e }}", &unread);
        check(values, None, "{{ values.a }}{{ values.e }}", &[]);
        check(values, None, "{{ values | to_yaml }}", &[]);
        check("a: 1", None, "x", &["values.yaml:1: no template reads a"]);
        check("l: [{a: 1}]", None, "{{ values.l[0].a }}", &[]);
    }

    #[test]
    fn values_that_values_read_are_used() {
        let values = "t: \"{{ values.z }}\"\nz: 1\nl: ['{{ values.y }}']\ny: 1\n";
        check(
            values,
            None,
            "{{ values.t | tpl }}{{ values.l | first | tpl }}",
            &[],
        );
        check(
            values,
            None,
            "{{ values.t }}{{ values.l }}",
            &[
                "values.yaml:4: no template reads y",
                "values.yaml:2: no template reads z",
            ],
        );
        check(
            "x: 1\nt: '{{ values.z }}'\n",
            None,
            "{{ values.t | tpl }}{{ values.x }}",
            &["values.yaml:2: values.z is in no default and in no schema"],
        );
    }

    #[test]
    fn reads_that_nothing_declares_are_found() {
        let undeclared = "templates/a.yaml:2: values.a.x is in no default and in no schema";
        check(
            "a: {b: 1}",
            None,
            "{{ values.a.b }}\n{{ values.a.x }}",
            &[undeclared],
        );
        check(
            "a: {b: 1}",
            None,
            "{{ values.a.b }}\n{{ values.a?.x }}",
            &[],
        );
        check("a: {}", None, "{{ values.a.x }}", &[]);
        check("a: null", None, "{{ values.a.x }}", &[]);
        let schema = r##"{"$defs": {"a": {"properties": {"x": {}}}}, "properties": {"a": {"$ref": "#/$defs/a"}}}"##;
        check(
            "a: {b: 1}",
            Some(schema),
            "{{ values.a.b }}\n{{ values.a.x }}",
            &[],
        );
        let template = "{{ values.a.b }}\n{{ values.a.y }}";
        let undeclared = "templates/a.yaml:2: values.a.y is in no default and in no schema";
        check("a: {b: 1}", Some(schema), template, &[undeclared]);
    }

    #[test]
    fn misspelt_names_are_found_where_a_missing_value_does_no_harm() {
        let at = "templates/a.yaml:1";
        let undeclared =
            |path: &str| format!("{at}: values.{path} is in no default and in no schema");
        for read in [
            "{% if values.zz %}{% endif %}",
            "{{ values.zz | default(value=1) }}",
            "{{ values | dig(path='zz', default=1) }}",
            "{{ values.zz or 1 }}",
        ] {
            let template = format!("{{{{ values.a }}}}{read}");
            check("a: 1", None, &template, &[&undeclared("zz")]);
            let schema = r#"{"properties": {"zz": {}}}"#;
            check("a: 1", Some(schema), &template, &[]);
        }
        let image = "image: {tag: x, repository: y}";
        let read = |key: &str| {
            format!(
                "{{{{ values.image.tag }}}}{{{{ values.image.repository }}}}{{{{ values.image.{key} or 1 }}}}"
            )
        };
        check(image, None, &read("tga"), &[&undeclared("image.tga")]);
        check(image, None, &read("digest"), &[]);
        check(
            image,
            None,
            "{{ values.image }}{{ values.global.x or 1 }}",
            &[],
        );
        check(
            image,
            None,
            "{{ values.image }}{{ values?.zz }}{% if values.zz is defined %}{% endif %}{{ values.zz | required(message='x') }}",
            &[],
        );
    }

    #[test]
    fn a_schema_that_refers_to_itself_ends() {
        let schema = r##"{"$ref": "#"}"##;
        check("a: 1", Some(schema), "{{ values.a }}{{ values.b }}", &[]);
    }

    #[track_caller]
    fn check_schema(schema: &str, values: &str, expected: &[&str]) {
        let parsed = chart::Values::parse(FILE, values).unwrap();
        let found = match schema::check(schema.as_bytes(), &parsed, &[]) {
            Ok(()) => Vec::new(),
            Err(error) => misfits(error, FILE, values),
        };
        let shown = found
            .iter()
            .map(|f| format!("{} {}: {}", f.rule.id, f.place, f.message));
        assert_eq!(shown.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn schemas_and_values_are_checked() {
        check_schema("{}", "a: 1", &[]);
        check_schema(
            r#"{"properties": {"b": {"type": "string"}}}"#,
            "a: 1\nb: 2\n",
            &["values values.yaml:2: b: must be string, is integer (schema /properties/b/type)"],
        );
        check_schema(
            r#"{"properties": {"a": {"type": 1}}}"#,
            "a: 1",
            &[
                "schema values.schema.json: not a valid schema at /properties/a/type: 1 is not valid \
               under any of the schemas listed in the 'anyOf' keyword",
            ],
        );
    }

    #[test]
    fn what_a_schema_says_is_told() {
        check_schema(
            r#"{"properties": {"a": {"x-kubernetes-validations": [{"rule": "self > 1", "message": "too small"}]}}}"#,
            "a: 1",
            &["values values.yaml:1: a: too small (rule self > 1)"],
        );
        check_schema(
            r#"{"additionalProperties": false}"#,
            "\na: 1",
            &["values values.yaml:2: a: is not a known key (schema /additionalProperties)"],
        );
        check_schema(
            r#"{"properties": {"a": {"x-kubernetes-validations": [{"rule": "self >"}]}}}"#,
            "a: 1",
            &[
                "schema values.schema.json: \"self >\", a rule for a, is not valid CEL: 1:7: Syntax \
               error: mismatched input '<EOF>'",
            ],
        );
        check_schema(
            "{\n\"a\"}",
            "a: 1",
            &["schema values.schema.json:2: not valid JSON: expected `:` at line 2 column 4"],
        );
    }

    #[test]
    fn rules_that_would_never_be_evaluated_are_found() {
        let schema = r##"{"$defs": {"a": {"x-kubernetes-validations": [{"rule": "self > 1"}]}},
            "properties": {"a": {"$ref": "#/$defs/a"}}}"##;
        check_schema(
            schema,
            "a: 1",
            &[
                "schema values.schema.json: a rule for the values stands below $defs, where it is \
               never evaluated; write it below properties, items, additionalProperties or allOf",
            ],
        );
    }
}
