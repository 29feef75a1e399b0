//! What a rule names and nothing knows: functions, variables, and fields that the schema has not.
//!
//! A schema and the default values come in, what its rules would fail at goes out, as far as the text
//! says so. Whether the rules hold is left to `evaluate`; there, what is not reached is never missed.

use std::collections::BTreeSet;

use kube_cel::KubeCelExt as _;
use kube_cel::cel::common::ast::{
    ComprehensionExpr, EntryExpr, Expr, IdedEntryExpr, IdedExpr, LiteralValue, operators,
};
use kube_cel::cel::{Context, ExecutionError, Program};
use serde_json::{Map, Value};

use super::convert::name;
use super::inline::RULES;
use super::{join, shown};

/// Something that a rule names and that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undefined {
    /// The values that the rule is for.
    pub path: String,
    /// The rule, or its message expression.
    pub expression: String,
    /// What is wrong.
    pub problem: String,
}

/// Finds what the rules of a schema name in vain; `defaults` are the chart's values. What cannot be read
/// as a rule at all is left to compilation.
pub(in super::super) fn undefined(schema: &Value, defaults: &Map<String, Value>) -> Vec<Undefined> {
    let context = Context::default().with_all();
    let mut found = vec![];
    let defaults = Value::Object(defaults.clone());
    let all = Shape {
        schema: Some(schema),
        value: Some(&defaults),
        is_open: false,
    };
    walk((schema, all), "", &mut |path, shape, rule| {
        for key in ["rule", "messageExpression"] {
            let Some(text) = rule.get(key).and_then(Value::as_str) else {
                continue;
            };
            let Ok(program) = Program::compile(text) else {
                continue;
            };
            let is_optional = rule.get("optionalOldSelf") == Some(&Value::Bool(true));
            let mut search = Search {
                context: &context,
                own: shape,
                old: if is_optional { Shape::default() } else { shape },
                asked: BTreeSet::new(),
                scope: vec![],
                problems: BTreeSet::new(),
            };
            search.tests(program.expression());
            search.expression(program.expression());
            found.extend(search.problems.into_iter().map(|problem| Undefined {
                path: shown(path),
                expression: text.to_owned(),
                problem,
            }));
        }
    });
    found
}

/// Goes to every rule that is evaluated, with the values that it is for.
fn walk<'a>(
    (schema, shape): (&'a Value, Shape<'a>),
    path: &str,
    tell: &mut dyn FnMut(&str, Shape<'a>, &'a Value),
) {
    for rule in schema
        .get(RULES)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        tell(path, shape, rule);
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    for (key, child) in properties.into_iter().flatten() {
        let below = Shape {
            schema: Some(child),
            value: shape.value.and_then(|value| value.get(key)),
            is_open: shape.is_open || has_more(schema),
        };
        walk((child, below), &join(path, key), tell);
    }
    if let Some(items) = schema.get("items") {
        walk((items, shape.inner(items)), &format!("{path}[]"), tell);
    }
    if let Some(values) = schema.get("additionalProperties") {
        walk((values, shape.inner(values)), &join(path, "*"), tell);
    }
    for branch in schema
        .get("allOf")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        // What stands beside the branch says more of the same value.
        let open = Shape {
            schema: Some(branch),
            is_open: true,
            ..shape
        };
        walk((branch, open), path, tell);
    }
}

/// Whether other schemas than `properties` say something of the same values.
fn has_more(schema: &Value) -> bool {
    OPEN.iter().any(|keyword| schema.get(keyword).is_some())
}

/// What is known of a value: its schema, and what it is by default.
#[derive(Debug, Clone, Copy, Default)]
struct Shape<'a> {
    schema: Option<&'a Value>,
    value: Option<&'a Value>,
    /// Whether there may be fields that neither has.
    is_open: bool,
}

/// Keywords by which a value may have more fields than `properties` names.
const OPEN: [&str; 11] = [
    "$ref",
    "$dynamicRef",
    "allOf",
    "anyOf",
    "oneOf",
    "if",
    "dependentSchemas",
    "dependencies",
    "patternProperties",
    "unevaluatedProperties",
    "x-kubernetes-preserve-unknown-fields",
];

impl<'a> Shape<'a> {
    /// The field that an expression names; none if the schema says that there is none.
    fn field(self, field: &str) -> Option<Self> {
        let find = |map: Option<&'a Value>| {
            let mut entries = map.and_then(Value::as_object).into_iter().flatten();
            entries
                .find(|(key, _)| name(key) == field)
                .map(|(_, found)| found)
        };
        let own = self.schema.and_then(|schema| schema.get("properties"));
        let is_open = self.is_open || self.schema.is_some_and(has_more);
        let found = Shape {
            schema: find(own),
            value: find(self.value),
            is_open,
        };
        let required = self.schema.and_then(|schema| schema.get("required"));
        let mut required = required.and_then(Value::as_array).into_iter().flatten();
        let is_known = found.schema.is_some()
            || found.value.is_some()
            || required.any(|key| key.as_str().is_some_and(|key| name(key) == field));
        let is_closed = own.is_some()
            && !is_open
            && self.schema.is_some_and(|schema| {
                let more = schema.get("additionalProperties");
                more.is_none_or(|more| *more == Value::Bool(false))
            });
        (is_known || !is_closed).then_some(found)
    }

    /// An item of a list, or an entry of a map, of this schema: those that there are by default may have
    /// any fields.
    fn inner(self, schema: &'a Value) -> Self {
        let is_there = |value: &Value| match value {
            Value::Array(items) => !items.is_empty(),
            Value::Object(map) => !map.is_empty(),
            _ => false,
        };
        Self {
            schema: Some(schema),
            value: None,
            is_open: self.is_open || self.value.is_some_and(is_there),
        }
    }

    /// An item of a list.
    fn item(self) -> Self {
        let items = self.schema.and_then(|schema| schema.get("items"));
        items.map_or_else(Self::default, |items| self.inner(items))
    }
}

/// One expression, and what is found in it.
struct Search<'a> {
    context: &'a Context<'static>,
    own: Shape<'a>,
    old: Shape<'a>,
    /// The fields that are asked for somewhere.
    asked: BTreeSet<String>,
    /// The names that macros bind, innermost last.
    scope: Vec<(String, Shape<'a>)>,
    problems: BTreeSet<String>,
}

impl<'a> Search<'a> {
    /// Collects the fields that are asked for before they are read: by `has`, `in` and the operators of
    /// optional fields.
    fn tests(&mut self, expression: &IdedExpr) {
        if let Expr::Call(call) = &expression.expr
            && [operators::IN, operators::OPT_SELECT, operators::OPT_INDEX]
                .contains(&call.func_name.as_str())
        {
            for asked in &call.args {
                if let Expr::Literal(LiteralValue::String(text)) = &asked.expr {
                    self.asked.insert(text.inner().to_owned());
                }
            }
        }
        if let Expr::Select(select) = &expression.expr
            && select.test
        {
            self.asked.insert(select.field.clone());
        }
        for inner in parts(expression) {
            self.tests(inner);
        }
    }

    /// Looks at an expression, and says what is known of its value.
    fn expression(&mut self, expression: &IdedExpr) -> Shape<'a> {
        match &expression.expr {
            Expr::Ident(name) => return self.variable(name),
            Expr::Select(select) => {
                let operand = self.expression(&select.operand);
                if select.test {
                    return Shape::default();
                }
                if let Some(found) = operand.field(&select.field) {
                    return found;
                }
                if !self.asked.contains(&select.field) {
                    let problem = format!("the schema has no field {} there", select.field);
                    self.problems.insert(problem);
                }
            }
            Expr::Comprehension(all) => self.comprehension(all),
            Expr::Call(call) => {
                let target = call.target.as_deref();
                let prefix = target.and_then(|target| match &target.expr {
                    Expr::Ident(name) if !self.is_variable(name) => Some(name.as_str()),
                    _ => None,
                });
                let is_word = call
                    .func_name
                    .starts_with(|c: char| c.is_ascii_alphabetic());
                if is_word && !self.is_function(prefix, &call.func_name) {
                    let prefix = prefix.map_or(String::new(), |prefix| format!("{prefix}."));
                    let problem = format!("there is no function {prefix}{}", call.func_name);
                    self.problems.insert(problem);
                }
                let inner = target.filter(|_| prefix.is_none()).into_iter();
                for inner in inner.chain(&call.args) {
                    self.expression(inner);
                }
            }
            _ => {
                for inner in parts(expression) {
                    self.expression(inner);
                }
            }
        }
        Shape::default()
    }

    fn comprehension(&mut self, all: &ComprehensionExpr) {
        let range = self.expression(&all.iter_range);
        self.expression(&all.accu_init);
        let depth = self.scope.len();
        self.scope.push((all.iter_var.clone(), range.item()));
        let others = all.iter_var2.iter().chain([&all.accu_var]);
        let others = others.map(|name| (name.clone(), Shape::default()));
        self.scope.extend(others);
        for inner in [&all.loop_cond, &all.loop_step, &all.result] {
            self.expression(inner);
        }
        self.scope.truncate(depth);
    }

    fn is_variable(&self, name: &str) -> bool {
        let is_bound = self.scope.iter().any(|(bound, _)| bound == name);
        is_bound || ["self", "oldSelf"].contains(&name) || self.is_type(name)
    }

    /// Whether the name is one that every expression has, such as `int`.
    fn is_type(&self, name: &str) -> bool {
        name.starts_with('@') || self.context.get_variable(name).is_some()
    }

    fn variable(&mut self, name: &str) -> Shape<'a> {
        let mut scope = self.scope.iter().rev();
        if let Some((_, shape)) = scope.find(|(bound, _)| bound == name) {
            return *shape;
        }
        match name {
            "self" => self.own,
            "oldSelf" => self.old,
            name => {
                if !self.is_type(name) {
                    self.problems.insert(format!("there is no variable {name}"));
                }
                Shape::default()
            }
        }
    }

    /// Whether a function can be called. The evaluator tells only by a call; one without arguments does
    /// nothing.
    fn is_function(&self, prefix: Option<&str>, name: &str) -> bool {
        let call = match prefix {
            Some(prefix) => format!("{prefix}.{name}()"),
            None => format!("{name}()"),
        };
        match Program::compile(&call).map(|program| program.execute(self.context)) {
            Ok(Err(ExecutionError::UndeclaredReference(missing))) => {
                // A macro takes what it is called on for a variable, which is told of by itself.
                *missing != name && Some(missing.as_str()) != prefix
            }
            _ => true,
        }
    }
}

/// The expressions in an expression.
pub(super) fn parts(expression: &IdedExpr) -> Vec<&IdedExpr> {
    match &expression.expr {
        Expr::Call(call) => call
            .target
            .as_deref()
            .into_iter()
            .chain(&call.args)
            .collect(),
        Expr::Comprehension(all) => vec![
            &all.iter_range,
            &all.accu_init,
            &all.loop_cond,
            &all.loop_step,
            &all.result,
        ],
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Map(map) => map.entries.iter().flat_map(entry).collect(),
        Expr::Struct(all) => all.entries.iter().flat_map(entry).collect(),
        Expr::Select(select) => vec![&select.operand],
        Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => vec![],
    }
}

fn entry(entry: &IdedEntryExpr) -> Vec<&IdedExpr> {
    match &entry.expr {
        EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
        EntryExpr::StructField(field) => vec![&field.value],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is wrong with a rule for the values of this schema, by these defaults.
    #[track_caller]
    fn check(rule: &str, defaults: &Value, expected: &[&str]) {
        let schema = serde_json::json!({
            "properties": {
                "a": {"properties": {"b": {"type": "integer"}, "x-y": {}}},
                "open": {"properties": {"b": {}}, "additionalProperties": {}},
                "list": {"items": {"properties": {"n": {}}}},
                "free": {},
            },
            "x-kubernetes-validations": [{"rule": rule}],
        });
        let found = undefined(&schema, defaults.as_object().unwrap());
        let problems: Vec<&str> = found.iter().map(|it| it.problem.as_str()).collect();
        assert_eq!(problems, expected, "{rule}");
    }

    #[test]
    fn what_is_named_is_there() {
        let none = serde_json::json!({});
        for rule in [
            "self.a.b >= oldSelf.a.b",
            "self.a.x__dash__y == 1",
            "self.open.c == 1 && self.free.d.e == 1",
            "self.list.all(x, x.n > 0 && size(self.list) > 1)",
            "self.list.exists_one(x, x.n > 0)",
            "self.list.map(x, x.n).sum() > 0 || self.list.filter(x, x.n > 1).size() == 0",
            "has(self.a.c) ? self.a.c > 1 : true",
            "'x'.matches('y') && quantity('1Gi').isGreaterThan(quantity('1'))",
            "optional.of(1).hasValue() && int(self.a.b) == 1",
            "isURL('x') && ip('1.2.3.4').family() == 4 && 'a,b'.split(',').size() == 2",
            "duration('1h') > duration('1m') && math.greatest(1, 2) == 2",
            "self.open.map(k, self.open[k])[0] == {'a': [1]}['a']",
        ] {
            check(rule, &none, &[]);
        }
        let more = serde_json::json!({"a": {"c": 1}, "z": {"y": 2}});
        check("self.a.c > 0 && self.z.y > 0", &more, &[]);
    }

    #[test]
    fn what_is_named_in_vain_is_found() {
        let none = serde_json::json!({});
        check("foo(self) >= 1", &none, &["there is no function foo"]);
        check("self.a.foo()", &none, &["there is no function foo"]);
        check("sefl.a.b > 1", &none, &["there is no variable sefl"]);
        check(
            "cel.bind(x, 1, x > 0)",
            &none,
            &["there is no function cel.bind", "there is no variable x"],
        );
        let field = "the schema has no field c there";
        check("self.a.c >= oldSelf.a.c", &none, &[field]);
        check("self.list.all(x, x.c > 0)", &none, &[field]);
        check(
            "self.list.all(x, y > 0)",
            &none,
            &["there is no variable y"],
        );
        check("[self.a.c, {'x': self.a.c}] == []", &none, &[field]);
    }
}
