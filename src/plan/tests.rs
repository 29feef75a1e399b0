//! What tests of several parts of a plan share.

use crate::capabilities::Kinds;
use crate::manifest::{Manifest, Placement, Recorded};

/// The manifest of this text in the namespace `shop`, as if it were recorded.
pub(super) fn manifest(text: &str, kinds: &Kinds) -> Manifest {
    let placement = Placement {
        namespace: "shop",
        kinds,
    };
    let recorded = Recorded {
        text,
        generators: None,
    };
    Manifest::from_record(recorded, placement).unwrap()
}
