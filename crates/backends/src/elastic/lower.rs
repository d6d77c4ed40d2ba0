//! What a server is asked for a predicate: a query that finds every span that matches.
//!
//! Promises: no span that matches is missed, whichever version of Jaeger wrote it; more may come than match, and each
//! is judged on what is read. A condition that Jaeger's layout can't be asked exactly is asked as the presence of its
//! key, or not at all.
//!
//! What the layout makes of values: keywords of more than 256 characters are not indexed; numbers stand in a list of
//! tags as they were written, which for whole numbers below ten thousand million is their digits.

use codec::jaeger_document::DocumentLayout;
use codec::jaeger_encode::kind_name;
use model::batch::{SERVICE_EMPTY, SERVICE_MISSING};
use model::contract::{ReadError, Window};
use model::evaluate::Compiled;
use model::{Field, Literal, Operator, Place, Predicate, SpanId, TraceId};
use serde_json::{Value, json};

use crate::walk::compiled;

/// The longest text that is indexed, in UTF-16 units.
const INDEXED_MAX: usize = 256;
/// Whole numbers from here on are written with an exponent by some versions.
const DIGITS_MAX: u64 = 10_000_000_000;
const NANOS_PER_MICRO: u64 = 1_000;
/// Attributes that are read from something else than a tag.
const KEYS_OF_NO_TAG: [&str; 2] = ["service.name", "opentracing.ref_type"];
const STATUS_OK: i64 = 1;
const STATUS_ERROR: i64 = 2;

/// The whole query: what matches and starts in the window.
pub(super) fn query(predicate: &Predicate, window: Window, layout: &DocumentLayout) -> Asked {
    let range = json!({
        "gte": window.start / NANOS_PER_MICRO,
        "lte": window.end / NANOS_PER_MICRO,
    });
    let mut filter = vec![json!({"range": {"startTime": range}})];
    let lowering = Lowering { layout };
    match lowering.of(predicate) {
        Asked::Nothing => return Asked::Nothing,
        Asked::All => {}
        Asked::Some(query) => filter.push(query),
    }
    Asked::Some(json!({"bool": {"filter": filter}}))
}

/// What is judged and what is asked for it; nothing where no span can match.
pub(super) fn judged_and_asked(
    predicate: &Predicate,
    window: Window,
    layout: &DocumentLayout,
) -> Result<Option<(Compiled, Value)>, ReadError> {
    let judged = compiled(predicate)?;
    Ok(match query(predicate, window, layout) {
        Asked::Some(query) if window.start <= window.end => Some((judged, query)),
        _ => None,
    })
}

/// What a condition comes to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Asked {
    /// Every span may match.
    All,
    /// No span matches.
    Nothing,
    /// Spans that this finds may match.
    Some(Value),
}

struct Lowering<'a> {
    layout: &'a DocumentLayout,
}

impl Lowering<'_> {
    fn of(&self, predicate: &Predicate) -> Asked {
        match predicate {
            Predicate::All | Predicate::Not(_) => Asked::All,
            Predicate::And(all) => {
                let mut filter = Vec::new();
                for one in all {
                    match self.of(one) {
                        Asked::All => {}
                        Asked::Nothing => return Asked::Nothing,
                        Asked::Some(query) => filter.push(query),
                    }
                }
                if filter.is_empty() {
                    return Asked::All;
                }
                Asked::Some(json!({"bool": {"filter": filter}}))
            }
            Predicate::Or(any) => any_of(any.iter().map(|one| self.of(one))),
            Predicate::Exists(Field::Attribute { place, key }) => self.has_key(*place, key),
            Predicate::Exists(_) => Asked::All,
            Predicate::Compare(field, operator, literal) => self.compare(field, *operator, literal),
        }
    }

    fn compare(&self, field: &Field, operator: Operator, literal: &Literal) -> Asked {
        match (field, operator, literal) {
            (Field::Service, Operator::Equal, Literal::String(name))
                if is_indexed(name) && name != SERVICE_MISSING && name != SERVICE_EMPTY =>
            {
                Asked::Some(json!({"term": {"process.serviceName": name}}))
            }
            (Field::Name, Operator::Equal, Literal::String(name)) if is_indexed(name) => {
                Asked::Some(json!({"term": {"operationName": name}}))
            }
            (Field::TraceId, Operator::Equal, Literal::TraceId(id)) => {
                Asked::Some(json!({"terms": {"traceID": trace_id_forms(*id)}}))
            }
            (Field::SpanId, Operator::Equal, Literal::SpanId(id)) => {
                Asked::Some(json!({"terms": {"spanID": span_id_forms(*id)}}))
            }
            (Field::ParentSpanId, Operator::Equal, Literal::SpanId(id)) => {
                let ids = span_id_forms(*id);
                Asked::Some(either(&[
                    json!({"terms": {"parentSpanID": ids}}),
                    referring("spanID", &ids),
                ]))
            }
            (Field::LinkSpanId, Operator::Equal, Literal::SpanId(id)) => {
                Asked::Some(referring("spanID", &span_id_forms(*id)))
            }
            (Field::LinkTraceId, Operator::Equal, Literal::TraceId(id)) => {
                Asked::Some(referring("traceID", &trace_id_forms(*id)))
            }
            (Field::Start, _, Literal::Int(nanos)) => range("startTime", operator, *nanos),
            (Field::Duration, _, Literal::Int(nanos)) => range("duration", operator, *nanos),
            (Field::Kind, Operator::Equal, Literal::Int(kind)) => {
                let kind = i32::try_from(*kind).ok();
                match kind.and_then(kind_name) {
                    Some(name) => self.has_value(Place::Span, "span.kind", &[name.to_owned()]),
                    None => Asked::All,
                }
            }
            (Field::Status, Operator::Equal, Literal::Int(status @ (STATUS_OK | STATUS_ERROR))) => {
                let said = self.has_key(Place::Span, "otel.status_code");
                if *status == STATUS_OK {
                    return said;
                }
                let failed = self.has_value(Place::Span, "error", &["true".to_owned()]);
                match (failed, said) {
                    (Asked::Some(failed), Asked::Some(said)) => {
                        Asked::Some(either(&[failed, said]))
                    }
                    _ => Asked::All,
                }
            }
            (field, Operator::Equal, Literal::String(text)) if is_indexed(text) => {
                self.has_text(field, text)
            }
            (Field::Attribute { place, key }, _, _) => {
                self.compare_attribute((*place, key), operator, literal)
            }
            _ => Asked::All,
        }
    }

    /// A field that is written as a tag, or an attribute.
    fn has_text(&self, field: &Field, text: &str) -> Asked {
        let (place, keys): (_, &[&str]) = match field {
            Field::ScopeName => (Place::Span, &["otel.scope.name", "otel.library.name"]),
            Field::ScopeVersion => (Place::Span, &["otel.scope.version", "otel.library.version"]),
            Field::StatusMessage => (Place::Span, &["otel.status_description"]),
            Field::TraceState => (Place::Span, &["w3c.tracestate"]),
            Field::EventName => (Place::Event, &["event"]),
            Field::Attribute { place, key } => (*place, &[key.as_str()]),
            _ => return Asked::All,
        };
        let texts = [text.to_owned()];
        any_of(keys.iter().map(|key| self.has_value(place, key, &texts)))
    }

    /// A comparison with an attribute that is not there is false, whatever the operator.
    fn compare_attribute(
        &self,
        (place, key): (Place, &str),
        operator: Operator,
        literal: &Literal,
    ) -> Asked {
        let texts = match (operator, literal) {
            (Operator::Equal, Literal::Text(text)) if is_plain_word(text) && is_indexed(text) => {
                vec![text.clone()]
            }
            (Operator::Equal, Literal::Bool(is)) => vec![is.to_string()],
            (Operator::Equal, Literal::Int(number)) if number.unsigned_abs() < DIGITS_MAX => {
                vec![number.to_string(), format!("{number}.0")]
            }
            _ => return self.has_key(place, key),
        };
        self.has_value(place, key, &texts)
    }

    fn has_key(&self, place: Place, key: &str) -> Asked {
        self.at_places(place, key, |prefix, field| match field {
            // What is too long to be indexed is there all the same.
            Some(field) => either(&[
                json!({"exists": {"field": field}}),
                json!({"term": {"_ignored": field}}),
            ]),
            None => json!({"term": {format!("{prefix}.key"): key}}),
        })
    }

    fn has_value(&self, place: Place, key: &str, values: &[String]) -> Asked {
        self.at_places(place, key, |prefix, field| match field {
            Some(field) => json!({"terms": {field: values}}),
            None => json!({"bool": {"filter": [
                {"term": {format!("{prefix}.key"): key}},
                {"terms": {format!("{prefix}.value"): values}},
            ]}}),
        })
    }

    /// A condition wherever a tag may be: as a member of its own, or in a list.
    fn at_places(
        &self,
        place: Place,
        key: &str,
        condition: impl Fn(&str, Option<&str>) -> Value,
    ) -> Asked {
        // An empty name can't be asked for as a member; wild cards would mean others.
        if key.contains('*') || !is_indexed(key) || KEYS_OF_NO_TAG.contains(&key) {
            return Asked::All;
        }
        let name = key.replace('.', &self.layout.dot);
        let of_tags = |at: &str| {
            let field = format!("{at}tag.{name}");
            let list = format!("{at}tags");
            let listed = json!({"nested": {"path": list, "query": condition(&list, None)}});
            [condition("", Some(&field)), listed]
        };
        let of_logs = || {
            let fields = "logs.fields";
            let inner = json!({"nested": {"path": fields, "query": condition(fields, None)}});
            json!({"nested": {"path": "logs", "query": inner}})
        };
        let should: Vec<Value> = match place {
            Place::Span => of_tags("").into(),
            Place::Resource => of_tags("process.").into(),
            Place::Event => vec![of_logs()],
            // Only the newest version has these, in forms that differ.
            Place::Scope | Place::Link => return Asked::All,
            Place::Anywhere => {
                let mut all: Vec<Value> = of_tags("").into();
                all.extend(of_tags("process."));
                all.push(of_logs());
                all
            }
        };
        Asked::Some(either(&should))
    }
}

/// One of several.
fn any_of(all: impl Iterator<Item = Asked>) -> Asked {
    let mut should = Vec::new();
    for one in all {
        match one {
            Asked::All => return Asked::All,
            Asked::Nothing => {}
            Asked::Some(query) => should.push(query),
        }
    }
    match should.as_slice() {
        [] => Asked::Nothing,
        [only] => Asked::Some(only.clone()),
        several => Asked::Some(either(several)),
    }
}

/// That a reference has one of some ids.
fn referring(id: &str, forms: &[String]) -> Value {
    let query = json!({"terms": {format!("references.{id}"): forms}});
    json!({"nested": {"path": "references", "query": query}})
}

fn either(should: &[Value]) -> Value {
    json!({"bool": {"should": should, "minimum_should_match": 1}})
}

fn is_indexed(text: &str) -> bool {
    !text.is_empty() && text.encode_utf16().count() <= INDEXED_MAX
}

/// Whether a canonical text is that of a text alone, or of a bool, and so stands in a document as it is.
fn is_plain_word(text: &str) -> bool {
    let starts_as_other =
        text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '[' | '{' | '+'));
    let is_number = matches!(text, "NaN" | "Infinity");
    // Bytes are written in base64 there, and in hexadecimal here.
    let may_be_bytes = text.len().is_multiple_of(4)
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b))
        && text != "true";
    !starts_as_other && !is_number && !may_be_bytes
}

/// The texts that versions of Jaeger write for an id: whole; without leading zeros; 64 bits alone.
pub(super) fn trace_id_forms(id: TraceId) -> Vec<String> {
    let whole = id.to_string();
    let mut forms = vec![whole.clone()];
    if let Some(half) = whole.strip_prefix("0000000000000000") {
        forms.push(half.to_owned());
    }
    let bare = whole.trim_start_matches('0');
    if !bare.is_empty() && !forms.iter().any(|form| form == bare) {
        forms.push(bare.to_owned());
    }
    forms
}

fn span_id_forms(id: SpanId) -> Vec<String> {
    let whole = id.to_string();
    let bare = whole.trim_start_matches('0').to_owned();
    let mut forms = vec![whole];
    if !bare.is_empty() && !forms.contains(&bare) {
        forms.push(bare);
    }
    forms
}

/// A comparison of a number of microseconds with one of nanoseconds: what is read has whole microseconds.
fn range(field: &str, operator: Operator, nanos: i64) -> Asked {
    let below = nanos.div_euclid(1_000);
    let is_whole = nanos.rem_euclid(1_000) == 0;
    let bounds = match operator {
        Operator::Equal if !is_whole => return Asked::Nothing,
        Operator::Equal => json!({"gte": below, "lte": below}),
        Operator::Less if is_whole => json!({"lt": below}),
        Operator::Less | Operator::LessOrEqual => json!({"lte": below}),
        Operator::GreaterOrEqual if is_whole => json!({"gte": below}),
        Operator::Greater | Operator::GreaterOrEqual => json!({"gt": below}),
        _ => return Asked::All,
    };
    Asked::Some(json!({"range": {field: bounds}}))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(predicate: &Predicate) -> Asked {
        let layout = DocumentLayout::default();
        Lowering { layout: &layout }.of(predicate)
    }

    fn is(field: Field, operator: Operator, literal: Literal) -> Predicate {
        Predicate::Compare(field, operator, literal)
    }

    fn tagged(place: Place, key: &str, literal: Literal) -> Predicate {
        let key = key.to_owned();
        is(Field::Attribute { place, key }, Operator::Equal, literal)
    }

    fn text(text: &str) -> Literal {
        Literal::String(text.to_owned())
    }

    #[test]
    fn a_tag_is_looked_for_wherever_a_version_writes_it() {
        let asked = of(&tagged(Place::Span, "http.method", text("GET")));
        let expected = json!({"bool": {"should": [
            {"terms": {"tag.http@method": ["GET"]}},
            {"nested": {"path": "tags", "query": {"bool": {"filter": [
                {"term": {"tags.key": "http.method"}},
                {"terms": {"tags.value": ["GET"]}},
            ]}}}},
        ], "minimum_should_match": 1}});
        assert_eq!(asked, Asked::Some(expected));
        let Asked::Some(anywhere) = of(&tagged(Place::Anywhere, "a", text("x"))) else {
            panic!("it can be asked");
        };
        assert_eq!(anywhere["bool"]["should"].as_array().unwrap().len(), 5);
    }

    #[test]
    fn what_can_not_be_asked_exactly_is_asked_by_its_key() {
        let present = of(&Predicate::Exists(Field::Attribute {
            place: Place::Span,
            key: "a".to_owned(),
        }));
        assert!(matches!(present, Asked::Some(_)));
        let long = "x".repeat(INDEXED_MAX + 1);
        for literal in [
            Literal::Double(0.1),
            Literal::Int(i64::MIN),
            Literal::Text("500".to_owned()),
            Literal::Text("AAEC".to_owned()),
            text(&long),
        ] {
            assert_eq!(
                of(&tagged(Place::Span, "a", literal.clone())),
                present,
                "{literal:?}"
            );
        }
        let smaller = is(
            Field::Attribute {
                place: Place::Span,
                key: "a".to_owned(),
            },
            Operator::Less,
            Literal::Int(5),
        );
        assert_eq!(of(&smaller), present);
    }

    #[test]
    fn what_can_not_be_asked_at_all_excludes_nothing() {
        for predicate in [
            is(Field::Service, Operator::Equal, text(SERVICE_MISSING)),
            is(Field::Service, Operator::NotEqual, text("a")),
            is(Field::Name, Operator::Matches, text("a.*")),
            is(
                Field::Name,
                Operator::Equal,
                text(&"é".repeat(INDEXED_MAX + 1)),
            ),
            is(Field::Kind, Operator::Equal, Literal::Int(0)),
            is(Field::Status, Operator::Equal, Literal::Int(0)),
            tagged(Place::Scope, "a", text("x")),
            tagged(Place::Resource, "service.name", text("x")),
            tagged(Place::Span, "", text("x")),
            tagged(Place::Span, "a*", text("x")),
            Predicate::Not(Box::new(is(Field::Name, Operator::Equal, text("a")))),
            Predicate::Or(vec![
                Predicate::All,
                is(Field::Name, Operator::Equal, text("a")),
            ]),
        ] {
            assert_eq!(of(&predicate), Asked::All, "{predicate:?}");
        }
        assert_eq!(of(&Predicate::Or(Vec::new())), Asked::Nothing);
    }

    #[test]
    fn times_are_compared_in_whole_microseconds() {
        let bounds = |operator: Operator, nanos: i64| match of(&is(
            Field::Duration,
            operator,
            Literal::Int(nanos),
        )) {
            Asked::Some(query) => query["range"]["duration"].to_string(),
            other => format!("{other:?}"),
        };
        for (operator, nanos, expected) in [
            (Operator::Less, 5_000, r#"{"lt":5}"#),
            (Operator::Less, 5_001, r#"{"lte":5}"#),
            (Operator::LessOrEqual, 5_999, r#"{"lte":5}"#),
            (Operator::Greater, 5_000, r#"{"gt":5}"#),
            (Operator::GreaterOrEqual, 5_000, r#"{"gte":5}"#),
            (Operator::GreaterOrEqual, 5_001, r#"{"gt":5}"#),
            (Operator::Equal, 5_000, r#"{"gte":5,"lte":5}"#),
            (Operator::Equal, 5_001, "Nothing"),
            (Operator::NotEqual, 5_000, "All"),
            (Operator::Greater, -1, r#"{"gt":-1}"#),
        ] {
            assert_eq!(bounds(operator, nanos), expected, "{operator:?} {nanos}");
        }
    }

    #[test]
    fn ids_are_asked_for_as_every_version_writes_them() {
        let mut id = [0; 16];
        id[8] = 0x0a;
        assert_eq!(
            trace_id_forms(TraceId(id)),
            [
                "00000000000000000a00000000000000",
                "0a00000000000000",
                "a00000000000000"
            ]
        );
        assert_eq!(trace_id_forms(TraceId([0x11; 16])).len(), 1);
    }
}
