//! How the resources of the next revision are written.

use super::prepare::Past;
use super::{Error, Session, Terms};
use crate::plan::{Conflicts, Method, Permit};
use crate::release::{ApplyMethod, Release};

/// How the user wants resources to be written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ServerSide {
    /// As those of the revision before; those of a first one from the client side.
    #[default]
    Auto,
    /// By server-side apply.
    True,
    /// From the client side.
    False,
}

/// Decides how the revision after `past` is written.
///
/// # Errors
/// If conflicts are to be taken over and there can be none.
pub(super) fn decide(
    session: &Session<'_>,
    past: &Past,
    terms: &Terms,
) -> Result<ApplyMethod, Error> {
    let newest = past.base.last();
    let method = match terms.server_side {
        ServerSide::True => ApplyMethod::ServerSide,
        ServerSide::False => ApplyMethod::ClientSide,
        ServerSide::Auto => newest.map_or(ApplyMethod::ClientSide, of),
    };
    let is_forced = terms.consent.permits(Permit::TakeFields);
    if is_forced && method == ApplyMethod::ClientSide {
        return Err(Error::NoConflicts {
            release: session.release.to_owned(),
            asked: terms.server_side,
        });
    }
    Ok(method)
}

/// How a revision was written.
pub(super) fn of(release: &Release) -> ApplyMethod {
    release.apply_method.unwrap_or(ApplyMethod::ClientSide)
}

/// How a revision is to be written, as a plan is told.
pub(super) fn planned(release: &Release, terms: &Terms) -> Method {
    match of(release) {
        ApplyMethod::ClientSide => Method::ClientSide,
        ApplyMethod::ServerSide if terms.consent.permits(Permit::TakeFields) => {
            Method::ServerSide(Conflicts::Take)
        }
        ApplyMethod::ServerSide => Method::ServerSide(Conflicts::Refuse),
    }
}

/// How the resources of the base were written: by server-side apply only if all of them were.
pub(super) fn before(past: &Past) -> ApplyMethod {
    let mut methods = past.base.iter().map(of);
    methods
        .find(|method| *method == ApplyMethod::ClientSide)
        .unwrap_or(ApplyMethod::ServerSide)
}
