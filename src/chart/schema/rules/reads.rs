//! Which values a rule looks at.
//!
//! An expression and the value that it is about come in, the paths of what it reads below `self` go out, so that
//! a rule that speaks of several values can be told with where each of them came from.

use kube_cel::cel::common::ast::{Expr, IdedExpr, LiteralValue, operators};
use serde_json::Value;

use super::convert::name;
use super::names::parts;
use crate::yaml::Step;

/// The paths below `value` that the expression reads, in its order. What has no fixed path, such as what a
/// macro goes through, is told by the list or mapping that it is in.
pub(super) fn reads(expression: &IdedExpr, value: &Value) -> Vec<Vec<Step>> {
    let mut found = vec![];
    collect(expression, value, &mut found);
    let mut kept: Vec<Vec<Step>> = vec![];
    for path in &found {
        let is_covered = found
            .iter()
            .any(|other| other.len() > path.len() && other.starts_with(path));
        if !is_covered && !kept.contains(path) {
            kept.push(path.clone());
        }
    }
    kept
}

fn collect(expression: &IdedExpr, value: &Value, found: &mut Vec<Vec<Step>>) {
    match path(expression, value) {
        Some((path, _)) if !path.is_empty() => found.push(path),
        _ => {
            for inner in parts(expression) {
                collect(inner, value, found);
            }
        }
    }
}

/// The path that the expression names, with the value that is there; none if it is something else.
fn path<'v>(expression: &IdedExpr, value: &'v Value) -> Option<(Vec<Step>, Option<&'v Value>)> {
    let (operand, step) = match &expression.expr {
        Expr::Ident(name) => return (name == "self").then_some((vec![], Some(value))),
        Expr::Select(select) => (&*select.operand, Step::Key(select.field.clone())),
        Expr::Call(call) if INDEXES.contains(&call.func_name.as_str()) => {
            let [operand, index] = call.args.as_slice() else {
                return None;
            };
            (operand, literal(index)?)
        }
        _ => return None,
    };
    let (mut path, value) = path(operand, value)?;
    let (step, inner) = match step {
        Step::Key(field) => {
            let mut entries = value.and_then(Value::as_object).into_iter().flatten();
            let entry = entries.find(|(key, _)| **key == field || name(key) == field);
            let key = entry.map_or(field, |(key, _)| key.clone());
            (Step::Key(key), entry.map(|(_, inner)| inner))
        }
        Step::Index(index) => (Step::Index(index), value.and_then(|list| list.get(index))),
    };
    path.push(step);
    Some((path, inner))
}

/// The operators by which a field or an item is named.
const INDEXES: [&str; 3] = [
    operators::INDEX,
    operators::OPT_INDEX,
    operators::OPT_SELECT,
];

fn literal(index: &IdedExpr) -> Option<Step> {
    match &index.expr {
        Expr::Literal(LiteralValue::String(key)) => Some(Step::Key(key.inner().to_owned())),
        Expr::Literal(LiteralValue::Int(index)) => {
            usize::try_from(*index.inner()).ok().map(Step::Index)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::path::dotted;
    use kube_cel::cel::Program;

    #[track_caller]
    fn check(rule: &str, expected: &[&str]) {
        let value =
            serde_json::json!({"a": {"x-y": 1, "b": 2}, "list": [{"n": 1}], "map": {"k": 1}});
        let program = Program::compile(rule).unwrap();
        let found = reads(program.expression(), &value);
        let found: Vec<String> = found.iter().map(|path| dotted(path)).collect();
        assert_eq!(found, expected, "{rule}");
    }

    #[test]
    fn a_rule_reads_what_it_names_below_self() {
        check("self.a.b <= self.map.k", &["a.b", "map.k"]);
        check("self.map.k > 0 && self.a.b > self.map.k", &["map.k", "a.b"]);
        check("has(self.a.b) ? self.a.b > 1 : true", &["a.b"]);
        check("self.a.x__dash__y == 1 || self.a['x-y'] == 2", &["a.x-y"]);
        check("self.list[0].n == 1", &["list[0].n"]);
        check("self.list.all(x, x.n > self.a.b)", &["list", "a.b"]);
        check("size(self.a) > 1 && self.a.b == 1", &["a.b"]);
        check("self.a.b >= oldSelf.a.b", &["a.b"]);
        check("self.missing.deep == 1", &["missing.deep"]);
        check("self == oldSelf", &[]);
        check("size(self) < 3", &[]);
    }
}
