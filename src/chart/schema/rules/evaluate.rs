//! Evaluating compiled rules over values.

use std::sync::Arc;

use kube_cel::cel::objects::OptionalValue;
use kube_cel::cel::{Context, ExecutionError, Value as Cel};
use kube_cel::{CompilationResult, CompiledSchema, KubeCelExt as _};
use serde_json::Value;

use super::convert::{below, cel};
use super::reads::reads;
use crate::chart::path;
use crate::chart::schema::violation::{Reason, Source, Violation};
use crate::yaml::Step;

/// Evaluates every rule at each value that it is for; those that mention `oldSelf` only where
/// `previous` has the value as well, unless they say that it is optional.
pub(super) fn evaluate(
    schema: &CompiledSchema,
    values: &Value,
    previous: Option<&Value>,
) -> Vec<Violation> {
    let context = Context::default().with_all();
    let mut walk = Walk {
        context: &context,
        path: vec![],
        found: vec![],
    };
    walk.node(schema, values, previous);
    walk.found
}

struct Walk<'a> {
    context: &'a Context<'static>,
    path: Vec<Step>,
    found: Vec<Violation>,
}

impl Walk<'_> {
    fn node(&mut self, schema: &CompiledSchema, value: &Value, old: Option<&Value>) {
        if !schema.validations.is_empty() {
            let old = old.map(|old| cel(old, Some(schema)));
            let this = (value, cel(value, Some(schema)));
            let rules = schema.validations.iter().flatten();
            let found = rules.filter_map(|rule| self.rule(rule, &this, old.as_ref()));
            let found: Vec<_> = found.collect();
            self.found.extend(found);
        }
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    if let Some(schema) = below(schema, key) {
                        let old = old.and_then(|old| old.get(key));
                        self.below(Step::Key(key.clone()), |walk| walk.node(schema, value, old));
                    }
                }
            }
            Value::Array(items) => {
                for (index, value) in items.iter().enumerate() {
                    if let Some(schema) = &schema.items {
                        let old = old.and_then(|old| old.get(index));
                        self.below(Step::Index(index), |walk| walk.node(schema, value, old));
                    }
                }
            }
            _ => {}
        }
        for branch in &schema.all_of {
            self.node(branch, value, old);
        }
    }

    fn below(&mut self, step: Step, work: impl FnOnce(&mut Self)) {
        self.path.push(step);
        work(self);
        self.path.pop();
    }

    /// Evaluates a rule for a value, as it is and as CEL sees it.
    fn rule(
        &self,
        rule: &CompilationResult,
        (value, this): &(&Value, Cel),
        old: Option<&Cel>,
    ) -> Option<Violation> {
        let is_optional = rule.rule.optional_old_self == Some(true);
        let old = match (is_optional, old) {
            (false, old) => old.cloned(),
            (true, Some(old)) => Some(opaque(OptionalValue::of(old.clone()))),
            (true, None) => Some(opaque(OptionalValue::none())),
        };
        if rule.is_transition_rule && old.is_none() {
            return None;
        }
        let mut context = self.context.new_inner_scope();
        context.add_variable_from_value("self", this.clone());
        if let Some(old) = old {
            context.add_variable_from_value("oldSelf", old);
        }
        let text = &rule.rule.rule;
        let (reason, expected) = match rule.program.execute(&context) {
            Ok(Cel::Bool(true)) => return None,
            Ok(Cel::Bool(false)) => (Reason::Rule, message(rule, &context)),
            Ok(_) => {
                let problem = "which gives neither true nor false";
                (
                    Reason::BrokenRule,
                    format!("has the rule {text:?}, {problem}"),
                )
            }
            Err(error) => {
                let problem = problem(&error);
                let expected = format!("has the rule {text:?}, which fails{problem}");
                (Reason::BrokenRule, expected)
            }
        };
        let field = rule.rule.field_path.as_deref().unwrap_or_default();
        let below = |steps: Vec<Step>| path::dotted(&[self.path.as_slice(), &steps].concat());
        let reads = reads(rule.program.expression(), value).into_iter();
        Some(Violation {
            path: below(path::parse(field)),
            expected,
            rule: text.clone(),
            reason,
            chart: String::new(),
            origin: None,
            reads: reads.map(|path| Source::at(below(path))).collect(),
        })
    }
}

fn opaque(value: OptionalValue) -> Cel {
    Cel::Opaque(Arc::new(value))
}

/// What the rule says of values that do not fit it.
fn message(rule: &CompilationResult, context: &Context<'_>) -> String {
    let computed = rule.message_program.as_ref();
    match computed.map(|program| program.execute(context)) {
        Some(Ok(Cel::String(text))) => text.to_string(),
        _ => rule.rule.message.clone().unwrap_or_default(),
    }
}

/// Says why an evaluation failed, leaving out everything that can hold values.
fn problem(error: &ExecutionError) -> String {
    match error {
        ExecutionError::NoSuchKey(key) => format!(": there is no {key}"),
        ExecutionError::UndeclaredReference(name) => format!(": {name} is not defined"),
        ExecutionError::UnexpectedType { got, want } => format!(": {want} needed, {got} found"),
        ExecutionError::FunctionError { function, .. } => format!(" in {function}"),
        ExecutionError::UnsupportedBinaryOperator(operator, ..)
        | ExecutionError::UnsupportedUnaryOperator(operator, _) => {
            format!(": {operator} does not fit its operands")
        }
        ExecutionError::ValuesNotComparable(..) => ": it compares different types".to_owned(),
        ExecutionError::NoSuchOverload => ": the types do not fit".to_owned(),
        ExecutionError::IndexOutOfBounds(_) => ": an index is out of bounds".to_owned(),
        _ => String::new(),
    }
}
