//! CEL rules in a schema.
//!
//! The language and its libraries are those of `x-kubernetes-validations` in custom resource
//! definitions. As there, a key that is no identifier is written escaped (`a-b` as
//! `self.a__dash__b`, `a__b` as `self.a__underscores__b`) unless its mapping has
//! `additionalProperties`.
//!
//! Compiling and evaluating needs the room and the limit on time that [`super::limit`] gives.

mod convert;
mod evaluate;
pub(super) mod inline;
pub(super) mod names;
mod reads;

use kube_cel::{CompilationError, CompiledSchema, compile_schema};
use serde_json::Value;

use super::Error;
use super::violation::Violation;
use evaluate::evaluate;

/// Which rules of a schema are evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    All,
    /// Those that mention `oldSelf`.
    Transitions,
}

/// The rules of a schema, compiled.
#[derive(Debug)]
pub(super) struct Rules {
    which: Which,
    compiled: CompiledSchema,
    /// What they were compiled from.
    inline: Value,
}

impl Rules {
    /// Compiles the rules of `schema`; none if it has no rules at all.
    pub(super) fn compile(schema: &Value, which: Which) -> Result<Option<Self>, Error> {
        let Some(inline) = inline::rules(schema)? else {
            return Ok(None);
        };
        let compiled = compile(&inline, which)?;
        Ok(Some(Self {
            which,
            compiled,
            inline,
        }))
    }

    /// Evaluates the rules over `values`; those that mention `oldSelf` against each of `previous`.
    pub(super) fn check(
        &self,
        values: &Value,
        previous: &[Value],
    ) -> Result<Vec<Violation>, Error> {
        match (self.which, previous) {
            (Which::Transitions, previous) => Ok(each(&self.compiled, values, previous)),
            (Which::All, []) => Ok(evaluate(&self.compiled, values, None)),
            (Which::All, [first]) => Ok(evaluate(&self.compiled, values, Some(first))),
            (Which::All, [first, others @ ..]) => {
                let mut violations = evaluate(&self.compiled, values, Some(first));
                let transitions = compile(&self.inline, Which::Transitions)?;
                violations.extend(each(&transitions, values, others));
                Ok(violations)
            }
        }
    }
}

fn compile(inline: &Value, which: Which) -> Result<CompiledSchema, Error> {
    let mut schema = compile_schema(inline);
    verify(&mut schema, "", Below::Mappings)?;
    if which == Which::Transitions {
        keep_transitions(&mut schema);
    }
    Ok(schema)
}

fn each(schema: &CompiledSchema, values: &Value, previous: &[Value]) -> Vec<Violation> {
    let previous = previous.iter();
    previous
        .flat_map(|old| evaluate(schema, values, Some(old)))
        .collect()
}

/// What a schema node hangs below.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Below {
    Mappings,
    Lists,
}

/// Takes out the first thing that is wrong with a rule.
fn verify(node: &mut CompiledSchema, path: &str, below: Below) -> Result<(), Error> {
    for rule in node.validations.extract_if(.., |rule| rule.is_err()) {
        rule.map_err(|fault| broken(fault, path))?;
    }
    let transition = node
        .validations
        .iter()
        .flatten()
        .any(|rule| rule.is_transition_rule);
    if transition && below == Below::Lists {
        // Items have no identity: what stood at an index before may be another item now.
        let problem = "uses oldSelf below a list; write it for the mapping that has the list";
        return Err(Error::RuleForm {
            path: shown(path),
            problem: problem.to_owned(),
        });
    }
    for (key, child) in &mut node.properties {
        verify(child, &join(path, key), below)?;
    }
    if let Some(items) = &mut node.items {
        verify(items, &format!("{path}[]"), Below::Lists)?;
    }
    if let Some(values) = &mut node.additional_properties {
        verify(values, &join(path, "*"), below)?;
    }
    node.all_of
        .iter_mut()
        .try_for_each(|branch| verify(branch, path, below))
}

fn broken(fault: CompilationError, path: &str) -> Error {
    let path = shown(path);
    match fault {
        CompilationError::Parse {
            rule: expression,
            source: cause,
        }
        | CompilationError::MessageExpressionParse {
            message_expression: expression,
            source: cause,
            ..
        } => Error::Rule {
            path,
            expression,
            cause,
        },
        CompilationError::InvalidRule(cause) => Error::RuleForm {
            path,
            problem: format!("is not written as a rule: {cause}"),
        },
        other => Error::RuleForm {
            path,
            problem: other.to_string(),
        },
    }
}

fn keep_transitions(node: &mut CompiledSchema) {
    node.validations
        .retain(|rule| rule.as_ref().is_ok_and(|rule| rule.is_transition_rule));
    let children = node.properties.values_mut().chain(&mut node.all_of);
    let boxed = node
        .items
        .as_deref_mut()
        .into_iter()
        .chain(node.additional_properties.as_deref_mut());
    children.chain(boxed).for_each(keep_transitions);
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

fn shown(path: &str) -> String {
    if path.is_empty() {
        "the values".to_owned()
    } else {
        path.to_owned()
    }
}
