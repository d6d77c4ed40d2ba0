//! The structured filter of Jaeger's API v3 (`query.filter`): its JSON into a tree, the tree into a predicate.
//!
//! Promises: what is accepted is answered exactly. A comparison needs a value to compare, so `ne`, `not_in` and all
//! others are false where there is none; of several values (events, links) one that fits is enough, and for `ne` and
//! `not_in` none may be equal. A constant without a type is compared as text, for order as a number where it is one.
//! A `regex` is found anywhere in the value.
//! Refuses, each with the operator's name: two references in one comparison, a reference on neither side, fields that
//! the store has not (`endTime`, `schemaURL`, times of events, trace state of links), several conditions on one event
//! or link in `some`, and what Jaeger itself refuses: anchors, `\b`, lazy repetition and flags in a `regex`, wrong
//! numbers of arguments, nesting deeper than [`CALLS_DEEP_MAX`].

use codec::generated::jaeger::expression::v1::expression::Term;
use codec::generated::jaeger::expression::v1::{
    AttributeReference, Call, Expression, FieldReference, List, NestedReference, Scalar,
};
use model::{Field, Literal, Operator, Place, Predicate, SpanId, TraceId};
use query::jaeger_search::operation_is;
use serde_json::{Map, Value};

use crate::{go_moment, go_text};

/// Calls within calls.
const CALLS_DEEP_MAX: usize = 20;
/// Calls, references and constants of one filter.
const TERMS_MAX: usize = 1_000;

/// Reads the JSON of a filter.
pub(super) fn parse(text: &str) -> Result<Call, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    call_of(&value, 1)
}

fn call_of(value: &Value, depth: usize) -> Result<Call, String> {
    if depth > CALLS_DEEP_MAX {
        return Err(too_deep());
    }
    let members = members_of(value, "call", &["op", "args"])?;
    let args = match members.get("args") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(args)) => args
            .iter()
            .map(|arg| expression_of(arg, depth))
            .collect::<Result<_, _>>()?,
        Some(_) => return Err("\"args\" is no list".to_owned()),
    };
    Ok(Call {
        op: text_of(members, "op")?,
        args,
    })
}

fn expression_of(value: &Value, depth: usize) -> Result<Expression, String> {
    let kinds = ["attr", "field", "nested", "scalar", "list", "call"];
    let members = members_of(value, "expression", &kinds)?;
    let mut given = members.iter().filter(|(_, value)| !value.is_null());
    let (Some((kind, value)), None) = (given.next(), given.next()) else {
        return Err(format!(
            "an argument is exactly one of {}",
            kinds.join(", ")
        ));
    };
    let term = match kind.as_str() {
        "attr" => {
            let members = members_of(value, "attr", &["key", "level"])?;
            Term::Attr(AttributeReference {
                key: text_of(members, "key")?,
                level: text_of(members, "level")?,
            })
        }
        "field" => {
            let members = members_of(value, "field", &["name", "level"])?;
            Term::Field(FieldReference {
                name: text_of(members, "name")?,
                level: text_of(members, "level")?,
            })
        }
        "nested" => Term::Nested(NestedReference {
            level: text_of(members_of(value, "nested", &["level"])?, "level")?,
        }),
        "scalar" => {
            let members = members_of(value, "scalar", &["value", "type"])?;
            Term::Scalar(Scalar {
                value: text_of(members, "value")?,
                r#type: text_of(members, "type")?,
            })
        }
        "list" => {
            let members = members_of(value, "list", &["values", "type"])?;
            let values = match members.get("values") {
                None | Some(Value::Null) => Vec::new(),
                Some(Value::Array(values)) => values
                    .iter()
                    .map(|value| match value {
                        Value::String(text) => Ok(text.clone()),
                        _ => Err("a value of a list is no text".to_owned()),
                    })
                    .collect::<Result<_, _>>()?,
                Some(_) => return Err("\"values\" is no list".to_owned()),
            };
            Term::List(List {
                values,
                r#type: text_of(members, "type")?,
            })
        }
        _ => Term::Call(call_of(value, depth + 1)?),
    };
    Ok(Expression { term: Some(term) })
}

fn members_of<'a>(
    value: &'a Value,
    what: &str,
    known: &[&str],
) -> Result<&'a Map<String, Value>, String> {
    let Value::Object(members) = value else {
        return Err(format!("a {what} is no JSON object"));
    };
    match members.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(format!("unknown field {key:?} of a {what}")),
        None => Ok(members),
    }
}

fn text_of(members: &Map<String, Value>, key: &str) -> Result<String, String> {
    match members.get(key) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(format!("{key:?} is no text")),
    }
}

fn too_deep() -> String {
    format!("calls are nested deeper than {CALLS_DEEP_MAX}")
}

/// What a span must satisfy.
pub(super) fn lower(call: &Call) -> Result<Predicate, String> {
    let mut terms = 0;
    lower_call(call, 1, Level::Span, &mut terms)
}

/// On what conditions are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Span,
    /// One event or link of the span, in `some`.
    One(Place),
}

fn lower_call(
    call: &Call,
    depth: usize,
    level: Level,
    terms: &mut usize,
) -> Result<Predicate, String> {
    *terms = terms.saturating_add(1 + call.args.len());
    if depth > CALLS_DEEP_MAX {
        return Err(too_deep());
    }
    if *terms > TERMS_MAX {
        return Err(format!("it has more than {TERMS_MAX} parts"));
    }
    let op = call.op.as_str();
    match op {
        "and" | "or" => {
            if call.args.len() < 2 {
                return Err(format!("{op} needs at least two conditions"));
            }
            if op == "and" && level != Level::Span {
                return Err("some with \"and\": several conditions on one event or link can't be searched for; \
                            look for one of them"
                    .to_owned());
            }
            let conditions = call
                .args
                .iter()
                .map(|arg| lower_call(inner_call(op, arg)?, depth + 1, level, terms))
                .collect::<Result<Vec<_>, _>>()?;
            Ok(match op {
                "and" => Predicate::And(conditions),
                _ => Predicate::Or(conditions),
            })
        }
        "not" => {
            let [condition] = call.args.as_slice() else {
                return Err("not needs one condition".to_owned());
            };
            if level != Level::Span {
                return Err(
                    "some with \"not\": that one event or link does not fit can't be searched for"
                        .to_owned(),
                );
            }
            let condition = lower_call(inner_call(op, condition)?, depth + 1, level, terms)?;
            Ok(Predicate::Not(Box::new(condition)))
        }
        "some" => lower_some(call, depth, level, terms),
        "exists" => match call.args.as_slice() {
            [reference] => {
                let reference = reference_of(op, reference, level)?;
                let fields = reference.fields.into_iter().map(Predicate::Exists);
                Ok(any_of(fields.collect()))
            }
            _ => Err("exists needs one attribute or field".to_owned()),
        },
        "regex" => lower_regex(call, level),
        "in" | "not_in" => lower_in(call, level),
        "eq" | "ne" | "gt" | "lt" | "gte" | "lte" => lower_compare(call, level),
        _ => Err(format!(
            "there is no operator {op:?}; there are and, or, not, eq, ne, gt, lt, gte, lte, regex, exists, in, \
             not_in, some"
        )),
    }
}

fn inner_call<'a>(op: &str, argument: &'a Expression) -> Result<&'a Call, String> {
    match &argument.term {
        Some(Term::Call(call)) => Ok(call),
        _ => Err(format!("{op} takes calls only")),
    }
}

fn lower_some(
    call: &Call,
    depth: usize,
    level: Level,
    terms: &mut usize,
) -> Result<Predicate, String> {
    let [nested, condition] = call.args.as_slice() else {
        return Err("some needs event or link, and a condition".to_owned());
    };
    let place = match &nested.term {
        Some(Term::Nested(nested)) if nested.level == "event" => Place::Event,
        Some(Term::Nested(nested)) if nested.level == "link" => Place::Link,
        _ => return Err("some needs event or link as its first argument".to_owned()),
    };
    if level != Level::Span {
        return Err("some within some".to_owned());
    }
    let condition = inner_call("some", condition)?;
    lower_call(condition, depth + 1, Level::One(place), terms)
}

/// What is compared: one field, or an attribute that may stand at several places.
#[derive(Debug)]
struct Reference {
    fields: Vec<Field>,
    kind: Kind,
}

/// What a field's constants look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Attribute,
    Text,
    Operation,
    SpanKind,
    Status,
    Moment,
    Duration,
    TraceId,
    SpanId,
}

fn reference_of(op: &str, argument: &Expression, level: Level) -> Result<Reference, String> {
    let reference = match &argument.term {
        Some(Term::Attr(attribute)) => {
            let places = match attribute.level.as_str() {
                "" => vec![Place::Span, Place::Resource],
                "span" => vec![Place::Span],
                "resource" => vec![Place::Resource],
                "scope" => vec![Place::Scope],
                "event" => vec![Place::Event],
                "link" => vec![Place::Link],
                other => return Err(format!("{op}: there is no level {other:?}")),
            };
            let fields = places.into_iter().map(|place| Field::Attribute {
                place,
                key: attribute.key.clone(),
            });
            Reference {
                fields: fields.collect(),
                kind: Kind::Attribute,
            }
        }
        Some(Term::Field(field)) => {
            let (field, kind) = field_of(op, field)?;
            Reference {
                fields: vec![field],
                kind,
            }
        }
        _ => return Err(format!("{op} needs an attribute or a field")),
    };
    match level {
        Level::One(wanted)
            if reference
                .fields
                .iter()
                .any(|field| place_of(field) != wanted) =>
        {
            Err(format!(
                "some: {op} looks at something else than the event or link itself"
            ))
        }
        _ => Ok(reference),
    }
}

/// Where a field stands; a span's own fields stand on the span.
fn place_of(field: &Field) -> Place {
    match field {
        Field::Attribute { place, .. } => *place,
        Field::EventName => Place::Event,
        Field::LinkTraceId | Field::LinkSpanId => Place::Link,
        _ => Place::Span,
    }
}

fn field_of(op: &str, field: &FieldReference) -> Result<(Field, Kind), String> {
    Ok(match (field.level.as_str(), field.name.as_str()) {
        ("span", "traceID") => (Field::TraceId, Kind::TraceId),
        ("span", "spanID") => (Field::SpanId, Kind::SpanId),
        ("span", "parentSpanID") => (Field::ParentSpanId, Kind::SpanId),
        ("span", "traceState") => (Field::TraceState, Kind::Text),
        ("span", "name") => (Field::Name, Kind::Operation),
        ("span", "kind") => (Field::Kind, Kind::SpanKind),
        ("span", "startTime") => (Field::Start, Kind::Moment),
        ("span", "duration") => (Field::Duration, Kind::Duration),
        ("span", "status") => (Field::Status, Kind::Status),
        ("span", "statusMessage") => (Field::StatusMessage, Kind::Text),
        ("resource", "service") => (Field::Service, Kind::Text),
        ("scope", "name") => (Field::ScopeName, Kind::Text),
        ("scope", "version") => (Field::ScopeVersion, Kind::Text),
        ("event", "name") => (Field::EventName, Kind::Text),
        ("link", "traceID") => (Field::LinkTraceId, Kind::TraceId),
        ("link", "spanID") => (Field::LinkSpanId, Kind::SpanId),
        ("span", "endTime")
        | ("resource" | "scope", "schemaURL")
        | ("event", "time" | "timeSinceStart")
        | ("link", "traceState") => {
            let (level, name) = (&field.level, &field.name);
            return Err(format!(
                "{op}: the field {level} {name} can't be searched for here"
            ));
        }
        (level, name) => {
            return Err(format!(
                "{op}: there is no field {name:?} of level {level:?}"
            ));
        }
    })
}

fn any_of(mut conditions: Vec<Predicate>) -> Predicate {
    match conditions.len() {
        1 => conditions.remove(0),
        _ => Predicate::Or(conditions),
    }
}

/// One value or several that a reference is equal to.
fn equal(reference: &Reference, field: &Field, literals: &[Literal]) -> Predicate {
    let one = |literal: &Literal| match (reference.kind, literal) {
        (Kind::Operation, Literal::String(name)) => operation_is(name),
        _ => Predicate::Compare(field.clone(), Operator::Equal, literal.clone()),
    };
    any_of(literals.iter().map(one).collect())
}

/// There is a value, and none of the literals is it.
fn unequal(reference: &Reference, field: &Field, literals: &[Literal]) -> Predicate {
    let equal = equal(reference, field, literals);
    Predicate::And(vec![
        Predicate::Exists(field.clone()),
        Predicate::Not(Box::new(equal)),
    ])
}

fn lower_compare(call: &Call, level: Level) -> Result<Predicate, String> {
    let op = call.op.as_str();
    let [left, right] = call.args.as_slice() else {
        return Err(format!("{op} needs two arguments"));
    };
    let (reference, scalar, op) = match (&left.term, &right.term) {
        (_, Some(Term::Scalar(scalar))) => (left, scalar, op),
        (Some(Term::Scalar(scalar)), _) => (right, scalar, turned(op)),
        _ => {
            return Err(format!(
                "{op} compares an attribute or a field with a constant only"
            ));
        }
    };
    let reference = reference_of(op, reference, level)?;
    let is_order = !matches!(op, "eq" | "ne");
    let has_order = !matches!(reference.kind, Kind::SpanKind | Kind::Status);
    if is_order && (!has_order || scalar.r#type == "bool") {
        return Err(format!(
            "{op}: truth values, kinds and statuses have no order"
        ));
    }
    let literal = literal_of(op, reference.kind, &scalar.value, &scalar.r#type)?;
    let literal = if is_order { ordered(literal) } else { literal };
    if is_order && matches!(literal, Literal::TraceId(_) | Literal::SpanId(_)) {
        return Err(format!("{op}: the order of ids can't be searched for"));
    }
    if op == "ne" && level != Level::Span {
        return Err(
            "some with \"ne\": that one event or link differs can't be searched for".to_owned(),
        );
    }
    let literals = [literal];
    let one = |field: &Field| {
        let operator = match op {
            "ne" => return unequal(&reference, field, &literals),
            "gt" => Operator::Greater,
            "lt" => Operator::Less,
            "gte" => Operator::GreaterOrEqual,
            "lte" => Operator::LessOrEqual,
            _ => return equal(&reference, field, &literals),
        };
        let [literal] = &literals;
        Predicate::Compare(field.clone(), operator, literal.clone())
    };
    Ok(any_of(reference.fields.iter().map(one).collect()))
}

/// The operator that says the same with its sides exchanged.
fn turned(op: &str) -> &str {
    match op {
        "gt" => "lt",
        "lt" => "gt",
        "gte" => "lte",
        "lte" => "gte",
        other => other,
    }
}

/// A text without a type, where order is asked: a number if it is one.
fn ordered(literal: Literal) -> Literal {
    let Literal::Text(text) = literal else {
        return literal;
    };
    if let Ok(number) = text.parse() {
        return Literal::Int(number);
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Literal::Double(number),
        _ => Literal::String(text),
    }
}

fn literal_of(op: &str, kind: Kind, value: &str, value_type: &str) -> Result<Literal, String> {
    let wrong = |why: &str| format!("{op}: the constant {value:?} {why}");
    if !matches!(value_type, "" | "string" | "int" | "double" | "bool") {
        return Err(wrong(&format!("has the unknown type {value_type:?}")));
    }
    if kind != Kind::Attribute && !matches!(value_type, "" | "string") {
        return Err(wrong(&format!(
            "of type {value_type} is not what the field holds"
        )));
    }
    Ok(match (kind, value_type) {
        (Kind::Attribute, "") => Literal::Text(value.to_owned()),
        (Kind::Attribute, "int") => Literal::Int(
            go_text::parse_int(value).map_err(|why| wrong(&format!("is no int: {why}")))?,
        ),
        (Kind::Attribute, "double") => {
            let number = go_text::parse_float(value);
            Literal::Double(number.map_err(|why| wrong(&format!("is no double: {why}")))?)
        }
        (Kind::Attribute, "bool") => match value {
            "true" => Literal::Bool(true),
            "false" => Literal::Bool(false),
            _ => return Err(wrong("is no bool")),
        },
        (Kind::Attribute | Kind::Text | Kind::Operation, _) => Literal::String(value.to_owned()),
        (Kind::SpanKind, _) => {
            let names = [
                "unspecified",
                "internal",
                "server",
                "client",
                "producer",
                "consumer",
            ];
            Literal::Int(index_of(&names, value).ok_or_else(|| wrong("is no kind of a span"))?)
        }
        (Kind::Status, _) => {
            let names = ["unset", "ok", "error"];
            Literal::Int(index_of(&names, value).ok_or_else(|| wrong("is no status"))?)
        }
        (Kind::Moment, _) => {
            let nanos =
                go_moment::parse(value).map_err(|why| wrong(&format!("is no time: {why}")))?;
            let nanos = nanos.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
            Literal::Int(i64::try_from(nanos).unwrap_or_default())
        }
        (Kind::Duration, _) => {
            let nanos = go_text::parse_duration(value);
            Literal::Int(nanos.map_err(|why| wrong(&format!("is no duration: {why}")))?)
        }
        (Kind::TraceId, _) => {
            Literal::TraceId(TraceId::parse(value).map_err(|_| wrong("is no trace id"))?)
        }
        (Kind::SpanId, _) => {
            Literal::SpanId(SpanId::parse(value).map_err(|_| wrong("is no span id"))?)
        }
    })
}

fn index_of(names: &[&str], name: &str) -> Option<i64> {
    let index = names.iter().position(|known| *known == name)?;
    i64::try_from(index).ok()
}

fn lower_in(call: &Call, level: Level) -> Result<Predicate, String> {
    let op = call.op.as_str();
    let [reference, list] = call.args.as_slice() else {
        return Err(format!("{op} needs an attribute or a field, and a list"));
    };
    let Some(Term::List(list)) = &list.term else {
        return Err(format!("{op} needs a list as its second argument"));
    };
    let reference = reference_of(op, reference, level)?;
    if list.values.is_empty() {
        return Err(format!("{op} needs a list with at least one value"));
    }
    if list.values.len() > TERMS_MAX {
        return Err(format!("{op} takes at most {TERMS_MAX} values"));
    }
    if reference.kind == Kind::Attribute && list.r#type.is_empty() {
        return Err(format!(
            "{op}: a list for an attribute must declare its type"
        ));
    }
    if op == "not_in" && level != Level::Span {
        return Err(
            "some with \"not_in\": that one event or link differs can't be searched for".to_owned(),
        );
    }
    let literals = list
        .values
        .iter()
        .map(|value| literal_of(op, reference.kind, value, &list.r#type))
        .collect::<Result<Vec<_>, _>>()?;
    let one = |field: &Field| match op {
        "in" => equal(&reference, field, &literals),
        _ => unequal(&reference, field, &literals),
    };
    Ok(any_of(reference.fields.iter().map(one).collect()))
}

fn lower_regex(call: &Call, level: Level) -> Result<Predicate, String> {
    let [
        reference,
        Expression {
            term: Some(Term::Scalar(pattern)),
        },
    ] = call.args.as_slice()
    else {
        return Err("regex needs an attribute or a field, and a constant pattern".to_owned());
    };
    if !matches!(pattern.r#type.as_str(), "" | "string") {
        return Err("regex needs a text as its pattern".to_owned());
    }
    let reference = reference_of("regex", reference, level)?;
    if !matches!(
        reference.kind,
        Kind::Attribute | Kind::Text | Kind::Operation
    ) {
        return Err("regex looks at texts only".to_owned());
    }
    check_pattern(&pattern.value)?;
    // The store matches whole values, and a pattern is to be found anywhere.
    let anywhere = format!("(?s:.*)(?:{})(?s:.*)", pattern.value);
    let one = |field: &Field| {
        let literal = Literal::String(anywhere.clone());
        Predicate::Compare(field.clone(), Operator::Matches, literal)
    };
    Ok(any_of(reference.fields.iter().map(one).collect()))
}

/// Refuses what a pattern that is found anywhere must not say.
fn check_pattern(pattern: &str) -> Result<(), String> {
    let refused = |what: &str| Err(format!("regex: {what} is not allowed in {pattern:?}"));
    if let Err(error) = regex::Regex::new(pattern) {
        let text = error.to_string();
        let last = text.lines().last().unwrap_or_default();
        return Err(format!(
            "regex: {pattern:?} is no pattern: {}",
            last.trim_start_matches("error: ")
        ));
    }
    let mut is_in_class = false;
    let mut before = ' ';
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('b' | 'B' | 'A' | 'z' | 'Z') if !is_in_class => return refused("an anchor"),
                // The characters of a literal text are none of the language's.
                Some('Q') => return refused("\\Q"),
                _ => {}
            },
            '[' => is_in_class = true,
            ']' => is_in_class = false,
            _ if is_in_class => {}
            '^' | '$' => return refused("an anchor"),
            '?' if matches!(before, '*' | '+' | '?' | '}') => return refused("lazy repetition"),
            '(' if chars.peek() == Some(&'?') => {
                chars.next();
                if chars.next() != Some(':') {
                    return refused("a flag or a name of a group");
                }
            }
            _ => {}
        }
        before = if c == '\\' { ' ' } else { c };
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let text = r#"{"op":"not_in","args":[{"field":{"name":"kind","level":"span"}},{"list":{"values":["server","client"]}}]}"#;
        let is = |kind| Predicate::Compare(Field::Kind, Operator::Equal, Literal::Int(kind));
        let neither = Predicate::And(vec![
            Predicate::Exists(Field::Kind),
            Predicate::Not(Box::new(Predicate::Or(vec![is(2), is(3)]))),
        ]);
        assert_eq!(lowered(text), Ok(neither));
    }

    #[test]
    fn a_pattern_is_found_anywhere() {
        let text = r#"{"op":"some","args":[{"nested":{"level":"event"}},{"call":{"op":"regex","args":[{"field":{"name":"name","level":"event"}},{"scalar":{"value":"a|b"}}]}}]}"#;
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
                    r#"{{"op":"some","args":[{{"nested":{{"level":"event"}}}},{{"call":{{"op":"and","args":[{{"call":{eq}}},{{"call":{eq}}}]}}}}]}}"#
                ),
                "some with \"and\"",
            ),
            (
                format!(
                    r#"{{"op":"some","args":[{{"nested":{{"level":"link"}}}},{{"call":{eq}}}]}}"#
                ),
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

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused_without_a_panic(
            text in "(\\{|\\}|\\[|\\]|,|:|\"op\"|\"args\"|\"eq\"|\"attr\"|\"key\"|\"scalar\"|\"value\"|\"a\"|1|null){0,40}",
        ) {
            let _read = lowered(&text);
        }
    }
}
