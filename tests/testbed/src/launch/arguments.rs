//! The command lines of the components. A run folder and ports come in, arguments go out; the
//! files they name are written by the sibling modules.

use std::path::Path;

use super::ports::Ports;
use crate::place::kubeconfig;

/// What the arguments depend on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout<'a> {
    /// The run folder.
    pub(super) folder: &'a Path,
    /// Where the servers listen.
    pub(super) ports: Ports,
}

/// Makes the arguments of a component.
pub(super) type Arguments = fn(Layout) -> Vec<String>;

/// The components that make up the API.
pub(super) const SERVERS: [(&str, Arguments); 2] = [("etcd", etcd), ("kube-apiserver", api_server)];

/// The components that use the API. They start when it is ready: before that they fail for want of
/// the roles that an apiserver makes first, and then try again only after seconds.
pub(super) const CLIENTS: [(&str, Arguments); 3] = [
    ("kube-controller-manager", controller_manager),
    ("kube-scheduler", scheduler),
    ("kwok", kwok),
];

impl Layout<'_> {
    fn file(self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    fn kubeconfig(self, name: &str) -> String {
        let path = kubeconfig(self.folder, name);
        format!("--kubeconfig={}", path.display())
    }
}

fn etcd(layout: Layout) -> Vec<String> {
    let client = format!("http://127.0.0.1:{}", layout.ports.etcd);
    let peer = format!("http://127.0.0.1:{}", layout.ports.etcd_peer);
    vec![
        format!("--data-dir={}", layout.file("etcd")),
        format!("--listen-client-urls={client}"),
        format!("--advertise-client-urls={client}"),
        format!("--listen-peer-urls={peer}"),
        format!("--initial-advertise-peer-urls={peer}"),
        format!("--initial-cluster=default={peer}"),
        // The data need not outlive the process.
        "--unsafe-no-fsync".to_owned(),
    ]
}

fn api_server(layout: Layout) -> Vec<String> {
    vec![
        format!("--etcd-servers=http://127.0.0.1:{}", layout.ports.etcd),
        "--bind-address=127.0.0.1".to_owned(),
        // Without it the apiserver looks for a network interface, which there may not be.
        "--advertise-address=127.0.0.1".to_owned(),
        format!("--secure-port={}", layout.ports.api),
        format!("--cert-dir={}", layout.file("certificates")),
        format!("--tls-cert-file={}", layout.file("api.crt")),
        format!("--tls-private-key-file={}", layout.file("api.key")),
        format!("--token-auth-file={}", layout.file("tokens.csv")),
        "--authorization-mode=Node,RBAC".to_owned(),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        format!(
            "--service-account-signing-key-file={}",
            layout.file("sa.key")
        ),
        format!("--service-account-key-file={}", layout.file("sa.pub")),
        "--service-cluster-ip-range=10.0.0.0/16".to_owned(),
        "--allow-privileged=true".to_owned(),
        // A loopback address cannot be an endpoint of the `kubernetes` service.
        "--endpoint-reconciler-type=none".to_owned(),
        // Nobody has to be kept from asking too much, and each request would be a thread of its own more.
        "--enable-priority-and-fairness=false".to_owned(),
    ]
}

fn controller_manager(layout: Layout) -> Vec<String> {
    vec![
        layout.kubeconfig("kube-controller-manager"),
        format!(
            "--service-account-private-key-file={}",
            layout.file("sa.key")
        ),
        format!("--root-ca-file={}", layout.file("ca.crt")),
        "--use-service-account-credentials=true".to_owned(),
        "--leader-elect=false".to_owned(),
        "--secure-port=0".to_owned(),
        // A test run is one burst; the defaults (20 and 30) make tests wait for each other.
        "--kube-api-qps=300".to_owned(),
        "--kube-api-burst=600".to_owned(),
    ]
}

fn scheduler(layout: Layout) -> Vec<String> {
    vec![
        layout.kubeconfig("kube-scheduler"),
        "--leader-elect=false".to_owned(),
        "--secure-port=0".to_owned(),
        "--kube-api-qps=300".to_owned(),
        "--kube-api-burst=600".to_owned(),
    ]
}

fn kwok(layout: Layout) -> Vec<String> {
    vec![
        layout.kubeconfig("kwok"),
        "--manage-all-nodes=true".to_owned(),
        "--node-lease-duration-seconds=40".to_owned(),
        // Where no kubelet listens, which is told at once: with an address that does not answer, each
        // request for logs would take half a minute.
        "--node-ip=127.0.0.1".to_owned(),
        "--cidr=10.244.0.0/16".to_owned(),
        format!("--config={}", layout.file("stages.yaml")),
        format!("--config={}", layout.file("volumes.yaml")),
        format!("--config={}", layout.file("pods.yaml")),
    ]
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{CLIENTS, Layout, SERVERS};
    use crate::launch::ports::Ports;

    #[track_caller]
    fn check(component: &str, expected: &str) {
        let ports = Ports {
            api: 1,
            etcd: 2,
            etcd_peer: 3,
        };
        let folder = Path::new("/run/1");
        let (_, arguments) = SERVERS
            .iter()
            .chain(&CLIENTS)
            .find(|(name, _)| *name == component)
            .unwrap();
        let arguments = arguments(Layout { folder, ports });
        assert!(
            arguments.iter().any(|argument| argument == expected),
            "{arguments:?}"
        );
    }

    #[test]
    fn servers_meet_on_their_ports() {
        check("etcd", "--listen-client-urls=http://127.0.0.1:2");
        check("etcd", "--initial-cluster=default=http://127.0.0.1:3");
        check("kube-apiserver", "--etcd-servers=http://127.0.0.1:2");
        check("kube-apiserver", "--secure-port=1");
    }

    #[test]
    fn clients_have_a_kubeconfig_each() {
        for name in ["kube-controller-manager", "kube-scheduler", "kwok"] {
            check(
                name,
                &format!("--kubeconfig=/run/1/users/{name}.kubeconfig"),
            );
        }
    }

    #[test]
    fn service_account_keys_are_split() {
        let signing = "--service-account-signing-key-file=/run/1/sa.key";
        check("kube-apiserver", signing);
        check("kube-apiserver", "--service-account-key-file=/run/1/sa.pub");
    }
}
