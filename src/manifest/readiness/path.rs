//! `JSONPath` in the dialect of Kubernetes (<https://kubernetes.io/docs/reference/kubectl/jsonpath/>):
//! names with escaped dots, brackets with indexes, ranges, names, `*` and filters of one comparison, and
//! `..`. RFC 9535, which libraries implement, has neither the escapes nor names with dashes, and other
//! filters.

use std::collections::HashSet;

use serde_json::Value;

use super::operator::Operator;

/// A way into a value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Path(Vec<Step>);

#[derive(Debug, Clone, PartialEq)]
enum Step {
    /// The fields of these names.
    Names(Vec<String>),
    /// The items at these places, from the end if they are negative.
    Indexes(Vec<i64>),
    /// The items from one place to before another, and only each of so many.
    Range(Option<i64>, Option<i64>, usize),
    /// All fields or items.
    All,
    /// The value itself and everything in it, however deep.
    Deep,
    /// The items that a filter holds of.
    Filter(Filter),
}

/// What is said of an item: that a path finds something in it, or how that compares.
#[derive(Debug, Clone, PartialEq)]
struct Filter {
    left: Path,
    compared: Option<(Operator, Operand)>,
}

#[derive(Debug, Clone, PartialEq)]
enum Operand {
    Path(Path),
    Value(Value),
}

/// Where a character stands first outside quotes.
pub(super) fn outside_quotes(text: &str, wanted: char) -> Option<usize> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match quote {
            Some(open) if open == c => quote = None,
            None if c == wanted => return Some(at),
            None if matches!(c, '"' | '\'') => quote = Some(c),
            Some(_) | None => {}
        }
    }
    None
}

impl Path {
    /// Reads a path that begins at a status.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let text = text.strip_prefix('$').unwrap_or(text);
        if text.is_empty() {
            return Err("the path is empty".to_owned());
        }
        if let Some(rest) = text.strip_prefix(".status")
            && rest.starts_with(['.', '['])
        {
            return Err(format!("a path begins at .status, so it is {{{rest}}}"));
        }
        steps(text).map(Self)
    }

    /// All that it leads to, each once: steps that find something again and again would multiply it.
    pub(super) fn find<'a>(&self, from: &'a Value) -> Vec<&'a Value> {
        let mut found = vec![from];
        for step in &self.0 {
            let mut seen = HashSet::new();
            let next = found.into_iter().flat_map(|value| step.from(value));
            found = next
                .filter(|value| seen.insert(std::ptr::from_ref(*value)))
                .collect();
        }
        found
    }
}

/// Where a bracket ends: at the first `]` outside quotes, and with a filter at the first behind its `)`.
fn closing(inside: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let end = from + outside_quotes(&inside[from..], ']')?;
        if !inside.starts_with('?') || inside[..end].trim_end().ends_with(')') {
            return Some(end);
        }
        from = end + 1;
    }
}

fn steps(mut rest: &str) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix('[') {
            let end = closing(inside).ok_or("a bracket is not closed")?;
            steps.push(bracket(inside[..end].trim())?);
            rest = &inside[end + 1..];
            continue;
        }
        let Some(mut after) = rest.strip_prefix('.') else {
            return Err(format!("a path begins with . or [, not with {rest:?}"));
        };
        if let Some(deeper) = after.strip_prefix('.') {
            steps.push(Step::Deep);
            after = deeper;
        }
        // `..[0]` and `.[0]` are brackets behind a dot.
        if after.starts_with('[') {
            rest = after;
            continue;
        }
        let (name, behind) = name(after)?;
        if name.is_empty() {
            return Err("a name is missing behind a dot".to_owned());
        }
        steps.push(if name == "*" {
            Step::All
        } else {
            Step::Names(vec![name])
        });
        rest = behind;
    }
    Ok(steps)
}

/// Cuts a name off, in which a backslash takes the meaning from what follows it.
fn name(text: &str) -> Result<(String, &str), String> {
    let mut name = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '.' | '[' => return Ok((name, &text[at..])),
            '\\' => name.extend(chars.next().map(|(_, c)| c)),
            ']' | '{' | '}' | '(' | ')' | ',' | '?' | '@' | '$' => return Err(stray(c)),
            c if c.is_whitespace() => return Err(stray(c)),
            c => name.push(c),
        }
    }
    Ok((name, ""))
}

fn stray(c: char) -> String {
    format!("a name has no {c:?} without a backslash")
}

/// Reads what stands in brackets.
fn bracket(inside: &str) -> Result<Step, String> {
    let no_step = || format!("[{inside}] is no index, range, name in quotes, * or filter");
    if inside == "*" {
        return Ok(Step::All);
    }
    if let Some(filter) = inside.strip_prefix('?') {
        return Filter::parse(filter.trim()).map(Step::Filter);
    }
    if inside.starts_with(['\'', '"']) {
        let names = inside.split(',').map(|name| unquoted(name.trim()));
        let names: Option<Vec<_>> = names.map(|name| name.map(str::to_owned)).collect();
        return names.map(Step::Names).ok_or_else(no_step);
    }
    if inside.contains(':') {
        return range(inside).ok_or_else(no_step)?;
    }
    let indexes = inside.split(',').map(|index| index.trim().parse());
    let indexes: Result<Vec<i64>, _> = indexes.collect();
    indexes.map(Step::Indexes).map_err(|_| no_step())
}

fn range(inside: &str) -> Option<Result<Step, String>> {
    let mut parts = inside.split(':').map(|part| match part.trim() {
        "" => Some(None),
        number => number.parse::<i64>().ok().map(Some),
    });
    let from = parts.next()??;
    let to = parts.next()??;
    let by = parts.next().unwrap_or(Some(None))?;
    if parts.next().is_some() {
        return None;
    }
    let by = usize::try_from(by.unwrap_or(1)).ok().filter(|by| *by > 0);
    Some(match by {
        Some(by) => Ok(Step::Range(from, to, by)),
        None => Err(format!("[{inside}] does not go forward")),
    })
}

fn unquoted(text: &str) -> Option<&str> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let inner = text[1..].strip_suffix(quote)?;
    (!inner.contains(quote)).then_some(inner)
}

impl Step {
    fn from<'a>(&self, value: &'a Value) -> Vec<&'a Value> {
        let items = value.as_array().map_or(&[][..], Vec::as_slice);
        match self {
            Self::Names(names) => names.iter().filter_map(|name| value.get(name)).collect(),
            Self::Indexes(indexes) => {
                let at = indexes
                    .iter()
                    .filter_map(|index| place(*index, items.len()));
                at.filter_map(|at| items.get(at)).collect()
            }
            Self::Range(from, to, by) => {
                let bound =
                    |bound: i64| place(bound, items.len()).map_or(0, |at| at.min(items.len()));
                let (from, to) = (from.map_or(0, bound), to.map_or(items.len(), bound));
                let range = items.get(from..to).unwrap_or_default();
                range.iter().step_by(*by).collect()
            }
            Self::All => children(value).collect(),
            Self::Deep => deep(value),
            Self::Filter(filter) => items.iter().filter(|item| filter.holds(item)).collect(),
        }
    }
}

/// A place that may be counted from the end; none if it is before the beginning.
fn place(index: i64, length: usize) -> Option<usize> {
    match usize::try_from(index) {
        Ok(index) => Some(index),
        Err(_) => length.checked_sub(usize::try_from(index.unsigned_abs()).ok()?),
    }
}

fn children(value: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match value {
        Value::Array(items) => Box::new(items.iter()),
        Value::Object(fields) => Box::new(fields.values()),
        _ => Box::new(std::iter::empty()),
    }
}

/// A value and all in it. What comes from an API server is not nested deeply.
fn deep(value: &Value) -> Vec<&Value> {
    let mut all = vec![value];
    let mut next = 0;
    while let Some(value) = all.get(next).copied() {
        all.extend(children(value));
        next += 1;
    }
    all
}

impl Filter {
    /// Reads `(@.type == "Ready")` or `(@.message)`.
    fn parse(text: &str) -> Result<Self, String> {
        let no_filter = || format!("?{text} is no filter");
        let inside = text
            .strip_prefix('(')
            .and_then(|rest| rest.strip_suffix(')'));
        let inside = inside.ok_or_else(no_filter)?.trim();
        let mark = ['=', '!', '<', '>']
            .into_iter()
            .filter_map(|mark| outside_quotes(inside, mark))
            .min();
        let Some(at) = mark else {
            return Ok(Self {
                left: relative(inside).ok_or_else(no_filter)??,
                compared: None,
            });
        };
        let (left, rest) = inside.split_at(at);
        let (operator, right) = Operator::cut(rest).ok_or_else(no_filter)?;
        let right = right.trim();
        let right = match relative(right) {
            Some(path) => Operand::Path(path?),
            None => Operand::Value(literal(right).ok_or_else(no_filter)?),
        };
        Ok(Self {
            left: relative(left.trim()).ok_or_else(no_filter)??,
            compared: Some((operator, right)),
        })
    }

    fn holds(&self, item: &Value) -> bool {
        let left = self.left.find(item);
        let Some((operator, right)) = &self.compared else {
            return !left.is_empty();
        };
        let right = match right {
            Operand::Path(path) => path.find(item),
            Operand::Value(value) => vec![value],
        };
        match (left.as_slice(), right.as_slice()) {
            ([left], [right]) => compares(left, *operator, right),
            _ => false,
        }
    }
}

/// The path of an item, such as `@.type`; none if it is none.
fn relative(text: &str) -> Option<Result<Path, String>> {
    text.strip_prefix('@').map(|path| steps(path).map(Path))
}

fn literal(text: &str) -> Option<Value> {
    match unquoted(text) {
        Some(inner) => Some(inner.into()),
        None => serde_json::from_str(text)
            .ok()
            .filter(|value: &Value| value.is_number() || value.is_boolean()),
    }
}

fn compares(left: &Value, operator: Operator, right: &Value) -> bool {
    let order = match (left, right) {
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        _ => match (left.as_f64(), right.as_f64()) {
            (Some(left), Some(right)) => left.partial_cmp(&right),
            _ => None,
        },
    };
    match order {
        Some(order) => operator.accepts(order),
        // What is of different types is not equal, and has no order.
        None => operator == Operator::Unequal,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_found_again_and_again_is_found_once() {
        let status = json!({"a": [{"b": [1, 2]}]});
        let names = "'a',".repeat(500) + "'a'";
        let places = "0,".repeat(500) + "0";
        let path = format!("[{names}][{places}].b[{places}]..");
        let path = Path::parse(path.trim_end_matches('.')).unwrap();
        assert_eq!(path.find(&status), [&json!(1)]);
    }
}
