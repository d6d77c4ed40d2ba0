//! What was seen, span by span. When keys were seen is told exactly here; the real store may say more.

use std::collections::{BTreeMap, BTreeSet};

use model::Place;
use model::batch::{AttrValue, Attribute, SpanRef};
use model::seen::{SeenAnswer, SeenKey, SeenOperation, ValuesAnswer, ValuesRequest};

pub(super) fn seen(spans: &[SpanRef<'_>]) -> SeenAnswer {
    let mut operations: BTreeMap<(&str, &str, i32), (u64, u64)> = BTreeMap::new();
    let mut keys: Vec<SeenKey> = Vec::new();
    for span in spans {
        let start = span.start();
        let operation = (span.service(), span.name(), span.kind());
        let time = operations.entry(operation).or_insert((start, start));
        *time = (time.0.min(start), time.1.max(start));
        for (place, attribute) in attributes(*span) {
            let value_type = attribute.value.value_type();
            let is_same = |key: &&mut SeenKey| {
                (key.place, key.key.as_str(), key.value_type) == (place, attribute.key, value_type)
            };
            match keys.iter_mut().find(is_same) {
                Some(key) => {
                    key.first = key.first.min(start);
                    key.last = key.last.max(start);
                    key.count += 1;
                }
                None => keys.push(SeenKey {
                    place,
                    key: attribute.key.to_owned(),
                    value_type,
                    first: start,
                    last: start,
                    count: 1,
                }),
            }
        }
    }
    let operations = operations.into_iter();
    SeenAnswer {
        operations: operations
            .map(|((service, name, kind), (first, last))| SeenOperation {
                service: service.to_owned(),
                name: name.to_owned(),
                kind,
                first,
                last,
            })
            .collect(),
        has_all_operations: true,
        keys,
        has_all_keys: true,
        skipped: Vec::new(),
    }
}

pub(super) fn values(spans: &[SpanRef<'_>], request: &ValuesRequest) -> ValuesAnswer {
    let of_spans = spans.iter().flat_map(|span| attributes(*span));
    let is_asked = |place| request.place == Place::Anywhere || request.place == place;
    let of_key = of_spans.filter(|(place, a)| is_asked(*place) && a.key == request.key);
    let all: BTreeSet<String> = of_key
        .filter_map(|(_, attribute)| text(attribute.value))
        .filter(|text| text.starts_with(&request.prefix))
        .collect();
    ValuesAnswer {
        is_all: all.len() <= request.limit,
        values: all.into_iter().take(request.limit).collect(),
        skipped: Vec::new(),
    }
}

fn text(value: AttrValue<'_>) -> Option<String> {
    match value {
        AttrValue::Empty | AttrValue::Array(_) | AttrValue::Map(_) | AttrValue::Bytes(_) => None,
        _ => Some(value.canonical_text().into_owned()),
    }
}

fn attributes(span: SpanRef<'_>) -> Vec<(Place, Attribute<'_>)> {
    let mut all: Vec<(Place, Attribute<'_>)> = Vec::new();
    all.extend(span.attributes().map(|a| (Place::Span, a)));
    all.extend(span.resource().attributes().map(|a| (Place::Resource, a)));
    all.extend(span.scope().attributes().map(|a| (Place::Scope, a)));
    for event in span.events() {
        all.extend(event.attributes().map(|a| (Place::Event, a)));
    }
    for link in span.links() {
        all.extend(link.attributes().map(|a| (Place::Link, a)));
    }
    all
}
