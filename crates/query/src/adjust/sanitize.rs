//! What Jaeger repairs when spans come in, done when they are shown, since the store keeps what was sent.
//!
//! A service without a name, with an empty one or with one that is no text gets a made-up name; so does a span
//! without a name; a span that doesn't end behind its start ends one nanosecond behind it, with a warning.

use model::batch::{AttrValue, SERVICE_EMPTY, SERVICE_MISSING, SERVICE_WRONG_TYPE};

use super::trace::{
    AdjustableAttribute, AdjustableResource, AdjustableSpan, AdjustableTrace, AdjustableValue,
};
use crate::SPAN_NAME_EMPTY;
use crate::go_time::timestamp_text;

const SERVICE_KEY: &str = "service.name";

pub(super) fn sanitize(trace: &mut AdjustableTrace<'_>) {
    trace.resources.iter_mut().for_each(name_service);
    for span in &mut trace.spans {
        if span.name.is_empty() {
            span.name = SPAN_NAME_EMPTY;
        }
        put_end_behind_start(span);
    }
}

fn name_service(resource: &mut AdjustableResource<'_>) {
    let named = resource
        .attributes
        .iter_mut()
        .find(|attribute| attribute.key == SERVICE_KEY);
    let made_up = |name| AdjustableValue::Sent(AttrValue::String(name));
    let Some(attribute) = named else {
        resource.attributes.push(AdjustableAttribute {
            key: SERVICE_KEY,
            value: made_up(SERVICE_MISSING),
        });
        return;
    };
    match attribute.value.get() {
        AttrValue::String("") => attribute.value = made_up(SERVICE_EMPTY),
        AttrValue::String(_) => {}
        AttrValue::Empty
        | AttrValue::Bool(_)
        | AttrValue::Int(_)
        | AttrValue::Double(_)
        | AttrValue::Array(_)
        | AttrValue::Map(_)
        | AttrValue::Bytes(_) => attribute.value = made_up(SERVICE_WRONG_TYPE),
    }
}

fn put_end_behind_start(span: &mut AdjustableSpan<'_>) {
    if span.end > span.start {
        return;
    }
    let behind = span.start.saturating_add(1);
    span.warnings.push(format!(
        "Negative duration detected, sanitizing end timestamp. Original end timestamp: {}, adjusted to: {}",
        timestamp_text(span.end),
        timestamp_text(behind)
    ));
    span.end = behind;
}
