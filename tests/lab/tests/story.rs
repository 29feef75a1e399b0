//! The life of one tenant on real nodes, from its installation to its end, by the commands that an
//! operator types.

mod quorum;
mod readme;
mod writer;

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::Request;
use lab::place::Node;
use serde_json::{Value, json};

use crate::site::{lab, output, page, repository, shared, until};
use crate::tenant::Tenant;
use quorum::Watch;
use readme::Readme;
use writer::Writer;

/// A node of the host cluster.
const HOST: &str = "host-2";
/// The machine that joins the tenant.
const WORKER: &str = "worker-1";
/// The life of a tenant, by the commands of the README.
struct Story<'a>(Tenant<'a>, Readme);

pub(crate) fn of_a_tenant() {
    let site = shared();
    let story = Story(Tenant::new(&site, "story"), Readme::read());
    tell(
        &story,
        &[
            ("begins", Story::begins),
            ("gets what nodes need", Story::gets_what_nodes_need),
            ("lets in its own", Story::lets_in_its_own),
            ("serves from a worker", Story::serves_from_a_worker),
            ("is upgraded under load", Story::is_upgraded_under_load),
            ("heals", Story::heals),
            ("ends", Story::ends),
        ],
    );
    story.1.expect_end();
}

type Chapter<'a> = (&'static str, fn(&Story<'a>));

/// Tells chapter after chapter, and how long each takes.
fn tell<'a>(story: &Story<'a>, chapters: &[Chapter<'a>]) {
    for (name, chapter) in chapters {
        let begun = Instant::now();
        chapter(story);
        eprintln!("a tenant {name}: {:.1} s", begun.elapsed().as_secs_f64());
    }
}

impl Story<'_> {
    /// Three members, their API and its clients become ready, in this order.
    fn begins(&self) {
        for _ in 0..2 {
            self.plays("lab node add host-");
        }
        self.plays("lab node add worker-1 --bare");
        let progress = self.plays("pintle install tenant-a charts/kcp").1;
        let at = |line: &str| {
            let found = progress.find(line);
            found.unwrap_or_else(|| panic!("{line:?} is not in {progress}"))
        };
        assert!(at("group etcd") < at("group apiserver"), "{progress}");
        assert!(at("group apiserver") < at("group clients"), "{progress}");
        self.0.has_containers(6);
        let volumes = self.0.volumes();
        let nodes = self.0.site.nodes();
        for node in nodes.iter().filter(|node| node.name.starts_with("host-")) {
            let folder = Node::folder(&self.0.site.folder, &node.name);
            let here = volumes.iter().filter(|volume| volume.starts_with(&folder));
            assert_eq!(here.count(), 1, "{volumes:?}");
        }
    }

    fn gets_what_nodes_need(&self) {
        self.plays("pintle install addons charts/tenant");
        let (listed, _) = self.plays("pintle list");
        assert!(listed.contains("addons"), "{listed}");
        // Its history is inside the tenant.
        let outside = self.0.pintle(&["list"]);
        assert!(!outside.contains("addons"), "{outside}");
    }

    /// What has to work for those who are let in, and who is not.
    fn lets_in_its_own(&self) {
        assert_eq!(self.tenant(&["get", "--raw=/readyz"]), "ok");
        assert_eq!(self.tenant(&["auth", "can-i", "*", "*"]).trim(), "yes");
        self.tenant(&["create", "namespace", "shop"]);
        until("a new namespace gets no account", || {
            let account = ["--namespace=shop", "get", "serviceaccount", "default"];
            !self
                .tenant(&[&account[..], &["--ignore-not-found"]].concat())
                .is_empty()
        });
        let token = self.tenant(&["--namespace=shop", "create", "token", "default"]);
        let name = "--output=jsonpath={.status.userInfo.username}";
        let mut who = self.bearer(token.trim());
        who.args(["auth", "whoami", name]);
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
        assert_eq!(self.status_for_nobody("/api/v1/namespaces"), 403);
        let (server, authority) = self.server();
        let mut foreign = self.0.kubectl(&self.0.site.kubeconfig);
        foreign.args(["--server", &server, "get", "namespaces"]);
        foreign.arg("--certificate-authority").arg(authority);
        let output = foreign.output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(text.contains("must be logged in"), "{text}");
    }

    /// A bare machine joins by the line as it is, and serves.
    fn serves_from_a_worker(&self) {
        self.plays("lab node exec worker-1 -- $(pintle join");
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
        let worker = self.0.site.node(WORKER).unwrap().address;
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
        let run = [
            "run",
            "client",
            "--image=docker.io/library/busybox:lab",
            "--restart=Never",
        ];
        let ask = [
            "--command",
            "--",
            "wget",
            "-q",
            "-O",
            "-",
            "http://web.default.svc.cluster.local",
        ];
        self.tenant(&[&run[..], &ask[..]].concat());
        until("a pod does not find nginx by its name", || {
            let phase = "--output=jsonpath={.status.phase}";
            self.tenant(&["get", "pod", "client", phase]) == "Succeeded"
        });
        let page = self.tenant(&["logs", "client"]);
        assert!(page.contains("Welcome to nginx"), "{page}");
    }

    /// Two API servers, another flag, and another patch of etcd, while a client writes; and back.
    fn is_upgraded_under_load(&self) {
        let watch = Watch::start(self.host_command(), 3);
        let writer = Writer::start(self.0.site.command("kubectl"), self.kubeconfig());
        self.plays("pintle upgrade");
        let images = self.images();
        assert!(images.contains("etcd:3.6.12-0"), "{images}");
        assert_eq!(images.matches("kube-apiserver:").count(), 2, "{images}");
        self.plays("pintle rollback");
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
        let (status, _) = self.plays("pintle status");
        assert!(status.contains("of 1 pods ready"), "{status}");
        self.is_whole_again();
        let before = self.running();
        output(lab().args(["node", "restart", HOST]));
        // Until the kubelet is back, the host believes that nothing has happened.
        until("nothing on the restarted node is started anew", || {
            let now = self.running();
            let kept = now.iter().filter(|container| before.contains(container));
            now.len() == before.len() && kept.count() < before.len()
        });
        self.is_whole_again();
        let page = self.tenant(&["get", "node", WORKER, "--no-headers"]);
        assert!(page.contains(" Ready "), "{page}");
    }

    fn is_whole_again(&self) {
        let mut status = String::new();
        until("the tenant does not heal", || {
            status = self.0.pintle(&["status", &self.0.name, "--output=json"]);
            let status: Value = serde_json::from_str(&status).unwrap();
            let resources = status["resources"].as_array().unwrap();
            resources.iter().all(|one| one["health"] == "ready")
        });
        until("the tenant does not answer", || {
            let kubeconfig = self.kubeconfig();
            let mut kubectl = self.0.kubectl(&kubeconfig);
            kubectl
                .args(["get", "--raw=/readyz"])
                .output()
                .unwrap()
                .stdout
                == b"ok"
        });
    }

    /// The containers that run, as the host knows them.
    fn running(&self) -> Vec<String> {
        let path = "--output=jsonpath={range .items[*].status.containerStatuses[?(@.ready==true)]}\
                    {.containerID}{\"\\n\"}{end}";
        let text = self.host(&["get", "pods", path]);
        text.lines().map(str::to_owned).collect()
    }

    /// Runs the next command of the README, and returns what it prints on stdout and on stderr.
    #[track_caller]
    fn plays(&self, start: &str) -> (String, String) {
        let output = self.1.next(start, &self.0);
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        (text(&output.stdout), text(&output.stderr))
    }

    /// Nothing is left but the namespace, which is not part of the release.
    fn ends(&self) {
        output(lab().args(["node", "remove", WORKER]));
        self.plays("pintle uninstall");
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
            self.0.volumes().is_empty()
        });
    }

    /// A kubectl for the tenant's namespace on the host.
    fn host_command(&self) -> Command {
        let mut kubectl = self.0.site.command("kubectl");
        kubectl.args(["--namespace", &self.0.name]);
        kubectl
    }

    #[track_caller]
    fn host(&self, args: &[&str]) -> String {
        output(self.host_command().args(args))
    }

    /// The images of the tenant's pods. One whose containers have ended may not be gone yet.
    fn images(&self) -> String {
        let path = "--output=jsonpath={.items[*].spec.containers[*].image}";
        self.host(&["get", "pods", "--field-selector=status.phase=Running", path])
    }

    /// The administrator's kubeconfig, as pintle gives it.
    fn kubeconfig(&self) -> PathBuf {
        self.0.kubeconfig("admin")
    }

    /// What kubectl says to the tenant's administrator.
    #[track_caller]
    fn tenant(&self, args: &[&str]) -> String {
        let mut kubectl = self.0.kubectl(&self.kubeconfig());
        output(kubectl.args(args).current_dir(repository()))
    }

    /// The address of the API, and a file with its authority.
    fn server(&self) -> (String, PathBuf) {
        let view = |path: &str| {
            let path = format!("--output=jsonpath={{.clusters[0].cluster.{path}}}");
            self.tenant(&["config", "view", "--raw", &path])
        };
        let authority = self.0.folder.path().join("ca.crt");
        let pem = BASE64_STANDARD.decode(view("certificate-authority-data"));
        fs::write(&authority, pem.unwrap()).unwrap();
        (view("server"), authority)
    }

    /// A kubectl whose user has a token.
    fn bearer(&self, token: &str) -> Command {
        let (server, authority) = self.server();
        let path = self.0.folder.path().join("bearer");
        let file = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "it",
            "clusters": [{"name": "it", "cluster": {
                "server": server, "certificate-authority": authority}}],
            "users": [{"name": "it", "user": {"token": token}}],
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        });
        fs::write(&path, file.to_string()).unwrap();
        self.0.kubectl(&path)
    }

    /// How the API answers somebody who does not say who they are.
    fn status_for_nobody(&self, path: &str) -> u16 {
        let (server, authority) = self.server();
        // Fails only if there is one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut config = kube::Config::new(server.parse().unwrap());
        config.root_cert_file = Some(authority);
        let request = Request::get(path).body(Vec::new()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build().unwrap();
        let answer = runtime.block_on(async {
            let client = kube::Client::try_from(config)?;
            client.request_text(request).await
        });
        match answer {
            Err(kube::Error::Api(status)) => status.code,
            answer => panic!("{answer:?}"),
        }
    }
}
