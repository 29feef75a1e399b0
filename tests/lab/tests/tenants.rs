//! Tenants that are reached inside the host cluster only.

use std::path::PathBuf;

use crate::site::{output, shared, until};
use crate::tenant::Tenant;

pub(crate) fn of_one_member() {
    let site = shared();
    let tenant = Tenant::new(&site, "one");
    tenant.install(&[]);
    tenant.has_containers(4);

    // Nodes of the host cluster reach it by the address of its Service.
    let service = tenant.service();
    let address = tenant.get(&["service", &service]);
    let address = address["spec"]["clusterIP"].as_str().unwrap();
    let server_name = format!("{service}.{}.svc", tenant.name);
    let mut kubectl = tenant.kubectl(&tenant.kubeconfig("super-admin"));
    kubectl.args(["--server", &format!("https://{address}:6443")]);
    kubectl.args(["--tls-server-name", &server_name]);
    assert_eq!(output(kubectl.args(["get", "--raw=/readyz"])), "ok");

    // pintle goes through the host's API, from anywhere.
    let into = tenant.name.as_str();
    site.pintle(&[
        "install",
        "web",
        "examples/web",
        "--into",
        into,
        "--no-wait",
    ]);
    let listed = site.pintle(&["list", "--into", into, "--output=json"]);
    assert!(listed.contains("\"kube-system\""), "{listed}");
    site.pintle(&["uninstall", "web", "--into", into, "--no-wait"]);

    let [volume] = <[PathBuf; 1]>::try_from(tenant.volumes()).unwrap();
    assert!(
        volume.join("data/member/snap/db").exists(),
        "{}",
        volume.display()
    );
    tenant.pintle(&["uninstall", &tenant.name]);
    until("the data of an uninstalled tenant stays", || {
        tenant.volumes().is_empty() && !volume.exists()
    });
}
