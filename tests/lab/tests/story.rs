//! The life of one tenant on real nodes, from its installation to its end, by the commands that an
//! operator types.

mod quorum;
mod writer;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use tempfile::TempDir;

use crate::site::{Site, lab, output, page, repository, shared, until};
use quorum::Watch;
use writer::Writer;

/// The release.
const NAME: &str = "tenant-a";
/// The nodes of the host cluster besides the first.
const HOSTS: [&str; 2] = ["host-2", "host-3"];
/// The machine that joins the tenant.
const WORKER: &str = "worker-1";
/// What the lab has of CoreDNS.
const COREDNS: &str = "coredns.image.tag=v1.15.0";
/// The values that the tenant has all its life.
const VALUES: [&str; 4] = [
    "--set",
    "etcd.replicas=3",
    "--set",
    "endpoint.type=LoadBalancer",
];

/// A tenant, its operator's files, and the host cluster.
struct Story<'a> {
    site: &'a Site,
    namespace: String,
    folder: TempDir,
}

pub(crate) fn of_a_tenant() {
    let site = shared();
    let story = Story {
        site: &site,
        namespace: format!("story-{}", std::process::id()),
        folder: tempfile::tempdir().unwrap(),
    };
    story.begins();
    story.gets_what_nodes_need();
    story.lets_in_its_own();
    story.serves_from_a_worker();
    story.is_upgraded_under_load();
    story.heals();
    story.ends();
}

impl Story<'_> {
    /// Three members, their API and its clients become ready, in this order.
    fn begins(&self) {
        for node in HOSTS {
            output(lab().args(["node", "add", node]));
        }
        let install = ["install", NAME, "charts/kcp", "--create-namespace"];
        let progress = self.progress(&[&install, &VALUES[..]].concat());
        let at = |line: &str| {
            let found = progress.find(line);
            found.unwrap_or_else(|| panic!("{line:?} is not in {progress}"))
        };
        assert!(at("group etcd") < at("group apiserver"), "{progress}");
        assert!(at("group apiserver") < at("group clients"), "{progress}");
        let pods = self.host(&["get", "pods", "--output=json"]);
        let pods: Value = serde_json::from_str(&pods).unwrap();
        let pods = pods["items"].as_array().unwrap();
        assert_eq!(pods.len(), 6, "{pods:#?}");
        let members = pods.iter().filter(|pod| component(pod) == "etcd");
        let mut nodes: Vec<_> = members.map(|pod| &pod["spec"]["nodeName"]).collect();
        nodes.sort_by_key(ToString::to_string);
        nodes.dedup();
        assert_eq!(nodes.len(), 3, "{nodes:?}");
    }

    fn gets_what_nodes_need(&self) {
        let into = self.place();
        let install = ["install", "addons", "charts/tenant", "--into", &into];
        self.site
            .pintle(&[&install[..], &["--set", COREDNS]].concat());
        let listed = self.site.pintle(&["list", "--into", &into]);
        assert!(listed.contains("addons"), "{listed}");
        // Its history is inside the tenant.
        let outside = self.pintle(&["list"]);
        assert!(!outside.contains("addons"), "{outside}");
    }

    /// What has to work for those who are let in, and who is not.
    fn lets_in_its_own(&self) {
        assert_eq!(self.tenant(&["get", "--raw=/readyz"]), "ok");
        assert_eq!(self.tenant(&["auth", "can-i", "*", "*"]).trim(), "yes");
        self.tenant(&["create", "namespace", "shop"]);
        let token = self.tenant(&["--namespace=shop", "create", "token", "default"]);
        let name = "--output=jsonpath={.status.userInfo.username}";
        let token = format!("--token={}", token.trim());
        let mut who = self.stranger(&[&token, "auth", "whoami", name]);
        assert_eq!(output(&mut who), "system:serviceaccount:shop:default");
        let request = "tests/kcp/tenant/request.yaml";
        self.tenant(&["create", "--filename", request]);
        self.tenant(&["certificate", "approve", "someone"]);
        until("the request for a certificate is not signed", || {
            let path = "--output=jsonpath={.status.certificate}";
            !self.tenant(&["get", "csr", "someone", path]).is_empty()
        });
        for lease in ["kube-controller-manager", "kube-scheduler"] {
            let path = "--output=jsonpath={.spec.holderIdentity}";
            let holder = self.tenant(&["--namespace=kube-system", "get", "lease", lease, path]);
            assert!(!holder.is_empty(), "nobody holds {lease}");
        }
        let anonymous = self.stranger(&["get", "namespaces"]);
        refused(anonymous, "system:anonymous");
        let mut foreign = self.stranger(&["get", "namespaces"]);
        foreign.arg("--kubeconfig").arg(&self.site.kubeconfig);
        refused(foreign, "must be logged in");
    }

    /// A bare machine joins by the line as it is, and serves.
    fn serves_from_a_worker(&self) {
        output(lab().args(["node", "add", WORKER, "--bare"]));
        let line = self.pintle(&["join", NAME]);
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words[..2], ["kubeadm", "join"], "{line}");
        output(lab().args(["node", "exec", WORKER, "--"]).args(&words));
        let image = "--image=docker.io/library/nginx:lab";
        self.tenant(&["create", "deployment", "web", image]);
        let expose = [
            "expose",
            "deployment",
            "web",
            "--type=NodePort",
            "--port=80",
        ];
        self.tenant(&expose);
        self.tenant(&["rollout", "status", "deployment/web", "--timeout=2m"]);
        let path = "--output=jsonpath={.spec.ports[0].nodePort}";
        let port = self.tenant(&["get", "service", "web", path]);
        let worker = self.site.node(WORKER).unwrap().address;
        until("nginx does not answer at its node port", || {
            page(&format!("{worker}:{port}")).is_ok_and(|page| page.contains("Welcome to nginx"))
        });
        let dns = [
            "--namespace=kube-system",
            "rollout",
            "status",
            "deployment/coredns",
        ];
        self.tenant(&[&dns[..], &["--timeout=2m"]].concat());
        let image = "--image=docker.io/library/busybox:lab";
        let run = [
            "run",
            "client",
            image,
            "--restart=Never",
            "--attach",
            "--rm",
            "--quiet",
        ];
        let ask = [
            "--",
            "wget",
            "-q",
            "-O",
            "-",
            "http://web.default.svc.cluster.local",
        ];
        let page = self.tenant(&[&run[..], &ask[..]].concat());
        assert!(page.contains("Welcome to nginx"), "{page}");
    }

    /// Two API servers, another flag, and another patch of etcd, while a client writes; and back.
    fn is_upgraded_under_load(&self) {
        let watch = Watch::start(self.host_command(), 3);
        let writer = Writer::start(self.site.command("kubectl"), self.kubeconfig());
        let change = [
            "--set",
            "apiServer.replicas=2",
            "--set",
            "apiServer.extraArgs.max-requests-inflight=500",
            "--set",
            "etcd.image.tag=3.6.12-0",
        ];
        let upgrade = ["upgrade", NAME, "charts/kcp"];
        self.pintle(&[&upgrade[..], &VALUES[..], &change[..]].concat());
        let images = self.images();
        assert!(images.contains("etcd:3.6.12-0"), "{images}");
        assert_eq!(images.matches("kube-apiserver:").count(), 2, "{images}");
        self.pintle(&["rollback", NAME]);
        let images = self.images();
        assert!(!images.contains("etcd:3.6.12-0"), "{images}");
        assert_eq!(images.matches("kube-apiserver:").count(), 1, "{images}");
        watch.expect_quorum();
        let written = writer.end();
        let kept = self.tenant(&["get", "configmaps", "--output=name"]);
        for name in &written {
            let line = format!("configmap/{name}");
            assert!(kept.lines().any(|known| known == line), "{name} is lost");
        }
        assert!(written.len() > 20, "only {} writes", written.len());
    }

    /// A pod of each component is killed and a node restarted: all heals, and `status` says what is
    /// wrong meanwhile.
    fn heals(&self) {
        for component in [
            "kube-apiserver",
            "kube-controller-manager",
            "kube-scheduler",
            "etcd",
        ] {
            let selector = format!("--selector=app.kubernetes.io/component={component}");
            let first = "--output=jsonpath={.items[0].metadata.name}";
            let pod = self.host(&["get", "pods", &selector, first]);
            self.host(&["delete", "pod", &pod, "--grace-period=1", "--wait=false"]);
        }
        let status = self.pintle(&["status", NAME]);
        assert!(status.contains("of 1 pods ready"), "{status}");
        self.is_whole_again();
        output(lab().args(["node", "restart", HOSTS[0]]));
        self.is_whole_again();
        assert_eq!(self.tenant(&["get", "--raw=/readyz"]), "ok");
        let page = self.tenant(&["get", "node", WORKER, "--no-headers"]);
        assert!(page.contains(" Ready "), "{page}");
    }

    fn is_whole_again(&self) {
        let mut status = String::new();
        until("the tenant does not heal", || {
            status = self.pintle(&["status", NAME, "--output=json"]);
            let status: Value = serde_json::from_str(&status).unwrap();
            let resources = status["resources"].as_array().unwrap();
            resources.iter().all(|one| one["health"] == "ready")
        });
    }

    /// Nothing is left but the namespace, which is not part of the release.
    fn ends(&self) {
        output(lab().args(["node", "remove", WORKER]));
        self.pintle(&["uninstall", NAME]);
        let kinds = "all,secrets,configmaps,serviceaccounts,persistentvolumeclaims,leases,\
                     poddisruptionbudgets,endpointslices";
        until("something of the tenant is left", || {
            let left = self.host(&["get", kinds, "--output=name"]);
            let mut left = left.lines();
            left.all(|name| {
                matches!(
                    name,
                    "configmap/kube-root-ca.crt" | "serviceaccount/default"
                )
            })
        });
        until("volumes of the tenant are left", || {
            let volumes = self.site.get(&["persistentvolumes"]);
            let mut volumes = volumes["items"].as_array().unwrap().iter();
            volumes.all(|one| one["spec"]["claimRef"]["namespace"] != *self.namespace)
        });
    }

    /// The tenant as `--into` names it.
    fn place(&self) -> String {
        format!("{}/{NAME}", self.namespace)
    }

    #[track_caller]
    fn pintle(&self, args: &[&str]) -> String {
        self.site
            .pintle(&[args, &["--namespace", &self.namespace]].concat())
    }

    /// What pintle says while it works.
    #[track_caller]
    fn progress(&self, args: &[&str]) -> String {
        let args = [args, &["--namespace", &self.namespace]].concat();
        let output = self.site.pintle_command(&args).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{text}");
        text
    }

    /// A kubectl for the tenant's namespace on the host.
    fn host_command(&self) -> Command {
        let mut kubectl = self.site.command("kubectl");
        kubectl.args(["--namespace", &self.namespace]);
        kubectl
    }

    #[track_caller]
    fn host(&self, args: &[&str]) -> String {
        output(self.host_command().args(args))
    }

    /// The images that the tenant's pods have.
    fn images(&self) -> String {
        let path = "--output=jsonpath={.items[*].spec.containers[*].image}";
        self.host(&["get", "pods", path])
    }

    /// The administrator's kubeconfig, as pintle gives it.
    fn kubeconfig(&self) -> PathBuf {
        let path = self.folder.path().join("kubeconfig");
        if !path.exists() {
            fs::write(&path, self.pintle(&["kubeconfig", NAME])).unwrap();
        }
        path
    }

    /// What kubectl says to the tenant's administrator.
    #[track_caller]
    fn tenant(&self, args: &[&str]) -> String {
        let mut kubectl = self.site.command("kubectl");
        kubectl.arg("--kubeconfig").arg(self.kubeconfig());
        output(kubectl.args(args).current_dir(repository()))
    }

    /// A kubectl that knows the tenant's address and authority, and nobody.
    fn stranger(&self, args: &[&str]) -> Command {
        let view = |path: &str| {
            let path = format!("--output=jsonpath={{.clusters[0].cluster.{path}}}");
            self.tenant(&["config", "view", "--raw", &path])
        };
        let authority = self.folder.path().join("ca.crt");
        let pem = BASE64_STANDARD.decode(view("certificate-authority-data"));
        fs::write(&authority, pem.unwrap()).unwrap();
        let nobody = self.folder.path().join("nobody");
        fs::write(&nobody, "apiVersion: v1\nkind: Config\n").unwrap();
        let mut kubectl = self.site.command("kubectl");
        kubectl.arg("--kubeconfig").arg(nobody);
        kubectl.args(["--server", &view("server")]);
        kubectl.arg("--certificate-authority").arg(authority);
        kubectl.args(args);
        kubectl
    }
}

fn component(pod: &Value) -> &Value {
    &pod["metadata"]["labels"]["app.kubernetes.io/component"]
}

/// Expects a command to fail and to say why.
#[track_caller]
fn refused(mut command: Command, why: &str) {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && text.contains(why), "{text}");
}

impl Drop for Story<'_> {
    fn drop(&mut self) {
        let delete = ["delete", "namespace", &self.namespace, "--ignore-not-found"];
        let mut kubectl = self.site.command("kubectl");
        let _ = kubectl.args(delete).arg("--wait=false").output();
    }
}
