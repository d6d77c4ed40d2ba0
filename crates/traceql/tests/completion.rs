//! Completion at every kind of place, mostly of texts that are not finished.

use traceql::{CompareOp, Completion, Field, Intrinsic, Scope, Wanted, complete};

/// The completion at `|`.
fn at_cursor(marked: &str) -> (String, Completion) {
    let cursor = marked.find('|').unwrap();
    let text = marked.replacen('|', "", 1);
    let completion = complete(&text, cursor);
    (text, completion)
}

fn check(marked: &str, replaced: &str, wants: &[Wanted]) -> Vec<String> {
    let (text, completion) = at_cursor(marked);
    assert_eq!(&text[completion.replace], replaced, "{marked}");
    assert_eq!(completion.wants, wants, "{marked}");
    completion.items.into_iter().map(|item| item.text).collect()
}

fn any_field(prefix: &str) -> [Wanted; 2] {
    let prefix = prefix.to_owned();
    [
        Wanted::Scope {
            prefix: prefix.clone(),
        },
        Wanted::Field {
            scope: None,
            prefix,
        },
    ]
}

fn attribute_of(scope: Scope, prefix: &str) -> [Wanted; 1] {
    let prefix = prefix.to_owned();
    [Wanted::Field {
        scope: Some(scope),
        prefix,
    }]
}

fn value_of(field: Field, op: CompareOp, prefix: &str, is_quoted: bool) -> [Wanted; 1] {
    let prefix = prefix.to_owned();
    [Wanted::Value {
        field: Some(field),
        op,
        prefix,
        is_quoted,
    }]
}

#[test]
fn outside_of_braces_a_brace_is_wanted_and_behind_them_nothing() {
    assert_eq!(check("|", "", &[Wanted::Open]), ["{ "]);
    assert_eq!(check("  |", "", &[Wanted::Open]), ["{ "]);
    assert!(check("{ .a } |", "", &[]).is_empty());
    assert!(check("{ // na|", "", &[]).is_empty());
    assert!(check("{ /* na|", "", &[]).is_empty());
}

#[test]
fn fields_are_offered_where_a_condition_begins() {
    let all = check("{ |", "", &any_field(""));
    assert!(all.contains(&"name".to_owned()) && all.contains(&"span.".to_owned()));
    assert_eq!(
        check("{ dur|", "dur", &any_field("dur")),
        ["duration", "trace:duration"]
    );
    assert_eq!(
        check("{ .a = 1 && sta|tus }", "status", &any_field("sta")),
        ["status", "statusMessage"]
    );
    assert_eq!(check("{ (re|", "re", &any_field("re")), ["resource."]);
    assert_eq!(
        check("{ !span:self|", "span:self", &any_field("span:self")),
        ["span:selfTime"]
    );
    check("{ .a && |}", "", &any_field(""));
}

#[test]
fn keys_of_attributes_are_wanted_from_the_caller() {
    assert!(check("{ span.ht|", "span.ht", &attribute_of(Scope::Span, "ht")).is_empty());
    check(
        "{ resource.|",
        "resource.",
        &attribute_of(Scope::Resource, ""),
    );
    check(
        "{ .se|rvice.x = 1 }",
        ".service.x",
        &attribute_of(Scope::Either, "se"),
    );
    check(
        "{ span.\"http he|",
        "span.\"http he",
        &attribute_of(Scope::Span, "http he"),
    );
    check("{ .a = span.|", "span.", &attribute_of(Scope::Span, ""));
}

#[test]
fn operators_fit_the_type_of_the_field() {
    let name = Field::Intrinsic(Intrinsic::Status);
    assert_eq!(
        check("{ status |", "", &[Wanted::Operator { field: Some(name) }]),
        ["=", "!="]
    );
    let duration = Field::Intrinsic(Intrinsic::Duration);
    let operators = check(
        "{ duration |",
        "",
        &[Wanted::Operator {
            field: Some(duration),
        }],
    );
    assert_eq!(operators, ["=", "!=", ">", ">=", "<", "<="]);
    let wants = [
        Wanted::Operator {
            field: Some(Field::attribute(Scope::Either, "a")),
        },
        Wanted::Logic,
    ];
    assert_eq!(check("{ .a |", "", &wants).len(), 8 + 3);
}

#[test]
fn values_fit_the_type_of_the_field() {
    let status = || Field::Intrinsic(Intrinsic::Status);
    let equal = CompareOp::Equal;
    assert_eq!(
        check("{ status = |", "", &value_of(status(), equal, "", false)),
        ["unset", "ok", "error"]
    );
    assert_eq!(
        check("{ status=|", "", &value_of(status(), equal, "", false)).len(),
        3
    );
    assert_eq!(
        check(
            "{ status = er| }",
            "er",
            &value_of(status(), equal, "er", false)
        ),
        ["error"]
    );
    assert_eq!(
        check(
            "{ status = error| }",
            "error",
            &value_of(status(), equal, "error", false)
        ),
        ["error"]
    );
    let kind = Field::Intrinsic(Intrinsic::Kind);
    assert_eq!(
        check(
            "{ kind != s|",
            "s",
            &value_of(kind, CompareOp::NotEqual, "s", false)
        ),
        ["server"]
    );
    let duration = || Field::Intrinsic(Intrinsic::Duration);
    let more = CompareOp::Greater;
    assert_eq!(
        check("{ duration > |", "", &value_of(duration(), more, "", false)).len(),
        5
    );
    let units = check(
        "{ duration > 10|",
        "10",
        &value_of(duration(), more, "10", false),
    );
    assert_eq!(units, ["10ns", "10µs", "10ms", "10s", "10m", "10h"]);
    assert_eq!(
        check(
            "{ duration > 10m|",
            "10m",
            &value_of(duration(), more, "10m", false)
        ),
        ["10ms", "10m"]
    );
    let attribute = Field::attribute(Scope::Span, "a");
    assert_eq!(
        check(
            "{ span.a = n|",
            "n",
            &value_of(attribute, equal, "n", false)
        ),
        ["nil"]
    );
}

#[test]
fn values_of_attributes_are_wanted_from_the_caller() {
    let service = || Field::attribute(Scope::Resource, "service.name");
    let equal = CompareOp::Equal;
    let open = "{ resource.service.name = \"che|";
    assert!(check(open, "\"che", &value_of(service(), equal, "che", true)).is_empty());
    check(
        "{ resource.service.name = \"|",
        "\"",
        &value_of(service(), equal, "", true),
    );
    check(
        "{ resource.service.name = \"che|ckout\" }",
        "\"checkout\"",
        &value_of(service(), equal, "che", true),
    );
    check(
        "{ resource.service.name = \"che| && .a = 1 }",
        "\"che",
        &value_of(service(), equal, "che", true),
    );
    check(
        "{ resource.service.name = \"a } b|",
        "\"a } b",
        &value_of(service(), equal, "a } b", true),
    );
    check(
        "{ resource.service.name = `ch|",
        "`ch",
        &value_of(service(), equal, "ch", true),
    );
}

#[test]
fn behind_a_condition_logic_is_wanted() {
    for marked in [
        "{ .a = 1 |",
        "{ name = \"x\"|",
        "{ (.a = 1) |",
        "{ status = error |}",
    ] {
        assert_eq!(
            check(marked, "", &[Wanted::Logic]),
            ["&&", "||", "}"],
            "{marked}"
        );
    }
    check("{ name = \"x\" an|", "an", &[Wanted::Logic]);
}
