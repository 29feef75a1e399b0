//! Lists that do not fit into one page, and pages that the API server has forgotten meanwhile.

use std::process::Command;
use std::sync::{Arc, Mutex};

use ::testbed::Meddler;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use futures::StreamExt as _;
use futures::stream;
use serde_json::Value;

use super::list::check_same;
use super::{cluster, revision, store};
use crate::plan::requests::Listening;
use crate::support::{Place, testbed};

/// More than a page holds.
const RELEASES: usize = 603;

/// Has etcd forget all that was before a revision.
fn compact(revision: &str) {
    let mut etcdctl = Command::new(testbed().bin.join("etcdctl"));
    let etcdctl = etcdctl.args(["--endpoints", &testbed().etcd, "compaction", revision]);
    let output = etcdctl.output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// The same request for a page, with a token from long ago.
fn aged(line: &str) -> String {
    let (before, rest) = line.split_once("continue=").unwrap();
    let end = rest.find(['&', ' ']).unwrap();
    let token = BASE64_URL_SAFE_NO_PAD.decode(&rest[..end]).unwrap();
    let mut token: Value = serde_json::from_slice(&token).unwrap();
    assert!(token["rv"].as_i64() > Some(1), "{token}");
    token["rv"] = 1.into();
    let token = BASE64_URL_SAFE_NO_PAD.encode(token.to_string());
    format!("{before}continue={token}{}", &rest[end..])
}

#[tokio::test]
async fn releases_are_listed_page_by_page_and_again_from_the_first_where_one_has_expired() {
    let place = Place::new("pages");
    let cluster = cluster(&place).await;
    let releases = (0..RELEASES).map(|number| {
        let name = format!("shop-{number:03}");
        revision(&place, (&name, 1, "deployed"), 1)
    });
    let stored = stream::iter(releases)
        .map(async |release| store(&cluster, &release).await)
        .buffer_unordered(16);
    stored.collect::<()>().await;

    let all = ["list", "-q", "--max", "0"];
    let listed = check_same(&place, &all);
    assert_eq!(listed.stdout.lines().count(), RELEASES);
    let listening = Listening::on(&place);
    let requests = listening.requests(&place, &all);
    let pages = requests.iter().map(|line| line.contains("continue="));
    assert_eq!(pages.collect::<Vec<_>>(), [false, true], "{requests:?}");

    let newest = &place.versions(&["secret/sh.helm.release.v1.shop-602.v1"])[0];
    compact(newest);
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let act = move |line: &mut String| {
        let mut seen = seen.lock().unwrap();
        let is_next = line.contains("continue=");
        if is_next && !seen.contains(&true) {
            *line = aged(line);
        }
        seen.push(is_next);
    };
    let gateway = place.gateway();
    let through = place.folder().join("aged.kubeconfig");
    let meddler = Meddler::open(&gateway, &through, act).unwrap();
    let through = ["--kubeconfig", meddler.kubeconfig().to_str().unwrap()];
    let again = place.pintle(&[&all[..], &through].concat()).ok();
    assert_eq!(again.stdout, listed.stdout);
    assert_eq!(*asked.lock().unwrap(), [false, true, false, true]);
}
