//! Whether one live resource is ready, by the rules of kstatus, one file per family of kinds.
//!
//! A live body comes in, its [`Health`] goes out. Watching until it changes is left to `cluster`.

/// The state of one live resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It is what its spec asks for.
    Ready,
    /// It is on its way; the reason says what is missing.
    InProgress(String),
    /// It cannot become ready by itself; the reason says why.
    Failed(String),
}
