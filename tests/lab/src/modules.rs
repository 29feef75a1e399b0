//! The Go modules whose binaries the lab has beside the testbed's.

use testbed::module::{KUBERNETES_VARIABLES, Module};

/// The parts of Kubernetes that only a node runs.
const NODE: Module = Module {
    name: "kubernetes-node",
    manifest: include_str!("../../testbed/modules/kubernetes/go.mod"),
    sums: include_str!("../../testbed/modules/kubernetes/go.sum"),
    binaries: &["kubelet", "kube-proxy"],
    tags: &[],
    variables: &KUBERNETES_VARIABLES,
    stages: &[],
};

const CONTAINERD: Module = Module {
    name: "containerd",
    manifest: include_str!("../modules/containerd/go.mod"),
    sums: include_str!("../modules/containerd/go.sum"),
    binaries: &[],
    // The snapshotters need libraries in C, and the overlay's is what nodes use.
    tags: &["no_btrfs", "no_devmapper", "no_zfs", "netgo", "osusergo"],
    variables: &["github.com/containerd/containerd/v2/version.Version={version}"],
    stages: &[],
};

const COREDNS: Module = Module {
    name: "coredns",
    manifest: include_str!("../modules/coredns/go.mod"),
    sums: include_str!("../modules/coredns/go.sum"),
    binaries: &[],
    tags: &[],
    variables: &[],
    stages: &[],
};

/// A later patch of the testbed's etcd. Its binary goes by the same name.
const ETCD_NEXT: Module = Module {
    name: "etcd-next",
    manifest: include_str!("../modules/etcd-next/go.mod"),
    sums: include_str!("../modules/etcd-next/go.sum"),
    binaries: &[],
    tags: &[],
    variables: &[],
    stages: &[],
};

const REGISTRY: Module = Module {
    name: "registry",
    manifest: include_str!("../modules/registry/go.mod"),
    sums: include_str!("../modules/registry/go.sum"),
    binaries: &[],
    tags: &[],
    variables: &["github.com/distribution/distribution/v3/version.version={version}"],
    stages: &[],
};

/// Every module of the lab, in the order of building.
pub const MODULES: [Module; 5] = [NODE, CONTAINERD, COREDNS, ETCD_NEXT, REGISTRY];

/// Returns the version of the binary `name` of `modules`, with its `v`; empty if none of them gives
/// it.
pub fn version(modules: &[Module], name: &str) -> String {
    let tools = modules.iter().flat_map(Module::tools);
    let mut tools = tools.flatten().filter(|tool| tool.name == name);
    tools.next().map(|tool| tool.version).unwrap_or_default()
}
