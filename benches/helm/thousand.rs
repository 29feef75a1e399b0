//! One process that renders a chart for a thousand tenants by the library.

use std::hint::black_box;

use pintle::capabilities::Capabilities;
use pintle::chart::{Layer, Overrides};
use pintle::ops::{Prepared, TemplateRequest};
use pintle::render::{Notes, Operation, with_room};
use pintle::source::{self, ChartRef};

/// The argument by which the benchmark tells itself to do this work.
pub(crate) const WORK: &str = "--render-tenants";
/// How many tenants there are.
pub(crate) const TENANTS: u32 = 1000;

/// Renders the chart at `path` for tenants with different names and values: their layers of
/// values, the schema and its rules, the templates, and the resources that come out.
pub(crate) fn render(path: &str) {
    let reference = ChartRef::parse(path).expect("a folder");
    let chart = source::load(&reference).expect("a chart");
    let prepared = Prepared::new(&chart).expect("a chart without faults");
    let capabilities = Capabilities::builtin();
    with_room(|| {
        for number in 0..TENANTS {
            let release = format!("tenant-{number}");
            let templated = prepared.template(&TemplateRequest {
                overrides: &overrides(number),
                release: &release,
                namespace: &release,
                capabilities: &capabilities,
                operation: Operation::Install,
                notes: Notes::Root,
            });
            let templated = templated.expect("values that fit the chart");
            assert!(templated.manifest.resources.len() > 20);
            black_box(templated.manifest.to_text());
        }
    });
}

/// The values of one tenant.
fn overrides(number: u32) -> Overrides {
    let text = format!(
        "clusterName: customer-{number}\n\
         endpoint:\n  type: LoadBalancer\n  host: api-{number}.example.com\n\
         networking:\n  podCIDRs:\n  - 10.{}.0.0/16\n\
         etcd:\n  replicas: {}\n  extraArgs:\n    heartbeat-interval: {}\n\
         apiServer:\n  replicas: {}\n",
        number % 90,
        1 + number % 3 * 2,
        100 + number,
        1 + number % 4,
    );
    let name = format!("tenant-{number}.yaml");
    Overrides {
        layers: vec![
            Layer::File { name, text },
            Layer::Set(format!("scheduler.extraArgs.v={}", number % 5)),
        ],
    }
}
