use serde_json::json;

use super::*;
use crate::plan::Effect;

fn planned(name: &str, uid: &str) -> Planned {
    Planned {
        action: Effect::Configure,
        group: String::new(),
        kind: "ConfigMap".to_owned(),
        namespace: Some("shop".to_owned()),
        name: name.to_owned(),
        template: "web/templates/all.yaml:1".to_owned(),
        uid: (!uid.is_empty()).then(|| uid.to_owned()),
        being_deleted: false,
        state: Some("sha256:1".to_owned()),
        sends: Some("sha256:2".to_owned()),
        reason: None,
        known_after_apply: vec![],
        fields: vec![field("data.a", json!(1), json!(2))],
    }
}

fn field(path: &str, old: Value, new: Value) -> PlannedField {
    PlannedField {
        path: path.to_owned(),
        old: (!old.is_null()).then_some(old),
        new: (!new.is_null()).then_some(new),
        cause: "chart".to_owned(),
    }
}

fn known(revision: u32, status: &str, version: &str) -> Known {
    Known {
        revision,
        status: status.to_owned(),
        version: version.to_owned(),
    }
}

fn file() -> PlanFile {
    PlanFile {
        format: FORMAT.to_owned(),
        pintle: "0.1.0".to_owned(),
        created: "2026-11-28T10:00:00Z".parse().unwrap(),
        expires: "2026-11-28T12:00:00Z".parse().unwrap(),
        cluster: identity("1", "2"),
        release: Planning {
            name: "web".to_owned(),
            namespace: "shop".to_owned(),
            operation: Operation::Upgrade,
            revision: 2,
            to: None,
            history: vec![known(1, "deployed", "7")],
        },
        inputs: inputs(),
        terms: vec![Term::DeleteData, Term::CreateNamespace],
        recreate: vec!["Job/migrate".to_owned()],
        counts: Counts::default(),
        resources: vec![planned("a", "1")],
        digest: String::new(),
    }
}

fn identity(uid: &str, own: &str) -> Identity {
    let known = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Identity {
        server: "https://a:6443".to_owned(),
        uid: known(uid),
        namespace_uid: known(own),
        into: None,
    }
}

fn inputs() -> Inputs {
    Inputs {
        salt: "00".to_owned(),
        chart: Some(ChartInput {
            reference: "./web".to_owned(),
            name: "web".to_owned(),
            version: "1.0.0".to_owned(),
            digest: "sha256:3".to_owned(),
        }),
        files: vec![FileInput {
            flag: FileFlag::Values,
            name: "prod.yaml".to_owned(),
            from: Source::File,
            fingerprint: "4".to_owned(),
        }],
        flags: Some(FlagInput {
            keys: vec!["db.password".to_owned()],
            fingerprint: "5".to_owned(),
        }),
        rendered: "6".to_owned(),
    }
}

fn told(differences: &[Difference]) -> String {
    let told: Vec<_> = differences.iter().map(ToString::to_string).collect();
    told.join("; ")
}

/// Compares the plan for one resource with that of a changed one.
#[track_caller]
fn check(change: impl Fn(&mut Planned), expected: &str) {
    let then = planned("a", "1");
    let mut now = then.clone();
    change(&mut now);
    assert_eq!(told(&compare(&[then], &[now])), expected);
}

#[test]
fn what_has_changed_about_a_resource_is_said() {
    check(|_| {}, "");
    check(|now| now.template = "other".to_owned(), "");
    check(|now| now.reason = Some("other".to_owned()), "");
    check(|now| now.uid = None, "ConfigMap a: it was deleted");
    check(
        |now| now.uid = Some("2".to_owned()),
        "ConfigMap a: it was deleted and made anew",
    );
    check(
        |now| now.fields.push(field("data.b", json!("x"), json!("y"))),
        "ConfigMap a: data.b was changed to \"x\"",
    );
    check(
        |now| now.fields.push(field("data.b", json!(null), json!("y"))),
        "ConfigMap a: data.b was removed",
    );
    check(
        |now| now.fields[0].old = Some(json!(3)),
        "ConfigMap a: data.a was changed to 3",
    );
    check(
        |now| now.fields[0].new = Some(json!(4)),
        "ConfigMap a: data.a would become 4, and not 2",
    );
    check(|now| now.fields.clear(), "ConfigMap a: data.a is 2 already");
    check(
        |now| now.state = None,
        "ConfigMap a: it was changed by somebody",
    );
    check(
        |now| now.action = Effect::Recreate,
        "ConfigMap a: it would be recreated now, and not configured",
    );
    check(
        |now| now.sends = None,
        "ConfigMap a: what is wanted of it has changed",
    );
}

#[test]
fn what_is_being_deleted_may_be_gone() {
    let mut then = planned("a", "1");
    then.action = Effect::Create;
    (then.being_deleted, then.state) = (true, None);
    then.fields.clear();
    let gone = Planned {
        being_deleted: false,
        uid: None,
        ..then.clone()
    };
    assert_eq!(told(&compare(&[then.clone()], &[gone])), "");
    let before = planned("a", "1");
    let found = compare(&[before], &[then]);
    assert_eq!(told(&found), "ConfigMap a: it is being deleted");
}

#[test]
fn resources_that_come_and_go_are_said() {
    let all = [planned("a", "1"), planned("b", ""), planned("c", "")];
    let mut now = all[2].clone();
    now.uid = Some("3".to_owned());
    let found = compare(&all, &[now, planned("d", "4")]);
    assert_eq!(
        told(&found),
        "ConfigMap c: it was created by somebody; ConfigMap d: it would be configured now as well; \
         ConfigMap a: it was deleted; ConfigMap b: it would not be configured any more"
    );
    let mut turned = all.clone();
    turned.reverse();
    assert_eq!(compare(&all, &turned), []);
}

#[test]
fn another_history_is_said() {
    let then = [known(1, "superseded", "1"), known(2, "deployed", "2")];
    assert_eq!(history(&then, &then), []);
    let now = [known(2, "superseded", "4"), known(3, "deployed", "5")];
    assert_eq!(
        told(&history(&then, &now)),
        "revision 2: it is superseded, and was deployed; \
         revision 3: it was made since, and is deployed; revision 1: its record was deleted"
    );
    let now = [known(1, "superseded", "1"), known(2, "deployed", "3")];
    assert_eq!(
        told(&history(&then, &now)),
        "revision 2: its record was written by somebody"
    );
}

#[track_caller]
fn check_cluster(then: (&str, &str), now: (&str, &str), expected: &str) {
    let then = identity(then.0, then.1);
    let mut now = identity(now.0, now.1);
    now.server = "https://b:6443".to_owned();
    assert_eq!(told(&now.differences(&then, "shop")), expected);
}

#[test]
fn another_cluster_is_said() {
    let other = "cluster https://b:6443: the plan was made for another one, at https://a:6443";
    check_cluster(("1", "2"), ("1", "2"), "");
    check_cluster(("1", "2"), ("3", "2"), other);
    check_cluster(("", "2"), ("1", "2"), "");
    check_cluster(("", ""), ("", ""), other);
    check_cluster(("1", ""), ("1", "2"), "");
    check_cluster(
        ("1", "2"),
        ("1", "3"),
        "Namespace shop: it was deleted and made anew",
    );
    let absent = Identity::ABSENT;
    check_cluster(
        ("1", absent),
        ("1", "3"),
        "Namespace shop: it was created by somebody",
    );
    check_cluster(("1", "2"), ("1", absent), "Namespace shop: it was deleted");
}

#[track_caller]
fn check_inputs(change: impl Fn(&mut Inputs), expected: &str) {
    let mut now = inputs();
    change(&mut now);
    assert_eq!(told(&now.differences(&inputs())), expected);
}

#[test]
fn other_inputs_are_said() {
    check_inputs(|_| {}, "");
    check_inputs(|now| now.files[0].name = "other/prod.yaml".to_owned(), "");
    check_inputs(
        |now| {
            now.chart.as_mut().unwrap().digest.clear();
            now.files[0].fingerprint.clear();
        },
        "chart ./web: its files have changed; values of prod.yaml: they have changed",
    );
    check_inputs(
        |now| now.files.clear(),
        "files of values: 0 given, and 1 for the plan",
    );
    check_inputs(
        |now| now.flags.as_mut().unwrap().fingerprint.clear(),
        "values for db.password: they are others than those of the plan",
    );
    check_inputs(
        |now| now.flags.as_mut().unwrap().keys.push("x".to_owned()),
        "values of --set and the like: they are for db.password, x, and were for db.password",
    );
    let mut none = inputs();
    none.flags = None;
    assert_eq!(
        told(&inputs().differences(&none)),
        "values for db.password: the plan was made without them"
    );
}

#[test]
fn a_file_is_read_as_it_was_written() {
    let text = file().to_text();
    let read = PlanFile::parse(&text).unwrap();
    assert_eq!(read.to_text(), text);
    let now = "2026-11-28T11:59:59Z".parse().unwrap();
    assert_eq!(read.faults(now), []);
    let (terms, recreate) = terms(&read.consent());
    assert_eq!((terms, recreate), (vec![Term::DeleteData], file().recreate));
}

#[track_caller]
fn check_faults(change: impl Fn(&mut PlanFile), now: &str, expected: &str) {
    let mut made = file();
    change(&mut made);
    let read = PlanFile::parse(&made.to_text()).unwrap();
    assert_eq!(told(&read.faults(now.parse().unwrap())), expected);
}

#[test]
fn a_file_is_good_for_its_time() {
    let at = |text: &str| text.parse().unwrap();
    let expired = "plan: it has expired at 2026-11-28T12:00:00Z";
    check_faults(|_| {}, "2026-11-28T12:00:00Z", expired);
    check_faults(|_| {}, "2026-11-28T09:55:00Z", "");
    check_faults(
        |_| {},
        "2026-11-28T09:54:59Z",
        "plan: it was made at 2026-11-28T10:00:00Z, which is still to come",
    );
    check_faults(
        |made| made.created = at("2026-11-21T11:00:00Z"),
        "2026-11-28T11:00:00Z",
        "plan: it was made at 2026-11-21T11:00:00Z, more than 7 days before it expires",
    );
}

#[test]
fn an_edited_file_is_known() {
    let text = file().to_text().replace("\"web\"", "\"web2\"");
    let faults = PlanFile::parse(&text).unwrap().faults(file().created);
    assert_eq!(told(&faults), "plan: it was edited after it was made");
}

#[track_caller]
fn check_text(text: &str, expected: &str) {
    assert_eq!(PlanFile::parse(text).unwrap_err().to_string(), expected);
}

#[test]
fn what_is_no_plan_is_refused() {
    check_text(
        "a: 1",
        "it is no plan of pintle: expected value at line 1 column 1",
    );
    check_text("[]", "it is no plan of pintle: it has no format");
    check_text(
        "{\"format\": \"pintle.dev/plan.v2\"}",
        "its format is \"pintle.dev/plan.v2\", and this pintle reads pintle.dev/plan.v1 only",
    );
    let deep = "[".repeat(100_000);
    check_text(
        &deep,
        "it is no plan of pintle: recursion limit exceeded at line 1 column 128",
    );
    let more = file().to_text().replacen('{', "{\"more\": 1,", 1);
    let error = PlanFile::parse(&more).unwrap_err().to_string();
    assert!(error.contains("unknown field `more`"), "{error}");
}
