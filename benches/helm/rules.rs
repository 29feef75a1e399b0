//! What the rules of a schema cost, in this process.

use std::hint::black_box;
use std::time::Instant;

use pintle::chart::Values;
use pintle::chart::schema::Schema;

/// Five rules of the usual kinds: comparisons, a macro, a pattern, quantities and a change.
const SCHEMA: &str = r#"{
  "type": "object",
  "x-kubernetes-validations": [
    {"rule": "self.replicas.min <= self.replicas.max", "message": "min is over max"},
    {"rule": "self.zones.exists(zone, zone == self.home)", "message": "home is no zone"},
    {"rule": "self.host.matches('^[a-z0-9-]+([.][a-z0-9-]+)*$')", "message": "is no host name"},
    {"rule": "quantity(self.request).compareTo(quantity(self.limit)) <= 0", "message": "is over its limit"},
    {"rule": "self.home == oldSelf.home", "message": "home cannot change"}
  ]
}"#;

const VALUES: &str = "replicas: {min: 1, max: 3}\nzones: [a, b, c]\nhome: b\nhost: api.example.com\n\
                      request: 500Mi\nlimit: 1Gi\n";

/// How often they are checked.
const CHECKS: u32 = 1000;

/// Compiles the rules and checks values by them, and says how long that took.
pub(crate) fn five() -> String {
    let values = Values::parse("values.yaml", VALUES).expect("values");
    let begin = Instant::now();
    let schema = Schema::compile(SCHEMA.as_bytes()).expect("a schema");
    let compiled = begin.elapsed();
    let begin = Instant::now();
    for _ in 0..CHECKS {
        black_box(schema.check(black_box(&values), &[&values])).expect("values that fit");
    }
    let checked = begin.elapsed() / CHECKS;
    format!(
        "A schema with five rules: compiled in {} µs, checked in {} µs.",
        compiled.as_micros(),
        checked.as_micros()
    )
}
