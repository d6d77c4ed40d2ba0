//! What was seen: operations with their first and last moment, the keys of attributes, and the values of a key.
//!
//! Operations and keys come from the segments' indexes. Values come from the dictionaries of the key's columns, so
//! nothing is kept for them: a value that repeats is in a dictionary, and of those that hardly do some are enough.

use std::collections::{BTreeMap, BTreeSet};

use model::batch::{AttrValue, EventRef, LinkRef, SpanRef};
use model::contract::{OTHER_OPERATIONS, ReadError};
use model::seen::{SeenAnswer, SeenKey, SeenOperation, ValuesAnswer, ValuesRequest};
use model::{Place, TenantId, ValueType};

use crate::engine::{Engine, Placed};
use crate::index::OwnerKind;
use crate::names::{Room, kind_of_other};
use crate::segment::SegmentError;
use crate::segment::open::RollupOf;
use crate::segment::plan::stands_at;

use super::{Skips, taken_back};

/// Values that a question gives at the most.
const VALUES_MAX: usize = 10_000;

/// A span of time that grows.
#[derive(Debug, Clone, Copy)]
struct Time {
    first: u64,
    last: u64,
}

impl Time {
    const NEVER: Self = Self {
        first: u64::MAX,
        last: 0,
    };

    fn add(&mut self, first: u64, last: u64) {
        self.first = self.first.min(first);
        self.last = self.last.max(last);
    }
}

/// By service: its operations by name and kind.
type Operations = BTreeMap<String, BTreeMap<(String, i32), Time>>;
type Keys = BTreeMap<(OwnerKind, String, ValueType), (Time, u64)>;

#[derive(Default)]
struct Seen {
    operations: Operations,
    room: Room,
    keys: Keys,
    is_cut: bool,
}

impl Engine {
    /// The operations and keys of a tenant.
    pub(crate) fn seen(
        &self,
        tenant: &TenantId,
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<SeenAnswer, ReadError> {
        let view = self.view(tenant);
        let mut skips = Skips::new();
        let mut seen = Seen::default();
        for placed in view.segments.iter() {
            if is_cancelled() {
                return Err(taken_back());
            }
            if let Err(error) = seen.add_segment(placed) {
                self.skip_once(placed, &error, &mut skips)?;
            }
        }
        for span in view.chunks.iter().flat_map(|chunk| chunk.batch.iter()) {
            seen.add_span(span);
        }
        let mut operations = Vec::new();
        for (service, of_service) in seen.operations {
            let of_service = of_service.into_iter();
            operations.extend(of_service.map(|((name, kind), time)| SeenOperation {
                service: service.clone(),
                name,
                kind,
                first: time.first,
                last: time.last,
            }));
        }
        let keys = seen.keys.into_iter();
        Ok(SeenAnswer {
            has_all_operations: operations.iter().all(|o| o.name != OTHER_OPERATIONS),
            operations,
            keys: keys
                .map(|((owner, key, value_type), (time, count))| SeenKey {
                    place: place_of(owner),
                    key,
                    value_type,
                    first: time.first,
                    last: time.last,
                    count,
                })
                .collect(),
            has_all_keys: !seen.is_cut,
            skipped: skips.into_values().collect(),
        })
    }

    /// Values of a key.
    pub(crate) fn values(
        &self,
        request: &ValuesRequest,
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<ValuesAnswer, ReadError> {
        let limit = request.limit.min(VALUES_MAX);
        let view = self.view(&request.tenant);
        let mut found = Found {
            prefix: &request.prefix,
            limit,
            values: BTreeSet::new(),
            is_cut: false,
        };
        let mut skips = Skips::new();
        for span in view.chunks.iter().flat_map(|chunk| chunk.batch.iter()) {
            each_value(span, request.place, &request.key, &mut |value| {
                found.add(value);
            });
        }
        // The newest first, lest a limit keeps what nobody sends any more.
        for placed in view.segments.iter().rev() {
            if is_cancelled() {
                return Err(taken_back());
            }
            let read = placed
                .segment
                .values_of(request.place, &request.key, &mut |value| found.add(value));
            match read {
                Ok(is_all) => found.is_cut |= !is_all,
                Err(error) => self.skip_once(placed, &error, &mut skips)?,
            }
        }
        Ok(ValuesAnswer {
            values: found.values.into_iter().collect(),
            is_all: !found.is_cut,
            skipped: skips.into_values().collect(),
        })
    }
}

impl Seen {
    fn add_segment(&mut self, placed: &Placed) -> Result<(), SegmentError> {
        let segment = &placed.segment;
        let (catalogue, keys) = (segment.catalogue()?, segment.keys()?);
        let rollup = segment.rollup(RollupOf::OperationsByHour)?;
        let meta = &placed.listed.meta;
        // Without counts the segment's own bounds must do.
        let mut times = vec![(meta.min_start, meta.max_start); catalogue.operations.len()];
        if let Some(rollup) = rollup {
            times.fill((u64::MAX, 0));
            for ([operation, ..], first, last) in &rollup.series {
                if let Some(time) = times.get_mut(*operation as usize) {
                    *time = (time.0.min(*first), time.1.max(*last));
                }
            }
        }
        for (operation, (first, last)) in catalogue.operations.iter().zip(times) {
            let service = catalogue.services.get(operation.service as usize);
            let service = service.map_or("", String::as_str);
            self.add_operation((service, &operation.name, operation.kind), (first, last));
        }
        self.is_cut |= !keys.is_complete;
        for facts in &keys.keys {
            let key = (facts.owner, facts.key.clone(), facts.value_type);
            let (time, count) = self.keys.entry(key).or_insert((Time::NEVER, 0));
            time.add(meta.min_start, meta.max_start);
            *count += facts.count;
        }
        Ok(())
    }

    fn add_operation(
        &mut self,
        (service, name, kind): (&str, &str, i32),
        (first, last): (u64, u64),
    ) {
        if !self.operations.contains_key(service) {
            self.operations.insert(service.to_owned(), BTreeMap::new());
        }
        let Some(of_service) = self.operations.get_mut(service) else {
            return;
        };
        let mut key = (name.to_owned(), kind);
        if !of_service.contains_key(&key)
            && name != OTHER_OPERATIONS
            && !self.room.take(name, of_service.len())
        {
            key = (OTHER_OPERATIONS.to_owned(), kind_of_other(kind));
        }
        let time = of_service.entry(key).or_insert(Time::NEVER);
        time.add(first, last);
    }

    fn add_span(&mut self, span: SpanRef<'_>) {
        let start = span.start();
        let operation = (span.service(), span.name(), span.kind());
        self.add_operation(operation, (start, start));
        let mut add = |owner, key: &str, value_type| {
            let key = (owner, key.to_owned(), value_type);
            let (time, count) = self.keys.entry(key).or_insert((Time::NEVER, 0));
            time.add(start, start);
            *count += 1;
        };
        for owner in OwnerKind::ALL {
            each_attribute(span, owner, &mut |key, value| {
                add(owner, key, value.value_type());
            });
        }
    }
}

fn place_of(owner: OwnerKind) -> Place {
    match owner {
        OwnerKind::Span => Place::Span,
        OwnerKind::Resource => Place::Resource,
        OwnerKind::Scope => Place::Scope,
        OwnerKind::Event => Place::Event,
        OwnerKind::Link => Place::Link,
    }
}

/// Gives the attributes of a span's owner of one kind.
fn each_attribute(span: SpanRef<'_>, owner: OwnerKind, give: &mut dyn FnMut(&str, AttrValue<'_>)) {
    match owner {
        OwnerKind::Span => span.attributes().for_each(|a| give(a.key, a.value)),
        OwnerKind::Resource => span
            .resource()
            .attributes()
            .for_each(|a| give(a.key, a.value)),
        OwnerKind::Scope => span.scope().attributes().for_each(|a| give(a.key, a.value)),
        OwnerKind::Event => {
            let mut each = |event: EventRef<'_>| {
                event.attributes().for_each(|a| give(a.key, a.value));
            };
            span.events().for_each(&mut each);
        }
        OwnerKind::Link => {
            let mut each = |link: LinkRef<'_>| {
                link.attributes().for_each(|a| give(a.key, a.value));
            };
            span.links().for_each(&mut each);
        }
    }
}

/// Gives a span's values of a key as text.
fn each_value(span: SpanRef<'_>, place: Place, key: &str, give: &mut dyn FnMut(&str)) {
    for owner in OwnerKind::ALL {
        if stands_at(owner, place) {
            each_attribute(span, owner, &mut |other, value| {
                if other == key {
                    with_text(value, give);
                }
            });
        }
    }
}

/// Gives a value as the text that searches compare with; arrays, maps and bytes are not shown.
pub(crate) fn with_text(value: AttrValue<'_>, give: &mut dyn FnMut(&str)) {
    match value {
        AttrValue::String(_) | AttrValue::Bool(_) | AttrValue::Int(_) | AttrValue::Double(_) => {
            give(&value.canonical_text());
        }
        AttrValue::Empty | AttrValue::Array(_) | AttrValue::Map(_) | AttrValue::Bytes(_) => {}
    }
}

/// Values that were found.
struct Found<'a> {
    prefix: &'a str,
    limit: usize,
    values: BTreeSet<String>,
    is_cut: bool,
}

impl Found<'_> {
    fn add(&mut self, value: &str) {
        if !value.starts_with(self.prefix) || self.values.contains(value) {
            return;
        }
        if self.values.len() >= self.limit {
            self.is_cut = true;
            return;
        }
        self.values.insert(value.to_owned());
    }
}
