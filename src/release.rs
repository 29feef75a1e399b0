//! One revision of a release, and Helm's encoding of it.
