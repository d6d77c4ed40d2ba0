//! A trace in Jaeger's JSON. The order of keys is the one that Jaeger writes.
//!
//! How OTLP becomes Jaeger's model is said in `codec::jaeger_encode`, for every writer. Times are whole microseconds,
//! cut. Whole numbers beyond 2^53 are texts, so that JavaScript can't
//! round them; NaN and the infinities are texts, since JSON has no words for them.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use codec::jaeger_encode::{
    Reference, ReferenceType, SERVICE_KEY, TagFields, TagValue, event_field, references,
    service_name, tags,
};
use model::TraceId;
use model::batch::Attribute;
use model::value::number_text;
use plumbing::planted;
use query::adjust::{
    AdjustableAttribute, AdjustableEvent, AdjustableResource, AdjustableSpan, AdjustableTrace,
};

use crate::json_text::{push_list, push_number, push_text};

const NANOS_PER_MICRO: u64 = 1_000;
/// The largest whole number that JavaScript keeps exactly.
const EXACT_INT_MAX: u64 = (1 << 53) - 1;
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
    let service = service_name(resource.attributes.iter().map(attribute_of));
    let mut out = String::from("{\"serviceName\":");
    push_text(&mut out, &service);
    out.push_str(",\"tags\":");
    let tags = resource
        .attributes
        .iter()
        .filter(|attribute| attribute.key != SERVICE_KEY);
    push_list(&mut out, tags.map(attribute_of), push_tag);
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

/// An attribute as the translation takes it.
fn attribute_of<'a>(attribute: &'a AdjustableAttribute<'_>) -> Attribute<'a> {
    Attribute {
        key: attribute.key,
        value: attribute.value.get(),
    }
}

fn push_references(out: &mut String, trace_id: TraceId, span: &AdjustableSpan<'_>) {
    let links = span.links.iter().map(|link| {
        let attributes = link.attributes.iter().map(attribute_of);
        Reference::of_link(link.trace_id, link.span_id, attributes)
    });
    let all = references(trace_id, span.parent_span_id, links);
    push_list(out, all, |out, reference| {
        out.push_str("{\"refType\":");
        let ref_type = match reference.reference_type {
            ReferenceType::ChildOf => "CHILD_OF",
            ReferenceType::FollowsFrom => "FOLLOWS_FROM",
        };
        push_text(out, ref_type);
        out.push_str(",\"traceID\":");
        push_text(out, &reference.trace_id.jaeger_text());
        out.push_str(",\"spanID\":");
        push_text(out, &reference.span_id.to_string());
        out.push('}');
    });
}

fn push_tags(out: &mut String, trace: &AdjustableTrace<'_>, span: &AdjustableSpan<'_>) {
    let scope = trace.scopes.get(span.scope);
    let fields = TagFields {
        scope_name: scope.map_or("", |scope| scope.name),
        scope_version: scope.map_or("", |scope| scope.version),
        kind: span.kind,
        status: span.status,
        status_message: span.status_message,
        trace_state: span.trace_state,
    };
    push_list(
        out,
        tags(fields, span.attributes.iter().map(attribute_of)),
        push_tag,
    );
}

fn push_log(out: &mut String, event: &AdjustableEvent<'_>) {
    out.push_str("{\"timestamp\":");
    push_number(out, event.time / NANOS_PER_MICRO);
    out.push_str(",\"fields\":");
    let attributes = || event.attributes.iter().map(attribute_of);
    let name = event_field(event.name, attributes());
    push_list(out, name.into_iter().chain(attributes()), push_tag);
    out.push('}');
}

fn push_tag(out: &mut String, tag: Attribute<'_>) {
    out.push_str("{\"key\":");
    push_text(out, tag.key);
    let value = TagValue::of(tag.value);
    let value_type = match value {
        TagValue::Text(_) => "string",
        TagValue::Bool(_) => "bool",
        TagValue::Int(_) => "int64",
        TagValue::Double(_) => "float64",
        TagValue::Binary(_) => "binary",
    };
    out.push_str(",\"type\":\"");
    out.push_str(value_type);
    out.push_str("\",\"value\":");
    match value {
        TagValue::Text(text) => push_text(out, &text),
        TagValue::Bool(is) => out.push_str(if is { "true" } else { "false" }),
        TagValue::Int(number) => push_int(out, number),
        TagValue::Double(number) => push_double(out, number),
        TagValue::Binary([]) => out.push_str("null"),
        TagValue::Binary(bytes) => push_text(out, &STANDARD.encode(bytes)),
    }
    out.push('}');
}

fn push_int(out: &mut String, number: i64) {
    if number.unsigned_abs() > EXACT_INT_MAX && !planted("serve-big-int-as-number") {
        push_text(out, &number.to_string());
    } else {
        push_number(out, number);
    }
}

fn push_double(out: &mut String, number: f64) {
    if number.is_finite() {
        out.push_str(&number_text(number));
    } else {
        push_text(out, &number_text(number));
    }
}
