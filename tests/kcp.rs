//! The chart `charts/kcp`: a tenant's control plane, looked at as the processes that its pods are.

pub(crate) mod boot;
pub(crate) mod proof;
