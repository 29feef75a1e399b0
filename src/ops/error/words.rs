//! Parts of the messages of errors.

use std::fmt;

use jiff::Timestamp;

use crate::plan::Until;

/// Since when, if that is known.
pub(super) struct Since(pub(super) Option<Timestamp>);

impl fmt::Display for Since {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(time) => write!(f, " since {time:.0}"),
            None => Ok(()),
        }
    }
}

pub(super) fn others(known: &[String]) -> String {
    match known {
        [] => String::new(),
        known => format!("; it has {}", known.join(", ")),
    }
}

pub(super) fn unmet(earlier: &str, until: Until) -> String {
    match until {
        Until::NoOldPods => format!("old pods of {earlier} are left"),
        Until::Gone => format!("{earlier} are not done in time"),
        Until::Established => format!("{earlier} are not established"),
        Until::Written | Until::Known | Until::Ready => format!("{earlier} is not ready"),
    }
}

/// `this; that`.
pub(super) fn joined<T: fmt::Display>(all: &[T]) -> String {
    let told: Vec<_> = all.iter().map(ToString::to_string).collect();
    told.join("; ")
}

pub(super) fn numbers(revisions: &[u32]) -> String {
    revisions
        .iter()
        .map(u32::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}
