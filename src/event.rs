//! What the library says while it works.
