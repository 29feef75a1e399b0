//! Templates that never end, grow, or call themselves.

use super::{TEMPLATE, Trap};

#[track_caller]
fn check(template: &str, part: &str) {
    let trap = Trap::new().with("small/templates/a.yaml", template);
    trap.refuses(TEMPLATE, part);
    trap.run(&["lint", "./small"]);
}

/// A template that only the watch can end.
#[track_caller]
fn check_watched(template: &str, limit: &str) {
    let trap = Trap::new().with("small/templates/a.yaml", template);
    let trap = if limit == TIME { trap.endless() } else { trap };
    let part = format!(
        "error: ./small takes more than {limit}\nhint: nothing has been changed; if the chart may take more, "
    );
    trap.refuses(TEMPLATE, &part);
    trap.refuses(&["lint", "./small"], &part);
}

const TIME: &str = "0.5 s of the processor";
const MEMORY: &str = "144 MiB of memory";

#[test]
fn loops_that_write_nothing() {
    check(
        "{% for a in range(end=100000001) %}{% endfor %}",
        "exceeds the limit of 100000",
    );
    check_watched(
        "{% for a in range(end=99999) %}{% for b in range(end=99999) %}{% endfor %}{% endfor %}",
        TIME,
    );
}

#[test]
fn text_that_doubles() {
    check(
        "{% set_global x = 'aaaaaaaaaaaaaaaa' %}\
         {% for a in range(end=60) %}{% set_global x = x ~ x %}{% endfor %}",
        "a text is larger than the limit of 16 MiB",
    );
}

#[test]
fn lists_that_double() {
    check_watched(
        "{% set_global x = [1, 2, 3, 4] %}\
         {% for a in range(end=60) %}{% set_global x = [...x, ...x] %}{% endfor %}",
        MEMORY,
    );
}

#[test]
fn maps_that_grow() {
    check(
        "{% set_global x = {'a': 1} %}{% for a in range(end=99999) %}\
         {% set_global x = x | deep_merge(with={'a': {'a': x} }) %}{% endfor %}",
        "nested more than",
    );
}

#[test]
fn output_without_end() {
    check(
        "{% for a in range(end=99999) %}{% for b in range(end=99999) %}\
         aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\
         {% endfor %}{% endfor %}",
        "all output together is larger than the limit of 67108864 bytes",
    );
}

#[test]
fn filters_that_multiply() {
    check(
        "{% set x %}{% for a in range(end=99999) %}a\n{% endfor %}{% endset %}\
         {{ x | indent(n=1000) }}",
        "a text is larger than the limit of 16 MiB",
    );
    check_watched(
        "{% set x %}{% for a in range(end=99999) %}aaaa{% endfor %}{% endset %}\
         {{ x | replace(from='a', to=x) }}",
        MEMORY,
    );
    check(
        "{{ 'a' | regex_match(pattern='(a{1000}){1000}') }}",
        "the pattern is larger than the limit",
    );
}

#[test]
fn patterns_that_backtrack() {
    let trap = Trap::new().with(
        "small/templates/NOTES.txt",
        "{% set x %}{% for a in range(end=9999) %}a{% endfor %}{% endset %}\
         {{ x | regex_match(pattern='^(a+)+$b') }}",
    );
    trap.does(TEMPLATE);
}

#[test]
fn templates_that_call_themselves() {
    check(
        "{% component x() %}{{ <x/> }}{{ <x/> }}{% endcomponent x %}{{ <x/> }}",
        "templates/a.yaml: components call each other too deeply",
    );
    check("{% include 'a.yaml' %}", "a.yaml");
    check(
        "{% set x = '{{ x | tpl(vars={\"x\": x}) }}' %}{{ x | tpl(vars={'x': x}) }}",
        "tpl: ",
    );
    let deep = format!("{}1{}", "(".repeat(50_000), ")".repeat(50_000));
    check(&format!("{{{{ {deep} }}}}"), "a.yaml");
    let deep = format!(
        "{}{}",
        "{% if true %}".repeat(50_000),
        "{% endif %}".repeat(50_000)
    );
    check(&deep, "a.yaml");
}

#[test]
fn values_are_not_dumped() {
    check("{{ __tera_context }}", "__tera_context is not available");
}

#[test]
fn rendered_text_that_is_a_bomb() {
    let bomb = super::values::aliases();
    check(&bomb, "a.yaml");
    check(&"[".repeat(100_000), "a.yaml");
    check(&"- ".repeat(100_000), "a.yaml");
    check("a: \"\u{1b}[2J\u{7}\"\n\u{1b}: [", "a.yaml");
}
