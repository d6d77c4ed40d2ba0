//! What the store holds, in numbers.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::engine::{Engine, lock};

/// What the store holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Spans in memory that are in no segment yet.
    pub head_spans: u64,
    /// Bytes of memory that they take.
    pub head_bytes: u64,
    /// Segments.
    pub segments: u64,
    /// Their spans.
    pub segment_spans: u64,
    /// Their traces, a trace in several segments counted in each.
    pub segment_traces: u64,
    /// Their bytes.
    pub segment_bytes: u64,
    /// Bytes of the log, files kept ready included.
    pub journal_bytes: u64,
    /// Bytes of segments by column; `index` is the sidecars'.
    pub column_bytes: BTreeMap<String, u64>,
    /// Segments whose columns could not be read.
    pub unread_segments: u64,
}

impl Stats {
    pub(crate) fn of(engine: &Engine) -> Self {
        let journal_bytes = lock(&engine.journal).stats().bytes;
        let mut stats = Self {
            journal_bytes,
            ..Self::default()
        };
        let mut placed = Vec::new();
        {
            let state = lock(&engine.state);
            for tenant in state.tenants.values() {
                for head in tenant.heads() {
                    stats.head_spans += head.spans as u64;
                    stats.head_bytes += head.bytes as u64;
                }
                placed.extend(tenant.segments.iter().cloned());
            }
        }
        for placed in placed {
            let meta = &placed.listed.meta;
            stats.segments += 1;
            stats.segment_spans += meta.spans;
            stats.segment_traces += meta.traces;
            stats.segment_bytes += meta.bytes();
            match placed.segment.column_bytes() {
                Ok(columns) => {
                    for (column, bytes) in columns {
                        *stats.column_bytes.entry(column).or_default() += bytes;
                    }
                }
                Err(_) => stats.unread_segments += 1,
            }
        }
        stats
    }
}
