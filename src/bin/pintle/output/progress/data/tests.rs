//! Every event fits `schemas/events.schema.json`, and all that stands there is an event's.

use std::collections::BTreeSet;

use jsonschema::Validator;
use pintle::chart::Position;
use pintle::chart::schema::Unasked;
use pintle::manifest::HookEvent;
use pintle::plan::{Part, Until};
use pintle::release::Status;

use super::*;

const SCHEMA: &str = include_str!("../../../../../../schemas/events.schema.json");

/// Gives one event or more of each variant. A variant that is missing does not compile.
macro_rules! every {
    ($($variant:ident: [$($event:expr),+ $(,)?],)*) => {
        fn every() -> Vec<(&'static str, Event)> {
            vec![$($((stringify!($variant), $event)),+),*]
        }

        fn variant(event: &Event) -> &'static str {
            match event {
                $(Event::$variant { .. } => stringify!($variant),)*
            }
        }
    };
}

every! {
    ValuesReused: [Event::ValuesReused { revision: 3 }],
    DefaultsIgnored: [Event::DefaultsIgnored { revision: 3, keys: vec!["a.b".to_owned()] }],
    BooleanKey: [Event::BooleanKey { at: Position::default(), key: "on".to_owned(), value: true }],
    Deprecated: [Event::Deprecated { chart: "web".to_owned() }],
    StaleLock: [Event::StaleLock { file: "Chart.lock".to_owned() }],
    RuleNotAsked: [Event::RuleNotAsked { rule: Unasked {
        chart: String::new(),
        path: "a.b".to_owned(),
        problem: "it was dropped".to_owned(),
    } }],
    Warned: [Event::Warned { text: "old".to_owned(), ids: vec![id(None), id(Some("shop"))] }],
    Interrupted: [Event::Interrupted { revision: 2, status: Status::PendingUpgrade }],
    PassedOver: [Event::PassedOver { newest: (3, Status::Failed), deployed: 2 }],
    TakenOver: [Event::TakenOver { holder: "bob".to_owned() }],
    Unreleased: [Event::Unreleased { reason: "it is gone".to_owned() }],
    Unrecorded: [Event::Unrecorded { revision: 3, reason: "it is gone".to_owned() }],
    Undescribed: [Event::Undescribed { revision: 3 }],
    NamespaceCreated: [Event::NamespaceCreated("shop".to_owned())],
    Begun: [Event::Begun { revision: 3, counts: Counts::default() }],
    Gate: [
        gate(Until::Written),
        gate(Until::Established),
        gate(Until::Known),
        gate(Until::Ready),
        gate(Until::NoOldPods),
        gate(Until::Gone),
    ],
    Stage: [Event::Stage { part: Part::Credentials, counts: Counts::default() }],
    Stepped: [
        stepped(Done::Created),
        stepped(Done::Configured),
        stepped(Done::Recreated),
        stepped(Done::Deleted),
        stepped(Done::Issued),
    ],
    Ending: [Event::Ending { id: id(None) }],
    Addresses: [Event::Addresses { services: vec![id(None)] }],
    Planned: [Event::Planned { counts: Counts::default() }],
    Replanned: [Event::Replanned { ids: vec![id(None)], counts: Counts::default() }],
    Hook: [Event::Hook { event: HookEvent::PreUpgrade, id: id(None) }],
    HookOutput: [written_by_a_hook(Ok("a".to_owned())), written_by_a_hook(Err("b".to_owned()))],
    HookTrouble: [
        Event::HookTrouble { id: Some(id(None)), reason: "refused".to_owned() },
        Event::HookTrouble { id: None, reason: "refused".to_owned() },
    ],
    Waiting: [Event::Waiting { count: 2 }],
    Health: [
        health(Condition::Ready, Health::Ready),
        health(Condition::NoOldPods, Health::InProgress("starting".to_owned())),
        health(Condition::Complete, Health::Failed("exit code 1".to_owned())),
    ],
    Stopping: [Event::Stopping],
    GoingBack: [
        Event::GoingBack { revision: 3, to: Some(2) },
        Event::GoingBack { revision: 1, to: None },
    ],
    Locked: [locked(Some(Timestamp::UNIX_EPOCH)), locked(None)],
    Finished: [Event::Finished { revision: 3, status: Status::Deployed }],
}

fn id(namespace: Option<&str>) -> ResourceId {
    ResourceId {
        group: "apps".to_owned(),
        kind: "Deployment".to_owned(),
        namespace: namespace.map(str::to_owned),
        name: "web".to_owned(),
    }
}

fn gate(until: Until) -> Event {
    Event::Gate {
        stage: Part::Ungrouped,
        earlier: Part::Group("first".to_owned()),
        until,
    }
}

fn stepped(done: Done) -> Event {
    Event::Stepped { id: id(None), done }
}

fn written_by_a_hook(text: Result<String, String>) -> Event {
    Event::HookOutput(HookOutput {
        pod: "migrate-1".to_owned(),
        container: "sql".to_owned(),
        text,
    })
}

fn health(until: Condition, health: Health) -> Event {
    Event::Health {
        id: id(None),
        until,
        health,
    }
}

fn locked(since: Option<Timestamp>) -> Event {
    Event::Locked {
        holder: "bob".to_owned(),
        since,
        doing: "upgrading to revision 3".to_owned(),
    }
}

fn schema() -> (Value, Validator) {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    assert!(jsonschema::meta::is_valid(&schema));
    let options = jsonschema::options().should_validate_formats(true);
    let validator = options.build(&schema).unwrap();
    (schema, validator)
}

fn framed(event: &Event) -> Value {
    let frame = Frame {
        release: "web",
        time: Timestamp::UNIX_EPOCH,
        elapsed: Duration::from_millis(12),
    };
    frame.around(event)
}

/// Whether the schema takes a value, and nothing that lacks one of the fields that are to be there.
#[track_caller]
fn check(validator: &Validator, value: &Value) {
    if let Err(error) = validator.validate(value) {
        panic!("{error}: {value}");
    }
    for field in value.as_object().unwrap().keys() {
        let mut less = value.clone();
        less.as_object_mut().unwrap().remove(field);
        assert!(!validator.is_valid(&less), "without {field}: {value}");
    }
}

#[test]
fn every_event_fits_the_schema() {
    let (_, validator) = schema();
    for (name, event) in every() {
        assert_eq!(variant(&event), name);
        check(&validator, &framed(&event));
    }
}

#[test]
fn what_status_tells_while_it_watches_fits_the_schema() {
    let (_, validator) = schema();
    let release = serde_json::from_value(json!({
        "name": "web", "version": 3, "info": {"status": "deployed"},
        "chart": {"metadata": {"name": "web", "version": "1.0.0"}},
    }));
    let health = Health::InProgress("missing".to_owned());
    for mut event in [
        revision(&release.unwrap()),
        gone(),
        seen(&id(Some("shop")), Condition::Ready, &health),
    ] {
        event["time"] = Timestamp::UNIX_EPOCH.to_string().into();
        check(&validator, &event);
    }
    // A change says of each event whose it is.
    let mut begun = framed(&Event::Stopping);
    begun.as_object_mut().unwrap().remove("release");
    assert!(!validator.is_valid(&begun));
}

#[test]
fn all_that_stands_in_the_schema_is_an_event() {
    let (schema, _) = schema();
    let mut known = BTreeSet::new();
    for definition in schema["$defs"].as_object().unwrap().values() {
        let event = &definition["properties"]["event"];
        known.extend(event["const"].as_str());
        let several = event["enum"].as_array().into_iter().flatten();
        known.extend(several.filter_map(Value::as_str));
    }
    let events = every();
    let mut told: BTreeSet<&str> = events.iter().map(|(_, event)| name(event)).collect();
    // They come of `status --watch`.
    told.extend(["revision", "gone"]);
    assert_eq!(known, told);
}
