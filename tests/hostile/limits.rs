//! The limits let pass what is large and means no harm, and can be set.

use std::fmt::Write as _;
use std::process::{Command, Output};

use super::{TEMPLATE, Trap};

/// Runs pintle in `work` of the trap with nothing but `variables` in its environment.
fn run(trap: &Trap, args: &[&str], variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pintle"))
        .args(args)
        .env_clear()
        .envs(variables.iter().copied())
        .current_dir(trap.path("work"))
        .output()
        .unwrap()
}

fn many_resources() -> Trap {
    Trap::new().with(
        "small/templates/maps.yaml",
        "{% for at in range(end=2000) %}\n---\napiVersion: v1\nkind: ConfigMap\n\
         metadata: {name: map-{{ at }}}\ndata: {number: '{{ at }}'}\n{% endfor %}",
    )
}

#[test]
fn large_charts_and_values_pass() {
    let mut values = String::new();
    for at in 0..40_000 {
        writeln!(
            values,
            "key-{at}: value-{at} of forty thousand, each on one line"
        )
        .unwrap();
    }
    let trap = many_resources().with("more.yaml", values);
    let output = run(&trap, &[TEMPLATE, &["-f", "more.yaml"]].concat(), &[]);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(text.matches("kind: ConfigMap").count(), 2000);
}

#[track_caller]
fn check(variable: &str, value: &str, expected: &str) {
    let output = run(&many_resources(), TEMPLATE, &[(variable, value)]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(output.stdout, b"");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(errors.lines().next(), Some(expected));
}

#[test]
fn the_environment_sets_limits() {
    check(
        "PINTLE_CHART_SECONDS",
        "0.001",
        "error: ./small takes more than 0.001 s of the processor",
    );
    for bad in ["0", "-1", "nan", "inf", "1e99", "2s"] {
        let expected = "error: PINTLE_CHART_SECONDS must be a number above 0";
        check("PINTLE_CHART_SECONDS", bad, expected);
    }
    for bad in ["0", "-1", "1.5", "1Gi"] {
        let expected = "error: PINTLE_CHART_MEMORY must be a number above 0";
        check("PINTLE_CHART_MEMORY", bad, expected);
    }
}
