//! Which tests run, in Helm's words: `name=a,!name=b`.

use std::collections::BTreeSet;
use std::str::FromStr;

use crate::ops::Error;
use crate::plan::HookStep;

/// Which tests run: those that are named, or all, without those that are excluded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    only: BTreeSet<String>,
    without: BTreeSet<String>,
}

/// One term of a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilterTerm {
    /// `name=NAME`: this test runs.
    Only(String),
    /// `!name=NAME`: this test does not.
    Without(String),
}

/// A text that is no term of a filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected name=NAME or !name=NAME")]
pub struct NoTerm;

impl FromStr for FilterTerm {
    type Err = NoTerm;

    /// Reads a term; Helm allows a blank behind the exclamation mark.
    fn from_str(text: &str) -> Result<Self, NoTerm> {
        let (term, rest): (fn(String) -> Self, _) = match text.strip_prefix('!') {
            Some(rest) => (Self::Without, rest.trim_start()),
            None => (Self::Only, text),
        };
        match rest.strip_prefix("name=") {
            Some(name) if !name.is_empty() => Ok(term(name.to_owned())),
            _ => Err(NoTerm),
        }
    }
}

impl FromIterator<FilterTerm> for Filter {
    fn from_iter<T: IntoIterator<Item = FilterTerm>>(terms: T) -> Self {
        let mut filter = Self::default();
        for term in terms {
            match term {
                FilterTerm::Only(name) => filter.only.insert(name),
                FilterTerm::Without(name) => filter.without.insert(name),
            };
        }
        filter
    }
}

impl Filter {
    fn takes(&self, name: &str) -> bool {
        (self.only.is_empty() || self.only.contains(name)) && !self.without.contains(name)
    }

    /// Chooses among the tests of a release.
    ///
    /// # Errors
    /// If the filter names what is no test.
    pub(super) fn choose(
        &self,
        release: &str,
        mut tests: Vec<HookStep>,
    ) -> Result<Vec<HookStep>, Error> {
        let known: BTreeSet<&String> = tests.iter().map(|test| &test.step.id.name).collect();
        let mut named = self.only.iter().chain(&self.without);
        if let Some(name) = named.find(|name| !known.contains(name)) {
            return Err(Error::NoTest {
                release: release.to_owned(),
                wanted: name.clone(),
                known: known.into_iter().cloned().collect(),
            });
        }
        tests.retain(|test| self.takes(&test.step.id.name));
        Ok(tests)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks which of the tests `a`, `b` and `c` a filter takes.
    #[track_caller]
    fn check(terms: &[&str], expected: &str) {
        let terms = terms.iter().map(|term| term.parse::<FilterTerm>().unwrap());
        let filter: Filter = terms.collect();
        let taken: String = ["a", "b", "c"]
            .into_iter()
            .filter(|name| filter.takes(name))
            .collect();
        assert_eq!(taken, expected);
    }

    #[test]
    fn tests_are_chosen_by_name() {
        check(&[], "abc");
        check(&["name=a", "name=c"], "ac");
        check(&["!name=a"], "bc");
        check(&["! name=a", "!name=c"], "b");
        check(&["name=a", "name=b", "!name=a"], "b");
        for bad in [
            "", "a", "name=", "!name=", "kind=Pod", "!!name=a", "name =a",
        ] {
            assert_eq!(bad.parse::<FilterTerm>(), Err(NoTerm), "{bad}");
        }
    }
}
