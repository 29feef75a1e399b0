//! Builds and launches the real Kubernetes components that tests, demo and benchmarks run on.

fn main() {}
