//! Checking values against a chart's `values.schema.json`.
//!
//! The schema's bytes and final values come in, every violation goes out at once. The file is
//! JSON Schema (drafts 4 to 2020-12) and may carry `x-kubernetes-validations`: CEL rules with
//! `self` and `oldSelf`, as in a custom resource definition. Nothing outside of the file is ever
//! read. Which values ran before is left to the callers.

mod cost;
mod describe;
mod global;
mod limit;
mod nearest;
mod recorded;
mod refs;
mod rules;
mod tree;
mod violation;

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::Values;
use super::values::Origins;
use rules::{Rules, Which};

pub use recorded::{RecordedSchema, Unasked};
pub use refs::{RuleBelowRef, rules_below_refs};
pub use rules::names::Undefined;
pub use tree::Schemas;
pub use violation::{Reason, Source, Violation};

/// Values nested deeper than this are refused before anything recursive looks at them.
const MAX_DEPTH: usize = 200;
/// No more violations than this are looked at.
const MAX_VIOLATIONS: usize = 1000;

/// Values that do not fit a schema, or a schema that is itself wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The schema is not JSON.
    #[error("values.schema.json: not valid JSON")]
    Json(#[source] serde_json::Error),
    /// The schema breaks the rules of its own language.
    #[error("values.schema.json: not a valid schema at {at}: {problem}")]
    Invalid {
        /// The place in the schema, as a JSON pointer.
        at: String,
        /// What is wrong there.
        problem: String,
    },
    /// The schema refers to another document.
    #[error("values.schema.json refers to {reference}: it can only refer to itself")]
    Reference {
        /// The address of the other document.
        reference: String,
    },
    /// A CEL expression of a rule is wrong.
    #[error("values.schema.json: {expression:?}, a rule for {path}, is not valid CEL")]
    Rule {
        /// The values that the rule is for.
        path: String,
        /// The rule or its message expression.
        expression: String,
        /// What the CEL parser says.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A rule is not written as one, is too complex, or stands where it would not be evaluated.
    #[error("values.schema.json: a rule for {path} {problem}")]
    RuleForm {
        /// The values that the rule is for.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The rules could not be evaluated at all.
    #[error("the rules in values.schema.json cannot be evaluated: {problem}")]
    Evaluator {
        /// Why not.
        problem: &'static str,
    },
    /// Its alternatives multiply.
    #[error(
        "values.schema.json: {at} leads to more than {} schemas for one and the same value",
        cost::MAX_REACH
    )]
    TooWide {
        /// The place in the schema, as a JSON pointer.
        at: String,
    },
    /// Checking takes too long.
    #[error(
        "checking the values by values.schema.json takes too long: \
         its rules or alternatives are too expensive"
    )]
    TooSlow,
    /// The values are nested too deeply.
    #[error("values are nested more than {MAX_DEPTH} levels deep")]
    TooDeep,
    /// The values break the schema or its rules; sorted by path, never empty.
    #[error("values do not fit {}:{}", violation::schemas(.0), violation::list(.0))]
    Violations(Vec<Violation>),
    /// The schema of a subchart cannot be used.
    #[error("cannot check the values of the subchart {chart}")]
    Subchart {
        /// The subchart's folder.
        chart: String,
        /// What is wrong.
        #[source]
        cause: Box<Self>,
    },
}

impl Error {
    /// Adds to each violation which of the layers its value came from.
    #[must_use]
    pub fn traced(mut self, origins: &Origins) -> Self {
        if let Self::Violations(violations) = &mut self {
            for violation in violations {
                violation.trace(origins);
            }
        }
        self
    }
}

/// A `values.schema.json` that is read and compiled, to check any number of values.
#[derive(Debug, Clone)]
pub struct Schema {
    compiled: Arc<Compiled>,
}

#[derive(Debug)]
struct Compiled {
    document: Value,
    validator: jsonschema::Validator,
    rules: Option<Rules>,
}

impl Schema {
    /// Reads and compiles a schema and its rules.
    ///
    /// # Errors
    /// If the schema or one of its rules is wrong, or that cannot be told in time.
    pub fn compile(text: &[u8]) -> Result<Self, Error> {
        let document = parse(text)?;
        let compiled = limit::limited(limit::TIME, || Compiled::of(document))??;
        Ok(Self {
            compiled: Arc::new(compiled),
        })
    }

    /// Checks final values against the schema and the rules in it.
    ///
    /// `previous` are the final values of the last deployed revision and of every failed or
    /// pending one since: rules that mention `oldSelf` must hold against each of them. Without
    /// previous values they are skipped, as Kubernetes does on creation.
    ///
    /// # Errors
    /// If the values are too deep, if checking them takes too long, or with all violations.
    pub fn check(&self, values: &Values, previous: &[&Values]) -> Result<(), Error> {
        let (values, previous) = (instance(&values.0)?, instances(previous)?);
        outcome(self.judge(values, previous, Global::Judged)?)
    }

    /// Finds what is wrong with `values`.
    fn judge(
        &self,
        values: Value,
        previous: Vec<Value>,
        global: Global,
    ) -> Result<Vec<Violation>, Error> {
        let compiled = Arc::clone(&self.compiled);
        limit::limited(limit::TIME, move || {
            compiled.check(&values, &previous, global)
        })?
    }
}

/// Whether a schema that does not speak of the key `global` judges it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Global {
    Judged,
    /// It may be there: it comes from, or is for, another chart.
    Allowed,
}

impl Compiled {
    fn of(document: Value) -> Result<Self, Error> {
        cost::check_schema(&document)?;
        // Expressions take time in proportion to the text, as in Helm: no backtracking.
        let validator = jsonschema::options()
            .offline()
            .with_pattern_options(jsonschema::PatternOptions::regex())
            .build(&document)
            .map_err(|e| invalid(&e))?;
        let rules = Rules::compile(&document, Which::All)?;
        Ok(Self {
            document,
            validator,
            rules,
        })
    }

    fn check(
        &self,
        values: &Value,
        previous: &[Value],
        global: Global,
    ) -> Result<Vec<Violation>, Error> {
        cost::check_values(&self.document, values)?;
        let judged = match global {
            Global::Allowed if !global::is_known(&self.document) => global::without(values),
            _ => Cow::Borrowed(values),
        };
        let mut violations: Vec<_> = self
            .validator
            .iter_errors(&judged)
            .take(MAX_VIOLATIONS)
            .flat_map(|error| describe::violations(&error, &self.document, &judged))
            .collect();
        if let Some(rules) = &self.rules {
            violations.extend(rules.check(values, previous)?);
        }
        Ok(violations)
    }
}

/// Checks final values against a chart's schema and the rules in it. Whoever checks by the same
/// schema more than once compiles it as a [`Schema`] instead.
///
/// # Errors
/// As [`Schema::compile`] and [`Schema::check`].
pub fn check(schema: &[u8], values: &Values, previous: &[&Values]) -> Result<(), Error> {
    Schema::compile(schema)?.check(values, previous)
}

/// Finds what the CEL rules of a schema name and nothing knows: functions, variables, and fields that
/// neither the schema nor the defaults have. A rule fails where it gets there, so [`Schema::compile`] does
/// not refuse it.
///
/// # Errors
/// If the schema is not JSON, or that cannot be told in time.
pub fn undefined_in_rules(schema: &[u8], defaults: &Values) -> Result<Vec<Undefined>, Error> {
    let document = parse(schema)?;
    let Values(defaults) = defaults.clone();
    limit::limited(limit::TIME, move || {
        // What is too deep or too long for the parser is no schema with rules.
        match rules::inline::rules(&document)? {
            Some(_) => Ok(rules::names::undefined(&document, &defaults)),
            None => Ok(vec![]),
        }
    })?
}

fn parse(schema: &[u8]) -> Result<Value, Error> {
    serde_json::from_slice(schema).map_err(Error::Json)
}

fn instances(values: &[&Values]) -> Result<Vec<Value>, Error> {
    values.iter().map(|values| instance(&values.0)).collect()
}

fn instance(values: &Map<String, Value>) -> Result<Value, Error> {
    let too_deep = values.values().any(|value| is_deeper(value, MAX_DEPTH - 1));
    if too_deep {
        Err(Error::TooDeep)
    } else {
        Ok(Value::Object(values.clone()))
    }
}

fn is_deeper(value: &Value, limit: usize) -> bool {
    let inner = |value: &Value| limit == 0 || is_deeper(value, limit - 1);
    match value {
        Value::Array(items) => items.iter().any(inner),
        Value::Object(map) => map.values().any(inner),
        _ => false,
    }
}

fn invalid(error: &jsonschema::ValidationError<'_>) -> Error {
    use jsonschema::ReferencingError;
    use jsonschema::error::ValidationErrorKind;
    if let ValidationErrorKind::Referencing(ReferencingError::Unretrievable { uri, .. }) =
        error.kind()
    {
        return Error::Reference {
            reference: uri.clone(),
        };
    }
    let at = error.instance_path().as_str();
    let at = if at.is_empty() {
        "its root".to_owned()
    } else {
        at.to_owned()
    };
    Error::Invalid {
        at,
        problem: error.to_string(),
    }
}

fn outcome(mut violations: Vec<Violation>) -> Result<(), Error> {
    violations.sort();
    violations.dedup();
    if violations.is_empty() {
        Ok(())
    } else {
        Err(Error::Violations(violations))
    }
}

#[cfg(test)]
mod tests;
