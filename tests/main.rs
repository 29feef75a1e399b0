//! The one integration test crate.

#![expect(
    clippy::unwrap_used,
    reason = "clippy exempts the bodies of tests, but not what they share"
)]

mod cluster;
