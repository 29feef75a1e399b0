//! What Kubernetes itself defines: its kinds, and how the fields of each kind merge.
//!
//! The data is generated from a real kube-apiserver's discovery and `/openapi/v3` into
//! `schemas/` and checked against it by a test. Kinds that a cluster adds are left to
//! [`crate::capabilities`].
