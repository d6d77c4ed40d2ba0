//! What the store holds, in numbers.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::TenantId;
use serde::Serialize;

use crate::engine::{Engine, Placed, lock};
use crate::segment::Level;

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
    /// Segments whose columns or names could not be read.
    pub unread_segments: u64,
    /// Segments by what they hold: `fresh`, `open`, `piece`, `merged`, `pinned`; `dropped`: what is remembered of
    /// traces that tail sampling dropped, with how many spans those had.
    pub levels: BTreeMap<String, LevelStats>,
    /// Services of all tenants.
    pub services: u64,
    /// Operations of all services: names with a kind.
    pub operations: u64,
    /// Attribute keys with a type, by place; of segments with very many only the most frequent are counted.
    pub attribute_keys: u64,
    /// Pinned traces.
    pub pinned_traces: u64,
}

/// What the segments of a level hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LevelStats {
    /// Segments.
    pub segments: u64,
    /// Their spans.
    pub spans: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Stats {
    /// Everything, for which all footers and names are read.
    pub(crate) fn of(engine: &Engine) -> Self {
        let (mut stats, placed) = Self::counted(engine);
        stats.count_names(engine);
        for placed in placed {
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

    /// What is known without reading a file: no columns and no names.
    pub(crate) fn brief(engine: &Engine) -> Self {
        Self::counted(engine).0
    }

    fn counted(engine: &Engine) -> (Self, Vec<Arc<Placed>>) {
        let journal_bytes = lock(&engine.journal).stats().bytes;
        let mut stats = Self {
            journal_bytes,
            ..Self::default()
        };
        let pins = lock(&engine.manifest).contents().pins.clone();
        stats.pinned_traces = pins.values().map(|pins| pins.len() as u64).sum();
        let mut placed = Vec::new();
        {
            let state = lock(&engine.state);
            for tenant in state.tenants.values() {
                for head in tenant.heads() {
                    stats.head_spans += head.spans as u64;
                    stats.head_bytes += head.bytes as u64;
                }
                placed.extend(tenant.placed().cloned());
            }
        }
        for placed in &placed {
            let meta = &placed.listed.meta;
            let level = stats.levels.entry(meta.id.level.name().to_owned());
            let level = level.or_default();
            level.segments += 1;
            level.spans += meta.spans;
            level.bytes += meta.bytes();
            stats.segment_bytes += meta.bytes();
            if meta.id.level != Level::Dropped {
                stats.segments += 1;
                stats.segment_spans += meta.spans;
                stats.segment_traces += meta.traces;
            }
        }
        (stats, placed)
    }

    fn count_names(&mut self, engine: &Engine) {
        let tenants: Vec<TenantId> = lock(&engine.state).tenants.keys().cloned().collect();
        for tenant in tenants {
            self.services += engine.services(&tenant).len() as u64;
            // What can't be read is counted below.
            if let Ok(seen) = engine.seen(&tenant, &|| false) {
                self.operations += seen.operations.len() as u64;
                self.attribute_keys += seen.keys.len() as u64;
            }
        }
    }
}
