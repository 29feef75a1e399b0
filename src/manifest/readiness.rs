//! Readiness by expressions: what a chart says of when a resource is ready, and when it has failed.
//!
//! The annotations are those of Helm's HIP-0025. Each is a JSON list of expressions
//! `{path} operator value`: a `JSONPath` of Kubernetes that begins at `.status`, one of `==`, `!=`, `<`,
//! `<=`, `>` and `>=`, and a string, number or boolean. Both annotations are there, or neither. A
//! resource is ready when any expression of `helm.sh/readiness-success` holds, and has failed when any
//! of `helm.sh/readiness-failure` does, which comes first. An expression holds when any value that its
//! path finds compares so; where it finds none, it does not, whatever the operator.
//!
//! A body comes in, its expressions go out. What they say of a live resource is left to `health`.

mod operator;
mod path;

use std::fmt;

use serde_json::Value;

use super::annotation;
use operator::Operator;
use path::Path;

/// The annotation with the expressions of which one has to hold.
pub const SUCCESS: &str = "helm.sh/readiness-success";
/// The annotation with the expressions of which none may hold.
pub const FAILURE: &str = "helm.sh/readiness-failure";

/// Annotations that say nothing clear.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// One annotation is there without the other.
    #[error("{present} without {absent}: give both or neither; {absent}: '[]' never holds")]
    Alone {
        /// The one that is there.
        present: &'static str,
        /// The one that is not.
        absent: &'static str,
    },
    /// An annotation is not a JSON list of strings.
    #[error(
        "{annotation} is {found:?}, not a JSON list of expressions such as [\"{{.phase}} == Ready\"]"
    )]
    List {
        /// The annotation.
        annotation: &'static str,
        /// What it says.
        found: String,
    },
    /// Nothing can make the resource ready.
    #[error("{SUCCESS} is an empty list, so that the resource is never ready")]
    Never,
    /// An expression is none.
    #[error("{annotation}: {expression:?}: {message}")]
    Expression {
        /// The annotation.
        annotation: &'static str,
        /// The expression.
        expression: String,
        /// What is wrong with it.
        message: String,
    },
}

/// When a resource is ready, and when it has failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Readiness {
    /// One of these has to hold.
    pub success: Vec<Expression>,
    /// None of these may hold.
    pub failure: Vec<Expression>,
}

impl Readiness {
    /// Reads the annotations of a resource; none where it has neither.
    ///
    /// # Errors
    /// If one is there without the other, is no list, or has an expression that is none.
    pub fn of(body: &Value) -> Result<Option<Self>, Error> {
        let read = |key| annotation(body, key).filter(|text| !text.trim().is_empty());
        let (success, failure) = match (read(SUCCESS), read(FAILURE)) {
            (None, None) => return Ok(None),
            (Some(success), Some(failure)) => (success, failure),
            (Some(_), None) => return Err(alone(SUCCESS, FAILURE)),
            (None, Some(_)) => return Err(alone(FAILURE, SUCCESS)),
        };
        let success = expressions(SUCCESS, success)?;
        if success.is_empty() {
            return Err(Error::Never);
        }
        let failure = expressions(FAILURE, failure)?;
        Ok(Some(Self { success, failure }))
    }
}

fn alone(present: &'static str, absent: &'static str) -> Error {
    Error::Alone { present, absent }
}

fn expressions(annotation: &'static str, text: &str) -> Result<Vec<Expression>, Error> {
    let list: Result<Vec<String>, _> = serde_json::from_str(text);
    let list = list.map_err(|_| Error::List {
        annotation,
        found: text.to_owned(),
    })?;
    let read = list.into_iter().map(|expression| {
        Expression::parse(&expression).map_err(|message| Error::Expression {
            annotation,
            expression,
            message,
        })
    });
    read.collect()
}

/// One comparison of what a path finds in a status.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    text: String,
    path: Path,
    operator: Operator,
    value: String,
    /// Whether the value stands in quotes.
    is_quoted: bool,
}

/// As it is written.
impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Expression {
    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let rest = text
            .strip_prefix('{')
            .ok_or("it begins with a path in braces, such as {.phase}")?;
        let end = path::outside_quotes(rest, '}').ok_or("the brace of its path is not closed")?;
        let path = Path::parse(rest[..end].trim())?;
        let rest = rest[end + 1..].trim_start();
        let (operator, value) =
            Operator::cut(rest).ok_or("behind the path comes one of ==, !=, <, <=, > and >=")?;
        let written = value.trim();
        let value = scalar(written)?;
        if operator.is_ordering() && number(value).is_none() {
            return Err(format!("only numbers have an order, and {value:?} is none"));
        }
        Ok(Self {
            text: text.to_owned(),
            path,
            operator,
            value: value.to_owned(),
            is_quoted: value != written,
        })
    }

    /// Whether it holds of a status.
    pub fn holds(&self, status: &Value) -> bool {
        let found = self.path.find(status);
        found.into_iter().any(|value| self.compares(value))
    }

    /// Whether what was found compares so with what is written: as text where both are, or else as numbers
    /// if both look like that. An order is always one of numbers.
    fn compares(&self, found: &Value) -> bool {
        let is_text = found.is_string() && self.is_quoted && !self.operator.is_ordering();
        let found = match found {
            Value::String(text) => text.clone(),
            Value::Number(_) | Value::Bool(_) => found.to_string(),
            // Objects are not compared.
            Value::Null | Value::Array(_) | Value::Object(_) => return false,
        };
        let written = self.value.as_str();
        let whole = (found.parse::<i64>(), written.parse::<i64>());
        let order = match (whole, number(&found), number(written)) {
            _ if is_text => Some(found.as_str().cmp(written)),
            ((Ok(found), Ok(written)), ..) => Some(found.cmp(&written)),
            (_, Some(found), Some(written)) => found.partial_cmp(&written),
            _ if self.operator.is_ordering() => None,
            _ => Some(found.as_str().cmp(written)),
        };
        order.is_some_and(|order| self.operator.accepts(order))
    }
}

/// A value without its quotes.
fn scalar(text: &str) -> Result<&str, String> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''));
    match quote {
        _ if text.is_empty() => Err("behind the operator comes a value".to_owned()),
        Some(quote) => text[1..]
            .strip_suffix(quote)
            .filter(|inner| !inner.contains(quote))
            .ok_or_else(|| format!("the quotes of {text} do not match")),
        None if text.starts_with(['{', '[']) => {
            Err("a value is a string, a number or a boolean".to_owned())
        }
        None => Ok(text),
    }
}

/// A text as a number, if it is one that has an order.
fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Whether an expression holds of a status, or what is wrong with it.
    #[track_caller]
    fn check(expression: &str, expected: Result<bool, &str>) {
        let status = json!({
            "phase": "Running", "succeeded": 2, "ratio": 0.5, "text": "10", "done": true,
            "nothing": null, "version": "1.10", "commit": "12000", "odd": "NaN", "a.b": "dotted", "big": 9_007_199_254_740_993_i64,
            "conditions": [
                {"type": "Ready", "status": "False", "n": 1},
                {"type": "Synced", "status": "True", "n": 5},
            ],
            "nested": {"items": [{"x": {"deep": 7}}, {"x": {"deep": 8}}]},
            "status": "inner",
        });
        let found = Expression::parse(expression).map(|one| one.holds(&status));
        assert_eq!(
            found.as_ref().map_err(String::as_str),
            expected.as_ref().map_err(|m| *m)
        );
    }

    #[test]
    fn values_are_compared_as_numbers_or_as_text() {
        check("{.phase} == Running", Ok(true));
        check("{.phase} == \"Running\"", Ok(true));
        check("{.phase}=='Running'", Ok(true));
        check("{ .phase } != Running", Ok(false));
        check("{.phase} == running", Ok(false));
        check("{.succeeded} == 2", Ok(true));
        check("{.succeeded} == 2.0", Ok(true));
        check("{.succeeded} >= 2", Ok(true));
        check("{.succeeded} > 2", Ok(false));
        check("{.succeeded} <= 1", Ok(false));
        check("{.ratio} < 1", Ok(true));
        check("{.text} > 9", Ok(true));
        check("{.done} == true", Ok(true));
        check("{.done} != true", Ok(false));
        check("{.big} == 9007199254740992", Ok(false));
        check("{.text} == 10.0", Ok(true));
        check("{.version} == 1.1", Ok(true));
        check("{.version} == \"1.1\"", Ok(false));
        check("{.version} != '1.10'", Ok(false));
        check("{.version} > '1.05'", Ok(true));
        check("{.commit} == '12e3'", Ok(false));
        check("{.succeeded} == '2'", Ok(true));
        check("{.odd} == NaN", Ok(true));
    }

    #[test]
    fn what_is_not_there_or_no_scalar_never_compares() {
        for operator in ["==", "!=", "<", ">"] {
            check(&format!("{{.none}} {operator} 1"), Ok(false));
            check(&format!("{{.nothing}} {operator} 1"), Ok(false));
            check(&format!("{{.nested}} {operator} 1"), Ok(false));
        }
        check("{.phase} > 1", Ok(false));
    }

    #[test]
    fn paths_are_those_of_kubernetes() {
        check("{.conditions[0].type} == Ready", Ok(true));
        check("{.conditions[-1].type} == Synced", Ok(true));
        check("{.conditions[1:].type} == Ready", Ok(false));
        check("{.conditions[7].type} == Ready", Ok(false));
        check("{.conditions[*].status} == True", Ok(true));
        check(
            "{.conditions[?(@.type==\"Ready\")].status} == True",
            Ok(false),
        );
        check(
            "{.conditions[?(@.type == 'Synced')].status} == True",
            Ok(true),
        );
        check("{.conditions[?(@.n > 1)].type} == Synced", Ok(true));
        check("{.conditions[?(@.message)].type} == Synced", Ok(false));
        check("{.conditions[?(@.type=='a}b')].type} == x", Ok(false));
        check("{.conditions[0,1].n} == 5", Ok(true));
        check("{.conditions[?(@.type[0]=='Ready')].n} == 1", Ok(false));
        check("{..deep} == 8", Ok(true));
        check("{.nested.*[1].x.deep} == 8", Ok(true));
        check("{.a\\.b} == dotted", Ok(true));
        check("{['a.b']} == dotted", Ok(true));
        check("{['phase','text']} == 10", Ok(true));
        check("{$.phase} == Running", Ok(true));
        check("{['status']} == inner", Ok(true));
    }

    #[test]
    fn what_is_no_expression_is_refused() {
        check("", Err("it begins with a path in braces, such as {.phase}"));
        check(
            ".phase == Running",
            Err("it begins with a path in braces, such as {.phase}"),
        );
        check(
            "{.phase == Running",
            Err("the brace of its path is not closed"),
        );
        check(
            "{.phase} = Running",
            Err("behind the path comes one of ==, !=, <, <=, > and >="),
        );
        check(
            "{.phase}",
            Err("behind the path comes one of ==, !=, <, <=, > and >="),
        );
        check("{.phase} ==", Err("behind the operator comes a value"));
        check("{.phase} == 'a", Err("the quotes of 'a do not match"));
        check(
            "{.phase} == {}",
            Err("a value is a string, a number or a boolean"),
        );
        check(
            "{.phase} > high",
            Err("only numbers have an order, and \"high\" is none"),
        );
        check("{} == 1", Err("the path is empty"));
        check(
            "{phase} == 1",
            Err("a path begins with . or [, not with \"phase\""),
        );
        check(
            "{.status.phase} == Running",
            Err("a path begins at .status, so it is {.phase}"),
        );
        check("{.a[} == 1", Err("a bracket is not closed"));
        check(
            "{.a[x]} == 1",
            Err("[x] is no index, range, name in quotes, * or filter"),
        );
        check("{.a[::-1]} == 1", Err("[::-1] does not go forward"));
        check("{.a.} == 1", Err("a name is missing behind a dot"));
        check(
            "{.a > nan} == 1",
            Err("a name has no ' ' without a backslash"),
        );
        check(
            "{.a?(@.b)} == 1",
            Err("a name has no '?' without a backslash"),
        );
        check("{.a]} == 1", Err("a name has no ']' without a backslash"));
        check(
            "{.a} > nan",
            Err("only numbers have an order, and \"nan\" is none"),
        );
        check("{.a[?(@.b=~'x')]} == 1", Err("?(@.b=~'x') is no filter"));
    }

    #[track_caller]
    fn check_annotations(success: Option<&str>, failure: Option<&str>, expected: &str) {
        let body = json!({"metadata": {"annotations": {(SUCCESS): success, (FAILURE): failure}}});
        let read = match Readiness::of(&body) {
            Ok(None) => "none".to_owned(),
            Ok(Some(read)) => format!("{} and {}", read.success.len(), read.failure.len()),
            Err(error) => error.to_string(),
        };
        assert_eq!(read, expected);
    }

    #[test]
    fn both_annotations_are_there_or_neither() {
        let one = Some(r#"["{.a} == 1"]"#);
        check_annotations(None, None, "none");
        check_annotations(Some(" "), Some(""), "none");
        check_annotations(Some(r#"["{.a} == 1", "{.b} == 1"]"#), one, "2 and 1");
        check_annotations(one, Some("[]"), "1 and 0");
        check_annotations(
            one,
            None,
            "helm.sh/readiness-success without helm.sh/readiness-failure: give both or neither; \
             helm.sh/readiness-failure: '[]' never holds",
        );
        check_annotations(
            Some("[]"),
            one,
            "helm.sh/readiness-success is an empty list, so that the resource is never ready",
        );
        check_annotations(
            Some("{.a} == 1"),
            one,
            "helm.sh/readiness-success is \"{.a} == 1\", not a JSON list of expressions such as \
             [\"{.phase} == Ready\"]",
        );
        check_annotations(
            one,
            Some(r#"["{.a}"]"#),
            "helm.sh/readiness-failure: \"{.a}\": behind the path comes one of ==, !=, <, <=, > and >=",
        );
    }
}
