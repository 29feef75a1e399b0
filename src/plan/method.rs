//! How resources are written.

/// How the resources of a plan are written. What is written is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// By patches that are computed here.
    ClientSide,
    /// By server-side apply.
    ServerSide(Conflicts),
}

/// What becomes of a field that the chart sets and another field manager owns with another value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conflicts {
    /// The change is refused.
    Refuse,
    /// The field is taken over.
    Take,
}

impl Method {
    /// Whether resources are written by server-side apply.
    pub fn is_server_side(self) -> bool {
        matches!(self, Self::ServerSide(_))
    }
}
