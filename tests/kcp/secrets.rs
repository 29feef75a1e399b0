//! Everything that pintle prints and records, held against the keys of a tenant. ([`Site`] does
//! that for every test; this one prints all there is.)

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use super::CHART;
use super::site::Site;
use crate::support::path;

const FORMATS: [&str; 3] = ["table", "json", "yaml"];

/// Runs every command that only reads, in these formats.
fn read_all(site: &Site, formats: &[&str]) {
    let chart = path(CHART);
    for what in ["all", "hooks", "manifest", "notes", "values"] {
        site.pintle(&["get", what, "a"]).ok();
    }
    site.pintle(&["template", "a", &chart]).ok();
    for format in formats {
        for command in [
            &["list"][..],
            &["status", "a"],
            &["history", "a"],
            &["get", "values", "a", "--all"],
            &["diff", "a", &chart],
            &[
                "diff",
                "a",
                &chart,
                "--set",
                "endpoint.extraSANs={b.example}",
            ],
        ] {
            site.pintle(&[command, &["-o", format]].concat()).ok();
        }
    }
}

/// Cuts the private key in a Secret off in its middle.
fn cut_key(site: &Site, secret: &str) {
    let data = site.get(&["secret", secret])["data"]["tls.key"].clone();
    let key = BASE64_STANDARD.decode(data.as_str().unwrap()).unwrap();
    let half = BASE64_STANDARD.encode(&key[..key.len() / 2]);
    let patch = json!({"data": {"tls.key": half}}).to_string();
    site.kubectl(&["patch", "secret", secret, "--patch", &patch])
        .ok();
}

#[test]
fn no_private_key_comes_out() {
    let site = Site::new("keys");
    let chart = path(CHART);
    let upgrade = ["upgrade", "a", &chart];
    site.pintle(&["install", "a", &chart, "--dry-run", "-o", "yaml"])
        .ok();
    site.pintle(&["install", "a", &chart, "-o", "json"]).ok();
    read_all(&site, &FORMATS);
    let renamed = ["--set", "endpoint.extraSANs={a.example}", "-o", "yaml"];
    site.pintle(&[&upgrade[..], &renamed].concat()).ok();
    site.lose("a-etcd-ca");
    cut_key(&site, "a-front-proxy-client");
    read_all(&site, &["yaml"]);
    site.pintle(&[&upgrade[..], &["--dry-run"]].concat()).ok();
    site.pintle(&upgrade).ok();
    site.pintle(&["rollback", "a", "1", "-o", "json"]).ok();
    read_all(&site, &["json"]);
    // There is no node for these pods.
    let stuck = [
        "--set",
        "scheduler.nodeSelector.no=where",
        "--timeout",
        "3s",
    ];
    site.pintle(&[&upgrade[..], &stuck].concat()).fails_with(3);
    read_all(&site, &FORMATS);
    // The claims of a StatefulSet cannot change, so it is made anew, and its pods stay.
    let other = ["--set", "etcd.storage.storageClass=other"];
    site.pintle(&[&upgrade[..], &other].concat())
        .ok()
        .says(&["recreated StatefulSet a-etcd"]);
    let refused = ["--set", "scheduler.nodeSelector.no=wh!ere"];
    let run = site.pintle(&[&upgrade[..], &refused].concat());
    assert_ne!(run.code, Some(0), "{run}");
    site.pintle(&["rollback", "a", "1"]).ok();
    read_all(&site, &["table"]);
    site.pintle(&["uninstall", "a", "-o", "json"]).ok();
    site.pintle(&["install", "a", &chart, "--no-wait"]).ok();
    site.pintle(&["uninstall", "a"]).ok();
}
