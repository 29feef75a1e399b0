//! Version constraints as charts write them.
//!
//! Text comes in, a [`Constraint`] that versions can be held against goes out. The language is
//! that of the Go package `Masterminds/semver` v3.5, which Helm uses for `kubeVersion`,
//! dependency versions and `semverCompare`; it differs from Cargo's: a bare `1.2.3` means exactly
//! that version, a space means "and", and versions may be incomplete.

mod parse;

pub use parse::parse_version;

use semver::{Prerelease, Version};
use std::cmp::Ordering;
use std::fmt;

/// Text that is not a version or not a constraint on versions.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text is not a version, not even an incomplete one.
    #[error("{text:?} is not a version such as 1.2.3")]
    Version {
        /// The text.
        text: String,
    },
    /// The text is not a constraint.
    #[error("{text:?} is not a version constraint such as \">=1.30 <2\"")]
    Constraint {
        /// The text.
        text: String,
    },
    /// The text is longer, or has more alternatives, than any real version or constraint.
    #[error("a version or constraint has more than {limit} {unit}")]
    TooLong {
        /// The limit crossed.
        limit: usize,
        /// What was counted.
        unit: &'static str,
    },
}

/// A condition on versions, such as `>=1.30.0-0 <1.37 || ^2`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constraint {
    text: String,
    alternatives: Vec<Alternative>,
}

/// Terms that must all hold.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Alternative {
    terms: Vec<Term>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    operator: Operator,
    bound: Version,
    precision: Precision,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
    Tilde,
    Caret,
}

/// How much of a bound was written; the rest was left out or a wildcard and counts as zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Precision {
    Any,
    Major,
    Minor,
    Full,
}

impl Constraint {
    /// Reads a constraint: terms joined by spaces or commas ("and"), groups of them by `||`.
    ///
    /// A term is a version after one of `= != > < >= => <= =< ~ ~> ^` or nothing (equal); its
    /// parts may be `x`, `X` or `*`, or be left out; `1.2 - 2.0` is a range including both ends.
    ///
    /// # Errors
    /// If `text` is not of that form, or longer than 512 bytes or 32 groups.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let alternatives = parse::alternatives(text)?;
        Ok(Self {
            text: text.to_owned(),
            alternatives,
        })
    }

    /// Says whether `version` meets the constraint.
    ///
    /// A pre-release meets only groups in which some term names a pre-release, so that
    /// `>=1.30` does not pick `1.31.0-rc.1` while `>=1.30.0-0` does. Build metadata never counts.
    pub fn matches(&self, version: &Version) -> bool {
        self.alternatives
            .iter()
            .any(|alternative| alternative.matches(version))
    }
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Alternative {
    fn matches(&self, version: &Version) -> bool {
        let wants_pre = self
            .terms
            .iter()
            .any(|term| term.bound.pre != Prerelease::EMPTY);
        (wants_pre || version.pre == Prerelease::EMPTY)
            && self.terms.iter().all(|term| term.matches(version))
    }
}

impl Term {
    fn matches(&self, version: &Version) -> bool {
        let order = version.cmp_precedence(&self.bound);
        match self.operator {
            Operator::Equal if self.precision == Precision::Full => order == Ordering::Equal,
            Operator::Equal | Operator::Tilde => order != Ordering::Less && self.tilde(version),
            Operator::NotEqual => self.differs(version, order),
            Operator::Greater => self.beyond(version, order),
            Operator::GreaterEqual => order != Ordering::Less,
            Operator::Less => order == Ordering::Less,
            Operator::LessEqual => self.at_most(version, order),
            Operator::Caret => order != Ordering::Less && self.caret(version),
        }
    }

    fn tilde(&self, version: &Version) -> bool {
        let zero = (self.bound.major, self.bound.minor, self.bound.patch) == (0, 0, 0);
        if zero && matches!(self.precision, Precision::Any | Precision::Full) {
            return true;
        }
        version.major == self.bound.major
            && (self.precision == Precision::Major || version.minor == self.bound.minor)
    }

    fn caret(&self, version: &Version) -> bool {
        let bound = &self.bound;
        if bound.major > 0 || self.precision == Precision::Major {
            return version.major == bound.major;
        }
        if version.major > 0 {
            return false;
        }
        if bound.minor > 0 || self.precision == Precision::Minor {
            return version.minor == bound.minor;
        }
        version.minor == 0 && version.patch == bound.patch
    }

    fn differs(&self, version: &Version, order: Ordering) -> bool {
        let bound = &self.bound;
        match self.precision {
            Precision::Full => order != Ordering::Equal,
            Precision::Major => version.major != bound.major,
            Precision::Minor => {
                (version.major, version.minor) != (bound.major, bound.minor)
                    || version.pre != bound.pre
            }
            Precision::Any => {
                (version.major, version.minor, version.patch) != (0, 0, 0)
                    || order != Ordering::Equal
            }
        }
    }

    fn beyond(&self, version: &Version, order: Ordering) -> bool {
        match self.precision {
            Precision::Major => version.major > self.bound.major,
            Precision::Minor => {
                (version.major, version.minor) > (self.bound.major, self.bound.minor)
            }
            Precision::Any | Precision::Full => order == Ordering::Greater,
        }
    }

    fn at_most(&self, version: &Version, order: Ordering) -> bool {
        match self.precision {
            Precision::Full => order != Ordering::Greater,
            Precision::Major => version.major <= self.bound.major,
            Precision::Minor | Precision::Any => {
                (version.major, version.minor) <= (self.bound.major, self.bound.minor)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Which of `versions` meet `constraint`.
    #[track_caller]
    fn check(constraint: &str, versions: &[&str], expected: &[&str]) {
        let parsed = Constraint::parse(constraint).unwrap();
        let met: Vec<&str> = versions
            .iter()
            .copied()
            .filter(|version| parsed.matches(&parse_version(version).unwrap()))
            .collect();
        assert_eq!(met, expected, "{constraint}");
    }

    #[track_caller]
    fn check_error(constraint: &str) {
        let error = Constraint::parse(constraint).unwrap_err();
        assert_eq!(
            error,
            Error::Constraint {
                text: constraint.to_owned()
            }
        );
    }

    #[test]
    fn a_bare_version_means_itself() {
        check(
            "1.2.3",
            &["1.2.3", "1.2.3+build", "1.2.4"],
            &["1.2.3", "1.2.3+build"],
        );
        check("=1.2", &["1.2.0", "1.2.9", "1.3.0"], &["1.2.0", "1.2.9"]);
        check("1", &["1.0.0", "1.9.0", "2.0.0"], &["1.0.0", "1.9.0"]);
        check("v1.5", &["v1.5"], &["v1.5"]);
    }

    #[test]
    fn comparisons_know_what_was_left_out() {
        check(">1.2", &["1.2.9", "1.3.0", "2.0.0"], &["1.3.0", "2.0.0"]);
        check(">1", &["1.9.0", "2.0.0"], &["2.0.0"]);
        check(">1.2.3", &["1.2.3", "1.2.4"], &["1.2.4"]);
        check("<=1.2", &["1.2.9", "1.3.0"], &["1.2.9"]);
        check("<=1", &["1.9.0", "2.0.0"], &["1.9.0"]);
        check("<1.2", &["1.1.9", "1.2.0"], &["1.1.9"]);
        check("=>1.2", &["1.1.0", "v1.5"], &["v1.5"]);
        check("=<1.2", &["1.1.0", "v1.5"], &["1.1.0"]);
        check("!=1.2.3", &["1.2.3", "1.2.4"], &["1.2.4"]);
        check("!=1.2.x", &["1.2.3", "1.3.0"], &["1.3.0"]);
        check("!=1", &["1.2.3", "2.0.0"], &["2.0.0"]);
    }

    #[test]
    fn tilde_and_caret_open_a_range() {
        check("~1.2.3", &["1.2.2", "1.2.9", "1.3.0"], &["1.2.9"]);
        check("~>1.2", &["1.2.0", "1.3.0"], &["1.2.0"]);
        check("~1", &["1.0.0", "1.9.0", "2.0.0"], &["1.0.0", "1.9.0"]);
        check("^1.2", &["1.1.0", "1.9.0", "2.0.0"], &["1.9.0"]);
        check("^0.2.3", &["0.2.2", "0.2.9", "0.3.0"], &["0.2.9"]);
        check("^0.0.3", &["0.0.3", "0.0.4"], &["0.0.3"]);
        check("^0", &["0.0.1", "0.9.0", "1.0.0"], &["0.0.1", "0.9.0"]);
    }

    #[test]
    fn terms_are_joined() {
        check(">=1.2 <3", &["1.1.0", "2.0.0", "3.0.0"], &["2.0.0"]);
        check(">=1.2, <3", &["1.1.0", "2.0.0", "3.0.0"], &["2.0.0"]);
        check(
            "~1.2 || ^3",
            &["1.2.5", "2.0.0", "3.4.0"],
            &["1.2.5", "3.4.0"],
        );
        check(
            "1.2 - 2.0",
            &["1.1.0", "1.5.0", "2.0.5", "2.1.0"],
            &["1.5.0", "2.0.5"],
        );
        check(
            "1 - 2 !=1.5.0 || 9",
            &["1.4.0", "1.5.0", "9.0.0"],
            &["1.4.0", "9.0.0"],
        );
    }

    #[test]
    fn pre_releases_are_met_only_where_named() {
        check("*", &["1.0.0", "1.0.0-rc1"], &["1.0.0"]);
        check(
            ">=1.25.0-0",
            &["1.35.1-eks-abc", "1.25.0-rc.1"],
            &["1.35.1-eks-abc", "1.25.0-rc.1"],
        );
        check(">=1.25", &["1.35.1-eks-abc", "1.35.1"], &["1.35.1"]);
        check(
            ">1.0.0-beta.2 <2",
            &["1.0.0-beta.10", "1.0.0-alpha"],
            &["1.0.0-beta.10"],
        );
        check("<1.0.0 || >=2.0.0-0", &["0.1.0-a", "2.1.0-a"], &["2.1.0-a"]);
    }

    #[test]
    fn what_is_no_constraint_is_refused() {
        let wrong = [
            "",
            "a",
            ">",
            ">=1.2<2",
            "1.2 ||",
            "1.2,",
            ",1",
            ">1 - 2",
            "1 -2",
            "1.2.3.4",
            "1..2",
            "1.2x",
            "> =1",
            "latest",
            "1.2.3-",
            "1 - 2 - 3",
        ];
        wrong.into_iter().for_each(check_error);
        let long = "1 ".repeat(300);
        assert!(matches!(
            Constraint::parse(&long),
            Err(Error::TooLong { limit: 512, .. })
        ));
        let many = ["1"; 33].join("||");
        assert!(matches!(
            Constraint::parse(&many),
            Err(Error::TooLong { limit: 32, .. })
        ));
    }

    #[track_caller]
    fn check_version(text: &str, expected: Option<&str>) {
        let version = parse_version(text).ok().map(|version| version.to_string());
        assert_eq!(version.as_deref(), expected, "{text}");
    }

    #[test]
    fn versions_are_read_leniently() {
        check_version("v1.35", Some("1.35.0"));
        check_version("1", Some("1.0.0"));
        check_version("01.02.03", Some("1.2.3"));
        check_version("1.2-rc.1+b.07", Some("1.2.0-rc.1+b.07"));
        check_version("1.2.3.4", None);
        check_version("1.x", None);
        check_version("1.2.3-01", None);
        check_version(" 1.2.3", None);
        check_version("", None);
        check_version("99999999999999999999", None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in r"[0-9xv.,|<>=!~^ *+-]{0,30}|\PC{0,30}") {
            let _ = Constraint::parse(&text);
            let _ = parse_version(&text);
        }

        #[test]
        fn a_version_meets_the_constraint_it_spells(major in 0..9u64, minor in 0..9u64) {
            let text = format!("{major}.{minor}.1");
            let version = parse_version(&text).unwrap();
            let matches = |constraint: &str| Constraint::parse(constraint).unwrap().matches(&version);
            prop_assert!(matches(&text));
            let other = format!("!={text}");
            prop_assert!(!matches(&other));
        }
    }
}
