//! A trace in Jaeger's JSON. The order of keys is the one that Jaeger writes.
//!
//! Times are whole microseconds, cut. What OTLP keeps beside the attributes becomes tags: scope first, then the span's
//! own attributes, then kind, status and trace state. Whole numbers beyond 2^53 are texts, so that JavaScript can't
//! round them; NaN and the infinities are texts, since JSON has no words for them.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::TraceId;
use model::batch::AttrValue;
use model::value::number_text;
use plumbing::planted;
use query::adjust::{
    AdjustableAttribute, AdjustableEvent, AdjustableLink, AdjustableResource, AdjustableSpan,
    AdjustableTrace,
};

use super::catalogue::kind_name;
use crate::json_text::{push_list, push_number, push_text};

const NANOS_PER_MICRO: u64 = 1_000;
/// The largest whole number that JavaScript keeps exactly.
const EXACT_INT_MAX: u64 = (1 << 53) - 1;
/// What Jaeger calls the service of a resource without any attribute, where nothing repaired it.
const SERVICE_OF_EMPTY_RESOURCE: &str = "OTLPResourceNoServiceName";
const SERVICE_KEY: &str = "service.name";

const STATUS_OK: i32 = 1;
const STATUS_ERROR: i32 = 2;

/// Writes a trace.
pub(super) fn push_trace(out: &mut String, trace: &AdjustableTrace<'_>) {
    let processes = Processes::of(trace);
    out.push_str("{\"traceID\":");
    push_text(out, &trace.trace_id.jaeger_text());
    out.push_str(",\"spans\":");
    push_list(out, &trace.spans, |out, span| {
        push_span(out, trace, span, &processes);
    });
    out.push_str(",\"processes\":{");
    processes.push(out);
    out.push_str("},\"warnings\":null}");
}

/// The processes of a trace: what Jaeger calls a resource, each content once.
#[derive(Debug)]
struct Processes {
    /// The number of each resource; 0 for one without spans.
    number_of: Vec<usize>,
    /// The JSON of each process, the first being number 1.
    texts: Vec<String>,
}

impl Processes {
    fn of(trace: &AdjustableTrace<'_>) -> Self {
        let mut processes = Self {
            number_of: vec![0; trace.resources.len()],
            texts: Vec::new(),
        };
        let mut known: HashMap<String, usize> = HashMap::new();
        for span in &trace.spans {
            let resource = trace.resources.get(span.resource);
            let (Some(resource), Some(number)) =
                (resource, processes.number_of.get_mut(span.resource))
            else {
                continue;
            };
            if *number == 0 {
                let text = process_text(resource);
                *number = *known.entry(text).or_insert_with_key(|text| {
                    processes.texts.push(text.clone());
                    processes.texts.len()
                });
            }
        }
        processes
    }

    fn push(&self, out: &mut String) {
        let mut named: Vec<(String, &String)> = self
            .texts
            .iter()
            .enumerate()
            .map(|(index, text)| (format!("p{}", index + 1), text))
            .collect();
        // Go sorts the keys of a map as texts: p1, p10, p2.
        named.sort();
        for (index, (name, text)) in named.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            push_text(out, name);
            out.push(':');
            out.push_str(text);
        }
    }
}

fn process_text(resource: &AdjustableResource<'_>) -> String {
    let named = resource
        .attributes
        .iter()
        .find(|attribute| attribute.key == SERVICE_KEY);
    let service = match named {
        Some(attribute) => attribute.value.get().canonical_text().into_owned(),
        None if resource.attributes.is_empty() => SERVICE_OF_EMPTY_RESOURCE.to_owned(),
        None => String::new(),
    };
    let mut out = String::from("{\"serviceName\":");
    push_text(&mut out, &service);
    out.push_str(",\"tags\":");
    let tags = resource
        .attributes
        .iter()
        .filter(|attribute| attribute.key != SERVICE_KEY);
    push_list(&mut out, tags, push_attribute);
    out.push('}');
    out
}

fn push_span(
    out: &mut String,
    trace: &AdjustableTrace<'_>,
    span: &AdjustableSpan<'_>,
    processes: &Processes,
) {
    out.push_str("{\"traceID\":");
    push_text(out, &trace.trace_id.jaeger_text());
    out.push_str(",\"spanID\":");
    push_text(out, &span.span_id.to_string());
    out.push_str(",\"operationName\":");
    push_text(out, span.name);
    out.push_str(",\"references\":");
    push_references(out, trace.trace_id, span);
    out.push_str(",\"startTime\":");
    push_number(out, span.start / NANOS_PER_MICRO);
    out.push_str(",\"duration\":");
    push_number(out, span.duration() / NANOS_PER_MICRO);
    out.push_str(",\"tags\":");
    push_tags(out, trace, span);
    out.push_str(",\"logs\":");
    push_list(out, &span.events, push_log);
    out.push_str(",\"processID\":\"p");
    push_number(
        out,
        processes
            .number_of
            .get(span.resource)
            .copied()
            .unwrap_or_default(),
    );
    out.push_str("\",\"warnings\":");
    if span.warnings.is_empty() {
        out.push_str("null");
    } else {
        push_list(out, &span.warnings, |out, warning| push_text(out, warning));
    }
    out.push('}');
}

/// The parent first, then the links. A link to the parent is no reference of its own: its type becomes the parent's.
fn push_references(out: &mut String, trace_id: TraceId, span: &AdjustableSpan<'_>) {
    let has_parent = !span.parent_span_id.is_zero();
    let is_parent = |link: &AdjustableLink<'_>| {
        has_parent && link.trace_id == trace_id && link.span_id == span.parent_span_id
    };
    let mut references = Vec::with_capacity(span.links.len() + 1);
    if has_parent {
        let to_parent = span.links.iter().rfind(|link| is_parent(link));
        let ref_type = to_parent.map_or("CHILD_OF", ref_type);
        references.push((ref_type, trace_id, span.parent_span_id));
    }
    let others = span.links.iter().filter(|link| !is_parent(link));
    references.extend(others.map(|link| (ref_type(link), link.trace_id, link.span_id)));
    push_list(out, references, |out, (ref_type, trace_id, span_id)| {
        out.push_str("{\"refType\":");
        push_text(out, ref_type);
        out.push_str(",\"traceID\":");
        push_text(out, &trace_id.jaeger_text());
        out.push_str(",\"spanID\":");
        push_text(out, &span_id.to_string());
        out.push('}');
    });
}

fn ref_type(link: &AdjustableLink<'_>) -> &'static str {
    let said = link
        .attributes
        .iter()
        .find(|attribute| attribute.key == "opentracing.ref_type");
    match said.map(|attribute| attribute.value.get()) {
        Some(AttrValue::String("child_of")) => "CHILD_OF",
        _ => "FOLLOWS_FROM",
    }
}

/// A tag: a key and a value.
type Tag<'a> = (&'a str, AttrValue<'a>);

fn push_tags(out: &mut String, trace: &AdjustableTrace<'_>, span: &AdjustableSpan<'_>) {
    let scope = trace.scopes.get(span.scope);
    let scope_texts = scope.map(|scope| {
        [
            ("otel.scope.name", scope.name),
            ("otel.scope.version", scope.version),
        ]
    });
    let of_scope = scope_texts
        .into_iter()
        .flatten()
        .filter(|(_, text)| !text.is_empty());
    let of_scope = of_scope.map(|(key, text)| (key, AttrValue::String(text)));
    let own = span
        .attributes
        .iter()
        .map(|attribute| (attribute.key, attribute.value.get()));
    let of_fields = field_tags(span);
    let push = |out: &mut String, (key, value): Tag<'_>| push_tag(out, key, value);
    if planted("serve-tag-order") {
        return push_list(out, of_fields.into_iter().chain(of_scope).chain(own), push);
    }
    push_list(out, of_scope.chain(own).chain(of_fields), push);
}

/// What OTLP has fields for and Jaeger has tags for.
fn field_tags<'a>(span: &AdjustableSpan<'a>) -> Vec<Tag<'a>> {
    let mut tags = Vec::with_capacity(5);
    if let Some(kind) = kind_name(span.kind) {
        tags.push(("span.kind", AttrValue::String(kind)));
    }
    match span.status {
        STATUS_OK => tags.push(("otel.status_code", AttrValue::String("OK"))),
        STATUS_ERROR => {
            tags.push(("otel.status_code", AttrValue::String("ERROR")));
            tags.push(("error", AttrValue::Bool(true)));
        }
        _ => {}
    }
    if !span.status_message.is_empty() {
        tags.push((
            "otel.status_description",
            AttrValue::String(span.status_message),
        ));
    }
    if !span.trace_state.is_empty() {
        tags.push(("w3c.tracestate", AttrValue::String(span.trace_state)));
    }
    tags
}

/// An event. Its name is the field `event`, unless an attribute is called so.
fn push_log(out: &mut String, event: &AdjustableEvent<'_>) {
    out.push_str("{\"timestamp\":");
    push_number(out, event.time / NANOS_PER_MICRO);
    out.push_str(",\"fields\":");
    let is_named = !event.name.is_empty()
        && event
            .attributes
            .iter()
            .all(|attribute| attribute.key != "event");
    let name = is_named.then_some(("event", AttrValue::String(event.name)));
    let attributes = event
        .attributes
        .iter()
        .map(|attribute| (attribute.key, attribute.value.get()));
    push_list(
        out,
        name.into_iter().chain(attributes),
        |out, (key, value): Tag<'_>| push_tag(out, key, value),
    );
    out.push('}');
}

fn push_attribute(out: &mut String, attribute: &AdjustableAttribute<'_>) {
    push_tag(out, attribute.key, attribute.value.get());
}

fn push_tag(out: &mut String, key: &str, value: AttrValue<'_>) {
    out.push_str("{\"key\":");
    push_text(out, key);
    let (value_type, write): (&str, fn(&mut String, AttrValue<'_>)) = match value {
        AttrValue::Empty | AttrValue::String(_) | AttrValue::Array(_) | AttrValue::Map(_) => {
            ("string", push_as_text)
        }
        AttrValue::Bool(_) => ("bool", push_as_word),
        AttrValue::Int(_) => ("int64", push_int),
        AttrValue::Double(_) => ("float64", push_double),
        AttrValue::Bytes(_) => ("binary", push_bytes),
    };
    out.push_str(",\"type\":\"");
    out.push_str(value_type);
    out.push_str("\",\"value\":");
    write(out, value);
    out.push('}');
}

fn push_as_text(out: &mut String, value: AttrValue<'_>) {
    push_text(out, &value.canonical_text());
}

fn push_as_word(out: &mut String, value: AttrValue<'_>) {
    out.push_str(&value.canonical_text());
}

fn push_int(out: &mut String, value: AttrValue<'_>) {
    let AttrValue::Int(number) = value else {
        return;
    };
    if number.unsigned_abs() > EXACT_INT_MAX && !planted("serve-big-int-as-number") {
        push_text(out, &number.to_string());
    } else {
        push_number(out, number);
    }
}

fn push_double(out: &mut String, value: AttrValue<'_>) {
    let AttrValue::Double(number) = value else {
        return;
    };
    if number.is_finite() {
        out.push_str(&number_text(number));
    } else {
        push_text(out, &number_text(number));
    }
}

fn push_bytes(out: &mut String, value: AttrValue<'_>) {
    match value {
        AttrValue::Bytes(bytes) if !bytes.is_empty() => push_text(out, &STANDARD.encode(bytes)),
        _ => out.push_str("null"),
    }
}
