use super::*;
use crate::chart::path_steps;

const HEAD: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n";

/// The line of `path` in a Deployment called web, 0 for none.
#[track_caller]
fn check(template: &str, path: &str, expected: u64) {
    let id = ResourceId {
        group: "apps".to_owned(),
        kind: "Deployment".to_owned(),
        namespace: Some("x".to_owned()),
        name: "web".to_owned(),
    };
    let found = line(template, &id, &path_steps(path)).unwrap_or(0);
    assert_eq!(found, expected, "{path} in\n{template}");
}

#[test]
fn keys_are_found_by_what_is_around_them() {
    let text = format!("{HEAD}spec:\n  replicas: 1\n  template:\n    spec:\n      x: {{a: 1}}\n");
    check(&text, "", 2);
    check(&text, "spec.replicas", 6);
    check(&text, "spec.template", 7);
    check(&text, "spec.template.spec", 8);
    check(&text, "spec.template.spec.x.a", 9);
    check(&text, "replicas", 0);
    check(&text, "spec.missing", 0);
}

#[test]
fn comments_do_not_count() {
    let text = format!(
        "{HEAD}spec:\n  # replicas: 1\n  {{# replicas:\n  replicas: 2 #}}\n  a: 1 # replicas: 3\n"
    );
    check(&text, "spec.replicas", 0);
    check(&text, "spec.a", 9);
    check(&format!("{text}  replicas: 4\n"), "spec.replicas", 10);
}

#[test]
fn documents_are_told_apart() {
    let service = HEAD.replace("Deployment", "Service");
    let other = HEAD.replace("web", "other");
    let computed = HEAD.replace("name: web", "name: {{ release.name }}");
    let spec = "spec:\n  a: 1\n";
    check(&format!("{service}{spec}---\n{HEAD}{spec}"), "spec.a", 13);
    check(&format!("{other}{spec}---\n{HEAD}{spec}"), "spec.a", 13);
    check(&format!("{computed}{spec}---\n{HEAD}{spec}"), "spec.a", 13);
    check(&format!("{other}{spec}---\n{computed}{spec}"), "spec.a", 13);
    check(
        &format!("{computed}{spec}---\n{computed}{spec}"),
        "spec.a",
        0,
    );
    check(&format!("{service}{spec}"), "spec.a", 0);
}

#[test]
fn items_are_counted() {
    let containers =
        "spec:\n  containers:\n    - name: a\n      image: x\n    - image: y\n      name: b\n";
    let text = format!("{HEAD}{containers}");
    check(&text, "spec.containers[0].image", 8);
    check(&text, "spec.containers[1].image", 9);
    check(&text, "spec.containers[1].name", 10);
    check(&text, "spec.containers[1]", 9);
    check(&text, "spec.containers[2].name", 0);
    let at_the_key = containers.replace("\n    ", "\n  ");
    check(
        &format!("{HEAD}{at_the_key}  z: 1\n"),
        "spec.containers[1].name",
        10,
    );
    check(&format!("{HEAD}{at_the_key}  z: 1\n"), "spec.z", 11);
    check(
        &format!("{HEAD}spec:\n  l: [{{a: 1}}, 2]\n"),
        "spec.l[1]",
        6,
    );
}

#[test]
fn items_that_are_computed_have_no_line() {
    let extra = "{{ values.extra | to_yaml | indent(n=4) }}\n";
    let first = "    - name: a\n";
    let head = format!("{HEAD}spec:\n  containers:\n");
    check(
        &format!("{head}{extra}{first}"),
        "spec.containers[0].name",
        0,
    );
    check(
        &format!("{head}{first}{extra}"),
        "spec.containers[0].name",
        7,
    );
    check(
        &format!("{head}{first}{extra}"),
        "spec.containers[1].name",
        0,
    );
    check(&format!("{head}{extra}"), "spec.containers[0].name", 0);
}

#[test]
fn blocks_around_items_and_in_them() {
    let head = format!("{HEAD}spec:\n  containers:\n");
    let item = |name: &str| format!("    - name: {name}\n");
    let around = |text: &str| format!("    {{% for a in values.l %}}\n{text}    {{% endfor %}}\n");
    let repeated = format!("{head}{}", around(&item("{{ a }}")));
    check(&repeated, "spec.containers[3].name", 8);
    let both = format!("{head}{}{}", around(&item("x")), item("y"));
    check(&both, "spec.containers[0].name", 0);
    check(&both, "spec.containers[1].name", 0);
    let inside = format!(
        "{head}{}{}{}",
        item("x"),
        around("      image: i\n"),
        item("y")
    );
    check(&inside, "spec.containers[0].image", 9);
    check(&inside, "spec.containers[1].name", 11);
    let either = "  {% if values.a %}\n  r: 1\n  {% else %}\n  r: 2\n  {% endif %}\n";
    check(&format!("{HEAD}spec:\n{either}"), "spec.r", 0);
}
