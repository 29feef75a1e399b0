//! The stored revisions of a release.
