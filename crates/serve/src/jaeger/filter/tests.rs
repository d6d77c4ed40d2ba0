//! What is read, what is lowered to what, and what is refused.

use codec::generated::jaeger::expression::v1::expression::Term;
use codec::generated::jaeger::expression::v1::{Call, Expression};
use model::{Field, Literal, Operator, Place, Predicate};

use super::pattern::check_pattern;
use super::{lower, parse};

fn lowered(text: &str) -> Result<Predicate, String> {
    parse(text).and_then(|call| lower(&call))
}

fn attribute(place: Place, key: &str) -> Field {
    Field::Attribute {
        place,
        key: key.to_owned(),
    }
}

#[test]
fn a_constant_without_a_type_is_compared_as_text_on_span_and_resource() {
    let text = r#"{"op":"eq","args":[{"attr":{"key":"n"}},{"scalar":{"value":"3"}}]}"#;
    let is = |place| {
        Predicate::Compare(
            attribute(place, "n"),
            Operator::Equal,
            Literal::Text("3".to_owned()),
        )
    };
    let either = Predicate::Or(vec![is(Place::Span), is(Place::Resource)]);
    assert_eq!(lowered(text), Ok(either));
}

#[test]
fn a_constant_on_the_left_turns_the_operator_round() {
    let text = r#"{"op":"lt","args":[{"scalar":{"value":"100ms"}},{"field":{"name":"duration","level":"span"}}]}"#;
    let longer = Predicate::Compare(
        Field::Duration,
        Operator::Greater,
        Literal::Int(100_000_000),
    );
    assert_eq!(lowered(text), Ok(longer));
}

#[test]
fn what_differs_has_a_value() {
    let text = concat!(
        r#"{"op":"not_in","args":[{"field":{"name":"kind","level":"span"}},"#,
        r#"{"list":{"values":["server","client"]}}]}"#
    );
    let is = |kind| Predicate::Compare(Field::Kind, Operator::Equal, Literal::Int(kind));
    let neither = Predicate::And(vec![
        Predicate::Exists(Field::Kind),
        Predicate::Not(Box::new(Predicate::Or(vec![is(2), is(3)]))),
    ]);
    assert_eq!(lowered(text), Ok(neither));
}

#[test]
fn what_differs_of_span_or_resource_is_in_neither() {
    let text = r#"{"op":"ne","args":[{"attr":{"key":"n"}},{"scalar":{"value":"3"}}]}"#;
    let places = [Place::Span, Place::Resource];
    let is = |place| {
        let three = Literal::Text("3".to_owned());
        Predicate::Compare(attribute(place, "n"), Operator::Equal, three)
    };
    let exists = places.map(|place| Predicate::Exists(attribute(place, "n")));
    let differs = Predicate::And(vec![
        Predicate::Or(exists.to_vec()),
        Predicate::Not(Box::new(Predicate::Or(places.map(is).to_vec()))),
    ]);
    assert_eq!(lowered(text), Ok(differs));
}

#[test]
fn patterns_and_lists_count_for_what_they_cost() {
    let pattern =
        r#"{"call":{"op":"regex","args":[{"attr":{"key":"n"}},{"scalar":{"value":"a"}}]}}"#;
    let patterns = |count: usize| {
        let all = vec![pattern; count].join(",");
        lowered(&format!(r#"{{"op":"or","args":[{all}]}}"#))
    };
    assert!(patterns(10).is_ok());
    assert!(patterns(100).unwrap_err().contains("more than 1000 parts"));
    let list = |count: usize| {
        let values = vec![r#""v""#; count].join(",");
        lowered(&format!(
            r#"{{"op":"in","args":[{{"attr":{{"key":"n"}}}},{{"list":{{"values":[{values}],"type":"string"}}}}]}}"#
        ))
    };
    assert!(list(900).is_ok());
    assert!(list(1_100).is_err());
    let big =
        r#"{"op":"regex","args":[{"attr":{"key":"n"}},{"scalar":{"value":"(?:a{1000}){1000}"}}]}"#;
    assert!(lowered(big).unwrap_err().contains("is no pattern"));
}

#[test]
fn a_pattern_is_found_anywhere() {
    let text = concat!(
        r#"{"op":"some","args":[{"nested":{"level":"event"}},{"call":{"op":"regex","args":["#,
        r#"{"field":{"name":"name","level":"event"}},{"scalar":{"value":"a|b"}}]}}]}"#
    );
    let found = Predicate::Compare(
        Field::EventName,
        Operator::Matches,
        Literal::String("(?s:.*)(?:a|b)(?s:.*)".to_owned()),
    );
    assert_eq!(lowered(text), Ok(found));
}

#[test]
fn what_can_not_be_said_is_refused_with_the_operator() {
    let attr = r#"{"attr":{"key":"n"}}"#;
    let event = r#"{"attr":{"key":"n","level":"event"}}"#;
    let three = r#"{"scalar":{"value":"3"}}"#;
    let two = format!(
        r#"{{"call":{{"op":"eq","args":[{event},{three}]}}}},{{"call":{{"op":"or","args":[]}}}}"#
    );
    let nested = r#"{"nested":{"level":"event"}}"#;
    let eq = format!(r#"{{"op":"eq","args":[{event},{three}]}}"#);
    let cases = [
        ("{".to_owned(), "EOF"),
        ("[]".to_owned(), "a call is no JSON object"),
        (r#"{"op":"eq","x":1}"#.to_owned(), "unknown field \"x\""),
        (
            r#"{"op":"near"}"#.to_owned(),
            "there is no operator \"near\"",
        ),
        (
            r#"{"op":"and","args":[]}"#.to_owned(),
            "and needs at least two",
        ),
        (
            format!(r#"{{"op":"eq","args":[{attr},{attr}]}}"#),
            "eq compares",
        ),
        (
            format!(r#"{{"op":"not","args":[{attr}]}}"#),
            "not takes calls only",
        ),
        (
            format!(
                r#"{{"op":"gt","args":[{{"field":{{"name":"endTime","level":"span"}}}},{three}]}}"#
            ),
            "gt: the field span endTime",
        ),
        (
            format!(r#"{{"op":"in","args":[{attr},{{"list":{{"values":["3"]}}}}]}}"#),
            "in: a list for an attribute must declare its type",
        ),
        (
            format!(
                r#"{{"op":"some","args":[{nested},{{"call":{{"op":"and","args":[{two}]}}}}]}}"#
            ),
            "some with \"and\"",
        ),
        (
            format!(r#"{{"op":"some","args":[{{"nested":{{"level":"link"}}}},{{"call":{eq}}}]}}"#),
            "some: eq looks at something else",
        ),
        (
            format!(
                r#"{{"op":"eq","args":[{{"field":{{"name":"kind","level":"span"}}}},{three}]}}"#
            ),
            "eq: the constant \"3\" is no kind",
        ),
    ];
    for (text, why) in cases {
        let error = lowered(&text).unwrap_err();
        assert!(error.contains(why), "{text}: {error}");
    }
    for pattern in ["^a", "a$", r"\ba", "a*?", "(?i)a", "(", "(?P<n>a)"] {
        let error = check_pattern(pattern).unwrap_err();
        assert!(error.starts_with("regex: "), "{pattern}: {error}");
    }
    for pattern in ["a|b", r"\$[$^]", "(?:a)?b{2,3}", r"\?\?"] {
        assert_eq!(check_pattern(pattern), Ok(()), "{pattern}");
    }
}

#[test]
fn deep_and_wide_filters_are_refused_without_recursion() {
    let mut text = r#"{"op":"exists","args":[{"attr":{"key":"n"}}]}"#.to_owned();
    for _ in 0..30 {
        text = format!(r#"{{"op":"not","args":[{{"call":{text}}}]}}"#);
    }
    assert!(
        lowered(&text)
            .unwrap_err()
            .contains("nested deeper than 20")
    );
    assert!(parse(&"{\"op\":\"not\",\"args\":[{\"call\":".repeat(100_000)).is_err());
    let mut deep = Call::default();
    for _ in 0..30 {
        let term = Some(Term::Call(deep));
        deep = Call {
            op: "not".to_owned(),
            args: vec![Expression { term }],
        };
    }
    assert!(lower(&deep).unwrap_err().contains("nested deeper than 20"));
}

// Pieces that reach behind the first check.
const TEXTS: &str = concat!(
    "(\\{|\\}|\\[|\\]|,|:|\"op\"|\"args\"|\"eq\"|\"attr\"|\"key\"|\"scalar\"|\"value\"|\"a\"",
    "|1|null){0,40}"
);

proptest::proptest! {
    #[test]
    fn any_text_is_read_or_refused_without_a_panic(
        text in TEXTS,
    ) {
        let _read = lowered(&text);
    }
}
