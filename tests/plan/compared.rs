//! `diff` beside other things than a chart: the release's own record, and two records.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::weak_points::{age, budget};
use super::{chart, deployment};
use crate::support::Place;

/// A page of eight lines, and a password.
fn shop(place: &Place, (line, password, replicas): (&str, &str, u8)) -> String {
    let numbered = |number: u8| format!("    line {number}\n");
    let lines: Vec<String> = (1..=8).map(numbered).collect();
    let lines = lines.concat().replace("line 5", line);
    let text = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: page}}\ndata:\n  page.txt: |\n{lines}\
         ---\napiVersion: v1\nkind: Secret\nmetadata: {{name: login}}\nstringData: {{password: \
         {password}}}\n{}",
        deployment("web", replicas, "")
    );
    chart(place, "shop", &text)
}

#[test]
fn records_are_compared_with_each_other() {
    let place = Place::new("records");
    let first = ("line 5", "first-one", 1);
    place
        .pintle(&["install", "a", &shop(&place, first), "--no-wait"])
        .ok();
    for next in [
        ("line five", "second-one", 1),
        ("line five", "second-one", 2),
    ] {
        let chart = shop(&place, next);
        place.pintle(&["upgrade", "a", &chart, "--no-wait"]).ok();
    }
    // What is live does not matter.
    place
        .kubectl(&["scale", "deployment/web", "--replicas=7"])
        .ok();
    let newest = ["diff", "a", "--revision", "1"];
    let run = place.pintle(&[&newest[..], &["--exit-code"]].concat());
    insta::assert_snapshot!("records", run.fails_with(5).stdout);
    let two = [
        "diff",
        "a",
        "--revision",
        "2",
        "--revision",
        "1",
        "--context=0",
    ];
    insta::assert_snapshot!("records_back", place.pintle(&two).ok().stdout);
    let same = ["diff", "a", "--revision", "3", "--exit-code"];
    let run = place.pintle(&same).ok();
    assert_eq!(run.stdout, "revision 3 -> 3: 3 unchanged\n");

    let unknown = ["diff", "a", "--revision", "9"];
    place
        .pintle(&unknown)
        .fails_with(1)
        .says(&["it has 1, 2, 3"]);
    let three = [&two[..], &["--revision", "3"]].concat();
    place
        .pintle(&three)
        .fails_with(2)
        .says(&["only two revisions"]);
    let both = ["diff", "a", &shop(&place, first), "--revision", "1"];
    place
        .pintle(&both)
        .fails_with(2)
        .says(&["cannot be used with"]);
}

#[test]
fn values_of_secrets_are_shown_to_those_who_ask_twice() {
    let place = Place::new("shown");
    let (old, new) = ("first-one", "second-one");
    place
        .pintle(&["install", "a", &shop(&place, ("x", old, 1)), "--no-wait"])
        .ok();
    let next = shop(&place, ("x", new, 1));
    place.pintle(&["upgrade", "a", &next, "--no-wait"]).ok();
    let is_shown = |stdout: &str| {
        let forms = [old, new].map(|text| [text.to_owned(), BASE64_STANDARD.encode(text)]);
        forms.iter().flatten().any(|form| stdout.contains(form))
    };
    for output in ["table", "json", "yaml"] {
        let diff = ["diff", "a", "--revision", "1", "-o", output];
        let run = place.pintle(&diff).ok().prints(&["(redacted, 9 bytes)"]);
        assert!(!is_shown(&run.stdout), "{run}");
        let once = [&diff[..], &["--show-secrets"]].concat();
        let run = place.pintle(&once).fails_with(2).says(&["--yes"]);
        assert_eq!(run.stdout, "");
        let twice = [&once[..], &["--yes"]].concat();
        assert!(is_shown(&place.pintle(&twice).ok().stdout), "{output}");
    }
    let third = shop(&place, ("x", "third-one", 1));
    let against_live = ["diff", "a", &third, "--show-secrets", "--yes"];
    let change = "data.password: \"second-one\" -> \"third-one\"";
    place.pintle(&against_live).ok().prints(&[change]);
    place.pintle(&["diff", "a", &third, "--yes"]).fails_with(2);
}

#[test]
fn without_a_chart_the_record_is_compared_with_what_is_live() {
    let place = Place::new("own");
    let chart = shop(&place, ("x", "first-one", 2));
    place.pintle(&["install", "a", &chart, "--no-wait"]).ok();
    let diff = ["diff", "a", "--exit-code"];
    let run = place.pintle(&diff).ok();
    assert_eq!(run.stdout, "3 unchanged\n");
    place
        .kubectl(&["scale", "deployment/web", "--replicas=7"])
        .ok();
    place.kubectl(&["delete", "configmap/page"]).ok();
    let run = place.pintle(&diff).fails_with(5);
    insta::assert_snapshot!("own_record", run.stdout);
    let values = ["diff", "a", "--set", "a=b"];
    place
        .pintle(&values)
        .fails_with(2)
        .says(&["only a chart takes values flags"]);
    place
        .pintle(&["diff", "none"])
        .fails_with(1)
        .says(&["release none not found"]);
    // A revision that failed does not count: its pods ask for an account that is not there.
    let bad = deployment("web", 2, "serviceAccountName: none");
    let bad = super::chart(&place, "bad", &bad);
    let upgrade = ["upgrade", "a", &bad, "--no-validate", "--timeout", "1s"];
    place.pintle(&upgrade).fails_with(3);
    let says = ["revision 2 is failed: revision 1 counts, which was deployed last"];
    let run = place.pintle(&diff).fails_with(5).says(&says);
    run.prints(&["+ ConfigMap page", "serviceAccountName"]);
}

#[test]
fn records_of_a_removed_version_of_an_api_are_compared() {
    let place = Place::new("aged");
    place.pintle(&["install", "a", &budget(&place, 1)]).ok();
    age(&place);
    place.pintle(&["upgrade", "a", &budget(&place, 2)]).ok();
    let run = place.pintle(&["diff", "a", "--revision", "1"]).ok();
    insta::assert_snapshot!("removed_version", run.stdout);
    let run = place.pintle(&["diff", "a", "--exit-code"]).ok();
    assert_eq!(run.stdout, "1 unchanged\n");
}
