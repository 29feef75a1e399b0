//! What is known of a step besides what it does.

use std::collections::BTreeMap;

use super::drift::Author;
use super::ignored::Ignored;
use super::objection::Objection;
use super::rehearsal::Verdict;
use super::untouched::Untouched;

/// What was found out about a step before anything was written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Checked {
    /// What cannot be checked before other steps are done, in words.
    pub later: Vec<String>,
    /// What the API server warns about, and what could not be checked.
    pub warnings: Vec<String>,
    /// What stands against it.
    pub objections: Vec<Objection>,
    /// The fields that differ from what is wanted and are left to others.
    pub ignored: Vec<Ignored>,
    /// Who changed the fields that drifted, by their paths, as far as that was asked for.
    pub authors: BTreeMap<String, Author>,
    /// The fields that no chart speaks of, as far as that was asked for.
    pub untouched: Vec<Untouched>,
}

impl Checked {
    /// Takes note of what is checked later, once.
    pub(super) fn later(&mut self, why: String) {
        if !self.later.contains(&why) {
            self.later.push(why);
        }
    }

    /// Takes note of the answers about it.
    pub fn take(&mut self, verdicts: Vec<Verdict>, warnings: Vec<String>) {
        for verdict in verdicts {
            match verdict {
                Verdict::Passed => {}
                Verdict::Later(why) => self.later(why),
                Verdict::Warned(text) => self.warning(text),
                Verdict::Refused(objection) | Verdict::Webhook(_, objection) => {
                    self.objections.push(objection);
                }
            }
        }
        for text in warnings {
            self.warning(text);
        }
    }

    /// Takes note of a warning, once.
    pub(super) fn warning(&mut self, text: String) {
        if !self.warnings.contains(&text) {
            self.warnings.push(text);
        }
    }
}
