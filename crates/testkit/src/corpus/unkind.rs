//! The corpus that is unkind to a columnar store: short traces, random trees, values that hardly repeat.
//!
//! Five or ten spans a trace over 10 services of 10 operations each. Which 11 of the 97 keys a span bears follows from
//! its operation; what type a key has follows from its number; half of the values are random.

use opentelemetry_proto::tonic::common::v1::KeyValue;
use rand::{Rng, RngCore};

use super::{
    catalogue::Service,
    trace::{NewSpan, SpanId, TraceBuilder},
};
use crate::attribute::attribute;

/// Services that send, the first of the catalogue.
pub(super) const UNKIND_SERVICES: usize = 10;
const OPERATIONS: usize = 10;
const KEYS: usize = 97;
const KEYS_PER_SPAN: usize = 11;

impl TraceBuilder<'_> {
    /// One random tree, beginning at this nanosecond.
    pub(super) fn grow_random_tree(&mut self, start_ns: u64) {
        let span_count = if self.rng.random_bool(0.5) { 5 } else { 10 };
        let mut grown: Vec<(SpanId, u64, u64)> = Vec::with_capacity(span_count);
        for _ in 0..span_count {
            let (parent, start_ns, end_ns) = self.next_branch(&grown, start_ns);
            let service = self.rng.random_range(0..UNKIND_SERVICES);
            let operation = self.rng.random_range(0..OPERATIONS);
            let attributes = (0..KEYS_PER_SPAN)
                .map(|nth| (service * 7 + operation * 3 + nth * 5) % KEYS)
                .map(|key| self.random_attribute(key))
                .collect();
            let kind = self.rng.random_range(1..6i32);
            let error = self.rng.random_bool(0.02).then_some("failed");
            let name = format!("op-{service}-{operation}");
            let service = Service::numbered(service);
            let id = self.push(NewSpan {
                service,
                parent,
                name: &name,
                kind,
                start_ns,
                end_ns,
                attributes,
                error,
            });
            grown.push((id, start_ns, end_ns));
        }
    }

    /// Gives the next span's parent, start and end: the root first, then a child of any span there is.
    fn next_branch(
        &mut self,
        grown: &[(SpanId, u64, u64)],
        start_ns: u64,
    ) -> (Option<SpanId>, u64, u64) {
        if grown.is_empty() {
            return (
                None,
                start_ns,
                start_ns + self.rng.random_range(5_000_000..400_000_000u64),
            );
        }
        let (parent, parent_start_ns, parent_end_ns) = grown[self.rng.random_range(0..grown.len())];
        let room_ns = (parent_end_ns - parent_start_ns).max(10_000);
        let start_ns = parent_start_ns + self.rng.random_range(0..room_ns / 2);
        (
            Some(parent),
            start_ns,
            start_ns + self.rng.random_range(1000..room_ns / 2 + 1001),
        )
    }

    fn random_attribute(&mut self, key: usize) -> KeyValue {
        let rng = &mut *self.rng;
        let name = format!("attr.key.{key}");
        match key % 8 {
            0 => attribute(name, format!("user-{:08x}", rng.next_u32())),
            1 => attribute(name, rng.random_range(0..100_000i64)),
            2 => attribute(name, rng.random_bool(0.5)),
            3 => attribute(name, f64::from(rng.random_range(0..10_000i32)) / 100.0),
            4 => attribute(
                name,
                format!("/api/v1/items/{}", rng.random_range(0..5000i32)),
            ),
            _ => attribute(name, format!("value-{}", rng.random_range(0..50i32))),
        }
    }
}
