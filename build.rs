//! Links the program at a fixed address.
//!
//! A position-independent program of this size has forty thousand addresses to correct at each start, which takes
//! a fifth of the time of a short command. Go's tools are linked like this as well; the heap, the stack and
//! libraries stay at random addresses.

#![expect(
    clippy::disallowed_methods,
    reason = "Cargo tells build scripts about the target in the environment"
)]

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target = |key: &str| std::env::var(format!("CARGO_CFG_TARGET_{key}")).unwrap_or_default();
    if target("OS") == "linux" && target("ENV") == "gnu" {
        println!("cargo:rustc-link-arg-bin=pintle=-no-pie");
    }
}
