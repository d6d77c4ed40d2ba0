//! The tree of a filter, lowered to what the store is asked.

use codec::generated::jaeger::expression::v1::expression::Term;
use codec::generated::jaeger::expression::v1::{Call, Expression, FieldReference};
use model::{Field, Literal, Operator, Place, Predicate, SpanId, TraceId};
use query::jaeger_search::operation_is;

use super::pattern::check_pattern;
use super::{CALLS_DEEP_MAX, TERMS_MAX, too_deep};
use crate::{go_moment, go_text};

/// What a span must satisfy.
pub(in crate::jaeger) fn lower(call: &Call) -> Result<Predicate, String> {
    let mut terms = 0;
    lower_call(call, 1, Level::Span, &mut terms)
}

/// So many parts a pattern counts.
const PATTERN_PARTS: usize = 30;

/// On what conditions are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Span,
    /// One event or link of the span, in `some`.
    One(Place),
}

/// What a call counts: itself, its arguments, the values of its lists; a pattern is as dear as many of them.
fn parts_of(call: &Call) -> usize {
    let values = call.args.iter().map(|arg| match &arg.term {
        Some(Term::List(list)) => 1 + list.values.len(),
        _ => 1,
    });
    let pattern = if call.op == "regex" { PATTERN_PARTS } else { 0 };
    1 + pattern + values.sum::<usize>()
}

fn lower_call(
    call: &Call,
    depth: usize,
    level: Level,
    terms: &mut usize,
) -> Result<Predicate, String> {
    *terms = terms.saturating_add(parts_of(call));
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
    holds: Holds,
}

/// What a field holds, and so how its constants look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
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
                holds: Holds::Attribute,
            }
        }
        Some(Term::Field(field)) => {
            let (field, holds) = field_of(op, field)?;
            Reference {
                fields: vec![field],
                holds,
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

fn field_of(op: &str, field: &FieldReference) -> Result<(Field, Holds), String> {
    Ok(match (field.level.as_str(), field.name.as_str()) {
        ("span", "traceID") => (Field::TraceId, Holds::TraceId),
        ("span", "spanID") => (Field::SpanId, Holds::SpanId),
        ("span", "parentSpanID") => (Field::ParentSpanId, Holds::SpanId),
        ("span", "traceState") => (Field::TraceState, Holds::Text),
        ("span", "name") => (Field::Name, Holds::Operation),
        ("span", "kind") => (Field::Kind, Holds::SpanKind),
        ("span", "startTime") => (Field::Start, Holds::Moment),
        ("span", "duration") => (Field::Duration, Holds::Duration),
        ("span", "status") => (Field::Status, Holds::Status),
        ("span", "statusMessage") => (Field::StatusMessage, Holds::Text),
        ("resource", "service") => (Field::Service, Holds::Text),
        ("scope", "name") => (Field::ScopeName, Holds::Text),
        ("scope", "version") => (Field::ScopeVersion, Holds::Text),
        ("event", "name") => (Field::EventName, Holds::Text),
        ("link", "traceID") => (Field::LinkTraceId, Holds::TraceId),
        ("link", "spanID") => (Field::LinkSpanId, Holds::SpanId),
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
    let one = |literal: &Literal| match (reference.holds, literal) {
        (Holds::Operation, Literal::String(name)) => operation_is(name),
        _ => Predicate::Compare(field.clone(), Operator::Equal, literal.clone()),
    };
    any_of(literals.iter().map(one).collect())
}

/// There is a value in some of the fields, and none of the literals is one of them.
fn unequal(reference: &Reference, literals: &[Literal]) -> Predicate {
    let fields = || reference.fields.iter();
    let exists = fields().map(|field| Predicate::Exists(field.clone()));
    let equal = fields().map(|field| equal(reference, field, literals));
    Predicate::And(vec![
        any_of(exists.collect()),
        Predicate::Not(Box::new(any_of(equal.collect()))),
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
    let has_order = !matches!(reference.holds, Holds::SpanKind | Holds::Status);
    if is_order && (!has_order || scalar.r#type == "bool") {
        return Err(format!(
            "{op}: truth values, kinds and statuses have no order"
        ));
    }
    let literal = literal_of(op, reference.holds, &scalar.value, &scalar.r#type)?;
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
    if op == "ne" {
        return Ok(unequal(&reference, &literals));
    }
    let one = |field: &Field| {
        let operator = match op {
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

fn literal_of(op: &str, holds: Holds, value: &str, value_type: &str) -> Result<Literal, String> {
    let wrong = |why: &str| format!("{op}: the constant {value:?} {why}");
    if !matches!(value_type, "" | "string" | "int" | "double" | "bool") {
        return Err(wrong(&format!("has the unknown type {value_type:?}")));
    }
    if holds != Holds::Attribute && !matches!(value_type, "" | "string") {
        return Err(wrong(&format!(
            "of type {value_type} is not what the field holds"
        )));
    }
    Ok(match (holds, value_type) {
        (Holds::Attribute, "") => Literal::Text(value.to_owned()),
        (Holds::Attribute, "int") => Literal::Int(
            go_text::parse_int(value).map_err(|why| wrong(&format!("is no int: {why}")))?,
        ),
        (Holds::Attribute, "double") => {
            let number = go_text::parse_float(value);
            Literal::Double(number.map_err(|why| wrong(&format!("is no double: {why}")))?)
        }
        (Holds::Attribute, "bool") => match value {
            "true" => Literal::Bool(true),
            "false" => Literal::Bool(false),
            _ => return Err(wrong("is no bool")),
        },
        (Holds::Attribute | Holds::Text | Holds::Operation, _) => Literal::String(value.to_owned()),
        (Holds::SpanKind, _) => {
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
        (Holds::Status, _) => {
            let names = ["unset", "ok", "error"];
            Literal::Int(index_of(&names, value).ok_or_else(|| wrong("is no status"))?)
        }
        (Holds::Moment, _) => {
            let nanos =
                go_moment::parse(value).map_err(|why| wrong(&format!("is no time: {why}")))?;
            let nanos = nanos.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
            Literal::Int(i64::try_from(nanos).unwrap_or_default())
        }
        (Holds::Duration, _) => {
            let nanos = go_text::parse_duration(value);
            Literal::Int(nanos.map_err(|why| wrong(&format!("is no duration: {why}")))?)
        }
        (Holds::TraceId, _) => {
            Literal::TraceId(TraceId::parse(value).map_err(|_| wrong("is no trace id"))?)
        }
        (Holds::SpanId, _) => {
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
    if reference.holds == Holds::Attribute && list.r#type.is_empty() {
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
        .map(|value| literal_of(op, reference.holds, value, &list.r#type))
        .collect::<Result<Vec<_>, _>>()?;
    if op == "not_in" {
        return Ok(unequal(&reference, &literals));
    }
    let one = |field: &Field| equal(&reference, field, &literals);
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
        reference.holds,
        Holds::Attribute | Holds::Text | Holds::Operation
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
