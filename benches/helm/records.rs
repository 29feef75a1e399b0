//! `list`, `history` and `status` over records of the sizes that hosts have, as pintle and as Helm leave
//! them: with the summary, and without.

use jiff::Timestamp;
use pintle::capabilities::Kind;
use pintle::cluster::{Address, Cluster, Patch, Target, Write};
use pintle::history::Store;
use pintle::release::Release;
use serde_json::json;

use crate::Bench;
use crate::table::{Goal, Row};

/// Records of one size.
struct Stock {
    namespace: &'static str,
    /// How many releases there are, and how many revisions each has.
    releases: usize,
    revisions: u32,
    /// The size of each payload in bytes.
    size: usize,
    /// Whether Helm wrote them last.
    by_helm: bool,
}

const STOCKS: [Stock; 4] = [
    Stock {
        namespace: "records-small",
        releases: 100,
        revisions: 10,
        size: 16 << 10,
        by_helm: false,
    },
    Stock {
        namespace: "records-small-helm",
        releases: 100,
        revisions: 10,
        size: 16 << 10,
        by_helm: true,
    },
    Stock {
        namespace: "records-large",
        releases: 5,
        revisions: 10,
        size: 880 << 10,
        by_helm: false,
    },
    Stock {
        namespace: "records-large-helm",
        releases: 5,
        revisions: 10,
        size: 880 << 10,
        by_helm: true,
    },
];

/// The rows over all stocks.
pub(crate) fn rows(bench: &Bench) -> Vec<Row> {
    let kubectl = bench.program("kubectl".as_ref());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let mut rows = vec![];
    for stock in &STOCKS {
        kubectl.run(&["create", "namespace", stock.namespace]);
        runtime.block_on(fill(stock));
        rows.extend(measure(bench, stock));
        let gone = ["delete", "namespace", stock.namespace, "--wait=false"];
        kubectl.run(&gone);
    }
    rows
}

fn measure(bench: &Bench, stock: &Stock) -> Vec<Row> {
    let place = ["--namespace", stock.namespace];
    let whose = if stock.by_helm {
        " that Helm wrote"
    } else {
        ""
    };
    let count = stock.releases * stock.revisions as usize;
    let what = format!("{count} records of {} KiB{whose}", stock.size >> 10);
    let row = |work: &str, args: &[&str], goal| {
        let args = [args, &place].concat();
        Row::new(work, bench.pair(&args, &args), goal)
    };
    // The goals are those for records that pintle wrote.
    let goal = |time, memory| Goal {
        time: if stock.by_helm { 0.0 } else { time },
        memory: if stock.by_helm { 0.0 } else { memory },
    };
    let mut rows = vec![row(
        &format!("`list` with {what}"),
        &["list"],
        goal(20.0, 8.0),
    )];
    if stock.releases < 100 {
        let what = format!("{} × {} KiB{whose}", stock.revisions, stock.size >> 10);
        let history = ["history", "shop-0"];
        rows.push(row(
            &format!("`history` of {what}"),
            &history,
            goal(20.0, 0.0),
        ));
        let status = ["status", "shop-0"];
        rows.push(row(&format!("`status` of {what}"), &status, goal(0.0, 0.0)));
    }
    rows
}

async fn fill(stock: &Stock) {
    let target = Target {
        kubeconfig: None,
        context: None,
        namespace: Some(stock.namespace.to_owned()),
    };
    let cluster = Cluster::connect(&target).await.expect("a cluster");
    let store = Store::in_namespace(&cluster, stock.namespace);
    // Compression takes back what the base64 of the record adds.
    let noise = noise(stock.size - 1024);
    for number in 0..stock.releases {
        for revision in 1..=stock.revisions {
            let mut release = release(stock, (number, revision), &noise);
            let created = store.create(&mut release, Timestamp::UNIX_EPOCH).await;
            created.expect("a record");
            if stock.by_helm {
                strip(&cluster, &release).await;
            }
        }
    }
}

/// Takes the summary away, as Helm does when it writes.
async fn strip(cluster: &Cluster, release: &Release) {
    let name = format!("sh.helm.release.v1.{}.v{}", release.name, release.revision);
    let kind = Kind::core("Secret", "secrets");
    let at = Address {
        kind: &kind,
        namespace: Some(&release.namespace),
        name: &name,
    };
    let none = json!({"metadata": {"annotations": null}});
    let patched = cluster.patch(&at, Patch::Merge(&none), Write::by("helm"));
    patched.await.expect("a record");
}

fn release(stock: &Stock, (number, revision): (usize, u32), noise: &str) -> Release {
    let status = if revision == stock.revisions {
        "deployed"
    } else {
        "superseded"
    };
    let time = "2026-11-01T10:00:00Z";
    serde_json::from_value(json!({
        "name": format!("shop-{number}"), "namespace": stock.namespace, "version": revision,
        "info": {
            "first_deployed": time, "last_deployed": time, "status": status,
            "description": "Upgrade complete",
        },
        "chart": {
            "metadata": {"name": "shop", "version": "1.2.3", "apiVersion": "v2"},
            "templates": [{"name": "templates/all.yaml", "data": noise}],
        },
    }))
    .expect("a release")
}

/// Characters of base64 that do not compress further than to their six bits.
fn noise(length: usize) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut state = 7_u64;
    let digit = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        char::from(DIGITS[usize::try_from(state >> 58).unwrap_or_default()])
    };
    std::iter::repeat_with(digit).take(length).collect()
}
