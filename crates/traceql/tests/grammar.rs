//! The grammar, rule by rule: what a text means is shown by how it is printed.

use traceql::{Field, Intrinsic, Scope, parse, parse_field};

fn printed(text: &str) -> String {
    let parsed = parse(text);
    let query = parsed
        .query
        .unwrap_or_else(|| panic!("{text}: {:?}", parsed.diagnostics));
    query.to_string()
}

fn check(rows: &[(&str, &str)]) {
    for (text, meant) in rows {
        assert_eq!(printed(text), *meant, "{text}");
        assert_eq!(printed(meant), *meant);
    }
}

/// Each condition with itself in full brackets: both must be the same tree.
fn check_binding(rows: &[(&str, &str)]) {
    for (text, bracketed) in rows {
        let text = format!("{{ {text} }}");
        assert_eq!(
            printed(&text),
            printed(&format!("{{ {bracketed} }}")),
            "{text}"
        );
    }
}

#[test]
fn a_query_is_a_condition_in_braces() {
    check(&[
        ("{}", "{}"),
        (" { } // all", "{}"),
        ("{true}", "{ true }"),
        ("{/* one */name=\"a\"// two\n}", "{ name = \"a\" }"),
        ("{ span.flag }", "{ span.flag }"),
        ("{ !.flag }", "{ !.flag }"),
    ]);
}

#[test]
fn every_operator_compares() {
    for op in ["=", "!=", ">", ">=", "<", "<=", "=~", "!~"] {
        let text = format!("{{ .a {op} \"b\" }}");
        assert_eq!(printed(&text), text);
    }
    for op in ["+", "-", "*", "/", "%", "^"] {
        let text = format!("{{ .a {op} 2 > 1 }}");
        assert_eq!(printed(&text), text);
    }
}

#[test]
fn operators_bind_as_the_specification_says() {
    check_binding(&[
        (".a && .b || .c", "(.a && .b) || .c"),
        (".a || .b && .c", "(.a || .b) && .c"),
        (".a || .b && .c || .d", "((.a || .b) && .c) || .d"),
        (".a = 1 && .b = 2", "(.a = 1) && (.b = 2)"),
        (".a + 1 = .b - 1", "(.a + 1) = (.b - 1)"),
        ("1 - 2 - .a = 0", "((1 - 2) - .a) = 0"),
        ("1 + 2 * .a = 0", "(1 + (2 * .a)) = 0"),
        ("2 * .a ^ 2 = 0", "(2 * (.a ^ 2)) = 0"),
        ("2 ^ 3 ^ .a = 0", "(2 ^ (3 ^ .a)) = 0"),
        ("-.a ^ 2 = 0", "((-.a) ^ 2) = 0"),
        ("- 2 ^ .a = 0", "((-2) ^ .a) = 0"),
        ("6 / 3 % .a = 0", "((6 / 3) % .a) = 0"),
        ("!.a = true", "(!.a) = true"),
        ("!!.a", "!(!(.a))"),
        ("!.a && .b", "(!.a) && .b"),
        (".a - -1 = 0", "(.a - (-1)) = 0"),
    ]);
    // What is not the same.
    assert_ne!(
        printed("{ .a && (.b || .c) }"),
        printed("{ .a && .b || .c }")
    );
    assert_ne!(printed("{ -(1) = .a }"), printed("{ -1 = .a }"));
}

#[test]
fn every_field_has_its_names() {
    for row in &traceql::INTRINSICS {
        for name in row.names {
            assert_eq!(
                parse_field(name),
                Some(Field::Intrinsic(row.intrinsic)),
                "{name}"
            );
        }
    }
    let rows = [
        ("span.http.method", Scope::Span, "http.method"),
        ("resource.k", Scope::Resource, "k"),
        ("event.k", Scope::Event, "k"),
        ("link.k", Scope::Link, "k"),
        ("instrumentation.k", Scope::Instrumentation, "k"),
        (".k", Scope::Either, "k"),
        (".span.k", Scope::Either, "span.k"),
        ("span.\"http header\".x", Scope::Span, "http header.x"),
        ("span.\"a\\\"b\\\\c\\n\"", Scope::Span, "a\"b\\c\\n"),
        (
            "span.a-b/c*d%e+f:g[0]'h'",
            Scope::Span,
            "a-b/c*d%e+f:g[0]'h'",
        ),
        ("span.name", Scope::Span, "name"),
        (".ä", Scope::Either, "ä"),
    ];
    for (text, scope, key) in rows {
        assert_eq!(
            parse_field(text),
            Some(Field::attribute(scope, key)),
            "{text}"
        );
    }
    for bad in [
        "",
        "span",
        "span.",
        "name name",
        "1",
        "span.a = 1",
        "http.method",
    ] {
        assert_eq!(parse_field(bad), None, "{bad}");
    }
}

#[test]
fn arithmetic_with_attributes_needs_spaces() {
    check(&[
        ("{ span.a - span.b > 0 }", "{ span.a - span.b > 0 }"),
        ("{ span.a-span.b > 0 }", "{ span.a-span.b > 0 }"),
        ("{duration-5ms>1s}", "{ duration - 5ms > 1s }"),
        ("{(span.a)-(span.b)>0}", "{ span.a - span.b > 0 }"),
    ]);
    let arithmetic = parse("{ span.a - span.b > 0 }").query;
    assert_ne!(arithmetic, parse("{ span.a-span.b > 0 }").query);
}

#[test]
fn strings_are_quoted_as_in_go() {
    check(&[
        (
            r#"{ .a = "x\ty\"\\\u00e4\x41\101" }"#,
            r#"{ .a = "x\ty\"\\äAA" }"#,
        ),
        (
            "{ .a = `raw \\n \" text` }",
            r#"{ .a = "raw \\n \" text" }"#,
        ),
        ("{ .a = `two\nlines` }", r#"{ .a = "two\nlines" }"#),
        (r#"{ .a = "\u0007" }"#, r#"{ .a = "\u0007" }"#),
        (r#"{ .a = "" }"#, r#"{ .a = "" }"#),
        (
            r#"{ .a = "// no comment }" }"#,
            r#"{ .a = "// no comment }" }"#,
        ),
    ]);
}

#[test]
fn numbers_and_other_values_are_written_in_their_ways() {
    check(&[
        ("{ .a = -5 }", "{ .a = -5 }"),
        ("{ .a = - 5 }", "{ .a = -5 }"),
        ("{ .a = 9223372036854775807 }", "{ .a = maxInt }"),
        ("{ .a = -9223372036854775808 }", "{ .a = minInt }"),
        ("{ .a = 1.50 }", "{ .a = 1.5 }"),
        ("{ .a = 2. }", "{ .a = 2.0 }"),
        (
            "{ .a = 1e3 || .a = 1E-7 || .a = 1e+300 }",
            "{ .a = 1000.0 || .a = 1e-7 || .a = 1e300 }",
        ),
        ("{ .a = true || .a = false }", "{ .a = true || .a = false }"),
        ("{ .a = nil && .b != nil }", "{ .a = nil && .b != nil }"),
        (
            "{ status = ok || status = error || status = unset }",
            "{ status = ok || status = error || status = unset }",
        ),
    ]);
    for kind in [
        "unspecified",
        "internal",
        "server",
        "client",
        "producer",
        "consumer",
    ] {
        let text = format!("{{ kind != {kind} }}");
        assert_eq!(printed(&text), text);
    }
}

#[test]
fn durations_have_all_units_and_come_in_parts() {
    check(&[
        ("{ duration > 1m30s }", "{ duration > 1m30s }"),
        ("{ duration > 90s }", "{ duration > 1m30s }"),
        ("{ duration > 1.5s }", "{ duration > 1.5s }"),
        ("{ duration > 0.1s }", "{ duration > 100ms }"),
        (
            "{ duration > 7us || duration > 7µs || duration > 7μs }",
            "{ duration > 7µs || duration > 7µs || duration > 7µs }",
        ),
        (
            "{ duration > 1d || duration > 1w }",
            "{ duration > 24h || duration > 168h }",
        ),
        ("{ duration > 1y }", "{ duration > 8760h }"),
        ("{ duration > -1ns }", "{ duration > -1ns }"),
        ("{ duration > 0s }", "{ duration > 0s }"),
    ]);
}

#[test]
fn long_names_of_the_same_field_are_the_same_field() {
    check(&[
        (
            "{ span:name = \"a\" && trace:rootService = \"b\" }",
            "{ name = \"a\" && rootServiceName = \"b\" }",
        ),
        (
            "{ trace:duration > 1s && span:kind = server }",
            "{ traceDuration > 1s && kind = server }",
        ),
    ]);
    assert_eq!(Intrinsic::ChildCount.name(), "span:childCount");
}
