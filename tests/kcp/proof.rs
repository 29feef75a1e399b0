//! What has to be true of a tenant's control plane that was booted.

use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::boot::{Answer, Tenant, answer, ask};

/// How long a controller may take. Real ones take seconds.
const PATIENCE: Duration = Duration::from_mins(1);

/// Asserts that `tenant` works, and lets in nobody but its own users; `other` is another one.
///
/// # Panics
/// If it is not so.
pub(crate) fn prove(tenant: &Tenant, other: &Tenant) {
    etcd_is_one_healthy_cluster(tenant);
    etcd_refuses_strangers(tenant, other);
    every_api_server_is_ready(tenant);
    both_leases_are_held(tenant);
    administrators_administer(tenant);
    workloads_are_made_and_scheduled(tenant);
    tokens_of_service_accounts_are_accepted(tenant);
    requests_for_certificates_are_signed(tenant);
    the_api_refuses_strangers(tenant, other);
}

fn etcd_is_one_healthy_cluster(tenant: &Tenant) {
    let members = tenant.addresses("etcd", "client");
    let own = Credentials::of(tenant);
    let ask = |arguments: &[&str]| -> Value {
        let answer = etcdctl(tenant, "https", &own, arguments);
        assert!(
            answer.is_good,
            "etcdctl {arguments:?}: {}",
            answer.complaint
        );
        serde_json::from_str(&answer.output).unwrap()
    };
    let listed = ask(&["member", "list", "--write-out=json"]);
    let listed = listed["members"].as_array().unwrap();
    assert_eq!(listed.len(), members.len());
    assert!(
        listed
            .iter()
            .all(|member| member["isLearner"].as_bool() != Some(true))
    );
    let status = ask(&["endpoint", "status", "--write-out=json"]);
    let headers = status.as_array().unwrap().iter();
    let mut clusters: Vec<_> = headers
        .map(|member| member["Status"]["header"]["cluster_id"].as_u64().unwrap())
        .collect();
    assert_eq!(clusters.len(), members.len());
    clusters.dedup();
    assert_eq!(
        clusters.len(),
        1,
        "the members are of several clusters: {status}"
    );
    let health = ask(&["endpoint", "health", "--write-out=json"]);
    let health = health.as_array().unwrap();
    assert!(
        health.iter().all(|member| member["health"] == true),
        "{health:?}"
    );
}

fn etcd_refuses_strangers(tenant: &Tenant, other: &Tenant) {
    let own = Credentials::of(tenant);
    let read = ["get", "/registry/namespaces/default", "--keys-only"];
    let is_let_in =
        |scheme, credentials: &Credentials| etcdctl(tenant, scheme, credentials, &read).is_good;
    assert!(is_let_in("https", &own));
    assert!(!is_let_in("http", &Credentials::default()), "plain HTTP");
    let authority = Credentials {
        authority: own.authority.clone(),
        ..Credentials::default()
    };
    assert!(!is_let_in("https", &authority), "without a certificate");
    let foreign = Credentials {
        authority: own.authority,
        ..Credentials::of(other)
    };
    assert!(
        !is_let_in("https", &foreign),
        "the certificate of another tenant"
    );
}

fn every_api_server_is_ready(tenant: &Tenant) {
    for index in 0..tenant.addresses("kube-apiserver", "https").len() {
        let api = tenant.api("kubeconfig-admin", index);
        assert_eq!(api.run(&["get", "--raw", "/readyz"]), "ok");
        // Its certificate is also good for the name by which others find it.
        let name = tenant.host_name("apiserver");
        let api = api.with(&["--tls-server-name", &name]);
        assert_eq!(api.run(&["get", "--raw", "/readyz"]), "ok");
    }
    let slice = "--selector=kubernetes.io/service-name=kubernetes";
    let mut wanted = tenant.pod_ips("kube-apiserver");
    wanted.sort();
    eventually(
        "the Service kubernetes leads to every kube-apiserver",
        || {
            let slices = tenant
                .api("kubeconfig-super-admin", 0)
                .get(&["endpointslices", slice]);
            let endpoints = slices["items"][0]["endpoints"].as_array()?.iter();
            let mut found: Vec<_> = endpoints
                .map(|endpoint| endpoint["addresses"][0].as_str().unwrap().to_owned())
                .collect();
            found.sort();
            (found == wanted).then_some(())
        },
    );
}

fn both_leases_are_held(tenant: &Tenant) {
    let api = tenant
        .api("kubeconfig-super-admin", 0)
        .with(&["--namespace=kube-system"]);
    for name in ["kube-controller-manager", "kube-scheduler"] {
        eventually(&format!("the lease {name} is held"), || {
            let leases = api.get(&[
                "leases",
                "--field-selector",
                &format!("metadata.name={name}"),
            ]);
            let holder = leases["items"][0]["spec"]["holderIdentity"].as_str()?;
            (!holder.is_empty()).then_some(())
        });
    }
}

/// Binds the role that the chart leaves to whoever sets the tenant up.
fn administrators_administer(tenant: &Tenant) {
    let admin = tenant.api("kubeconfig-admin", 0);
    let may = ["auth", "can-i", "*", "*"];
    assert!(
        !admin.try_run(&may).is_good,
        "the group of administrators has a role already"
    );
    tenant
        .api("kubeconfig-super-admin", 0)
        .apply(&fixture("roles.yaml"));
    eventually("administrators may do everything", || {
        admin.try_run(&may).is_good.then_some(())
    });
}

fn workloads_are_made_and_scheduled(tenant: &Tenant) {
    let admin = tenant.api("kubeconfig-admin", 0);
    admin.apply(&fixture("workload.yaml"));
    eventually("both pods are scheduled", || {
        let pods = admin.get(&["pods", "--namespace=shop"]);
        let pods = pods["items"].as_array()?;
        let is_bound = |pod: &Value| pod["spec"]["nodeName"] == "worker";
        (pods.len() == 2 && pods.iter().all(is_bound)).then_some(())
    });
    let node = admin.get(&["node", "worker"]);
    assert!(
        node["spec"]["podCIDR"].is_string(),
        "the node has no part of the pod network"
    );
}

fn tokens_of_service_accounts_are_accepted(tenant: &Tenant) {
    let admin = tenant.api("kubeconfig-admin", 0);
    let token = admin.run(&["create", "token", "default", "--namespace=shop"]);
    // Signed by one, read by all.
    let last = tenant.addresses("kube-apiserver", "https").len() - 1;
    let api = tenant.api_by_token(token.trim(), last);
    let who = api.run(&[
        "auth",
        "whoami",
        "--output=jsonpath={.status.userInfo.username}",
    ]);
    assert_eq!(who, "system:serviceaccount:shop:default");
}

fn requests_for_certificates_are_signed(tenant: &Tenant) {
    let admin = tenant.api("kubeconfig-admin", 0);
    admin.apply(&fixture("request.yaml"));
    admin.run(&["certificate", "approve", "someone"]);
    eventually("the request is signed", || {
        let request = admin.get(&["certificatesigningrequest", "someone"]);
        request["status"]["certificate"].as_str().map(|_| ())
    });
}

fn the_api_refuses_strangers(tenant: &Tenant, other: &Tenant) {
    let authority = tenant.secret_file("kubernetes-ca", "tls.crt");
    let server = tenant.server(0);
    match ask(
        &server,
        "/api/v1/namespaces",
        Some(authority.clone().into()),
    ) {
        Err(kube::Error::Api(status)) => assert_eq!(status.code, 403, "{status:?}"),
        answer => panic!("nobody may list namespaces: {answer:?}"),
    }
    let foreign = other.api("kubeconfig-super-admin", 0);
    let flags = ["--server", &server, "--certificate-authority", &authority];
    let answer = foreign.with(&flags).try_run(&["get", "namespaces"]);
    assert!(
        !answer.is_good,
        "the administrator of another tenant is let in"
    );
    assert!(
        answer.complaint.contains("Unauthorized"),
        "{}",
        answer.complaint
    );
}

/// What etcdctl identifies itself and others by.
#[derive(Debug, Default)]
struct Credentials {
    authority: Option<String>,
    pair: Option<[String; 2]>,
}

impl Credentials {
    fn of(tenant: &Tenant) -> Self {
        let pair = ["tls.crt", "tls.key"];
        Self {
            authority: Some(tenant.secret_file("etcd-ca", "tls.crt")),
            pair: Some(pair.map(|key| tenant.secret_file("etcd-healthcheck-client", key))),
        }
    }
}

/// Runs etcdctl on all members of a tenant.
fn etcdctl(tenant: &Tenant, scheme: &str, credentials: &Credentials, arguments: &[&str]) -> Answer {
    let members = tenant.addresses("etcd", "client").into_iter();
    let members: Vec<_> = members
        .map(|member| format!("{scheme}://{member}"))
        .collect();
    let mut command = tenant.host().command("etcdctl");
    command
        .arg("--command-timeout=2s")
        .arg("--endpoints")
        .arg(members.join(","));
    if let Some(authority) = &credentials.authority {
        command.arg("--cacert").arg(authority);
    }
    if let Some([certificate, key]) = &credentials.pair {
        command.args(["--cert", certificate, "--key", key]);
    }
    answer(command.args(arguments))
}

fn fixture(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests/kcp/tenant", name]
        .iter()
        .collect()
}

/// Asks until there is an answer.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        sleep(Duration::from_millis(200));
    }
}
