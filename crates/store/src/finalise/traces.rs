//! Where each trace of a slice goes.

use std::ops::Range;
use std::sync::Arc;

use model::TraceId;

use super::join::InputTraces;
use super::slice::Slice;
use crate::engine::Placed;
use crate::index::{TraceEntry, trace_hash};

/// Bytes a span, as it is stored, that a row group has room for. Few spans with large values fill it as well as many.
const GROUP_BYTES_PER_SPAN: u64 = 256;
/// A row group has room for so many bytes at the least.
const GROUP_BYTES_MIN: u64 = 4 << 20;

/// So much of a slice's spans may wait for the next one.
const OPEN_SHARE: u64 = 20;

/// What becomes of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It comes together in the output.
    Whole,
    /// It goes on behind the slice, and waits for the next one, all of it.
    Open,
    /// It has more spans than a row group: it stays in pieces, each a segment of its own.
    InPieces,
}

/// A part of a trace in one input.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fragment {
    /// Place in the slice.
    pub input: usize,
    pub trace_id: TraceId,
    pub entry: TraceEntry,
}

#[derive(Debug, Clone)]
struct Trace {
    start: u64,
    trace_id: TraceId,
    fragments: Range<usize>,
    size: Size,
    fate: Fate,
}

/// What spans take of a row group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Size {
    spans: u64,
    /// About, as they are stored.
    bytes: u64,
}

impl Size {
    /// What a row group has room for.
    fn of_group(spans_max: usize) -> Self {
        let spans = spans_max as u64;
        let bytes = spans.saturating_mul(GROUP_BYTES_PER_SPAN);
        Self {
            spans,
            bytes: bytes.max(GROUP_BYTES_MIN),
        }
    }

    fn is_within(self, room: Self) -> bool {
        self.spans <= room.spans
            && (self.bytes <= room.bytes || plumbing::planted("store-merge-unbounded-bytes"))
    }

    fn and(self, other: Self) -> Self {
        Self {
            spans: self.spans.saturating_add(other.spans),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }

    fn less(self, other: Self) -> Self {
        Self {
            spans: self.spans.saturating_sub(other.spans),
            bytes: self.bytes.saturating_sub(other.bytes),
        }
    }
}

/// The traces of a slice.
pub(super) struct Traces {
    /// In order of their start.
    traces: Vec<Trace>,
    fragments: Vec<Fragment>,
    group_max: Size,
    /// By input: about the bytes of a span.
    span_bytes: Vec<u64>,
}

/// Traces that are written together: a range of those of one fate.
#[derive(Debug)]
pub(super) struct Group {
    pub fragments: Vec<Fragment>,
    /// Whether some trace has several of them.
    pub has_split: bool,
    /// What came before of the same traces and is written to other segments.
    pub before: Vec<Fragment>,
}

/// Parts of long traces that are written together.
#[derive(Debug)]
pub(super) struct Piece {
    pub inputs: Range<usize>,
    pub group: Group,
}

impl Traces {
    /// All traces of the inputs.
    pub(super) fn new(tables: &[InputTraces], slice: &Slice, group_spans_max: usize) -> Self {
        let mut fragments: Vec<Fragment> = Vec::new();
        for (input, InputTraces { table, ids }) in tables.iter().enumerate() {
            let named = table.iter().zip(ids);
            fragments.extend(named.map(|(entry, trace_id)| Fragment {
                input,
                trace_id: *trace_id,
                entry,
            }));
        }
        let mut traces = Self::of_fragments(fragments, &slice.inputs, group_spans_max);
        traces.let_open_wait(slice);
        traces
    }

    /// The traces of these parts.
    pub(super) fn of_fragments(
        mut fragments: Vec<Fragment>,
        inputs: &[Arc<Placed>],
        group_spans_max: usize,
    ) -> Self {
        let group_max = Size::of_group(group_spans_max);
        let span_bytes = inputs.iter().map(|input| {
            let meta = &input.listed.meta;
            meta.bytes() / meta.spans.max(1)
        });
        let span_bytes: Vec<u64> = span_bytes.collect();
        fragments.sort_unstable_by_key(|fragment| (fragment.trace_id, fragment.input));
        let mut traces = Vec::new();
        let mut first = 0;
        for of_trace in fragments.chunk_by(|a, b| a.trace_id == b.trace_id) {
            let sizes = of_trace.iter().map(|part| size_of_part(part, &span_bytes));
            let size = sizes.fold(Size::default(), Size::and);
            let starts = of_trace.iter().map(|part| part.entry.start);
            let is_long =
                !size.is_within(group_max) && !plumbing::planted("store-long-trace-whole");
            traces.push(Trace {
                start: starts.min().unwrap_or_default(),
                trace_id: of_trace
                    .first()
                    .map(|part| part.trace_id)
                    .unwrap_or_default(),
                fragments: first..first + of_trace.len(),
                size,
                fate: if is_long { Fate::InPieces } else { Fate::Whole },
            });
            first += of_trace.len();
        }
        traces.sort_unstable_by_key(|trace| (trace.start, trace.trace_id));
        Self {
            traces,
            fragments,
            group_max,
            span_bytes,
        }
    }

    /// Lets traces wait that go on behind the slice, the newest first, as long as they are few and not old.
    fn let_open_wait(&mut self, slice: &Slice) {
        let Some(going_on) = &slice.going_on else {
            return;
        };
        let mut left = slice.spans() / OPEN_SHARE;
        for trace in self.traces.iter_mut().rev() {
            let first = self.fragments.get(trace.fragments.start);
            let input = first.and_then(|first| slice.inputs.get(first.input));
            let since = input.map_or(0, |input| input.listed.waits_since());
            let waits = trace.fate == Fate::Whole
                && since >= slice.waits_since_min
                && going_on.contains(&trace_hash(trace.trace_id));
            if waits && trace.size.spans <= left {
                left -= trace.size.spans;
                trace.fate = Fate::Open;
            }
        }
    }

    /// Since when some trace waits of those that wait for the next slice.
    pub(super) fn open_since(&self, slice: &Slice) -> Option<u64> {
        let open = self.traces.iter().filter(|trace| trace.fate == Fate::Open);
        let fragments = open.filter_map(|trace| self.fragments.get(trace.fragments.clone()));
        let inputs = fragments
            .flatten()
            .filter_map(|part| slice.inputs.get(part.input));
        inputs.map(|input| input.listed.waits_since()).min()
    }

    /// The traces of a fate in the row groups in which they are written.
    pub(super) fn groups(&self, fate: Fate) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        let mut room = Size::default();
        for trace in self.traces.iter().filter(|trace| trace.fate == fate) {
            if !trace.size.is_within(room) || groups.is_empty() {
                groups.push(Group {
                    fragments: Vec::new(),
                    has_split: false,
                    before: Vec::new(),
                });
                room = self.group_max;
            }
            room = room.less(trace.size);
            let fragments = self.fragments.get(trace.fragments.clone());
            if let (Some(group), Some(fragments)) = (groups.last_mut(), fragments) {
                let fragments = if plumbing::planted("store-fragment-forgotten") {
                    fragments.get(..1).unwrap_or_default()
                } else {
                    fragments
                };
                group.fragments.extend_from_slice(fragments);
                group.has_split |= fragments.len() > 1;
            }
        }
        groups
    }

    /// The long traces, cut between inputs.
    pub(super) fn pieces(&self) -> Vec<Piece> {
        let long = self
            .traces
            .iter()
            .filter(|trace| trace.fate == Fate::InPieces);
        let mut fragments: Vec<Fragment> = long
            .filter_map(|trace| self.fragments.get(trace.fragments.clone()))
            .flatten()
            .copied()
            .collect();
        fragments.sort_unstable_by_key(|part| (part.input, part.entry.first_row));
        let mut pieces: Vec<Piece> = Vec::new();
        let mut size = Size::default();
        let mut before = 0;
        for of_input in fragments.chunk_by(|a, b| a.input == b.input) {
            let input = of_input.first().map_or(0, |part| part.input);
            let is_full = size.spans >= self.group_max.spans || size.bytes >= self.group_max.bytes;
            if is_full || pieces.is_empty() {
                size = Size::default();
                pieces.push(Piece {
                    inputs: input..input,
                    group: Group {
                        fragments: Vec::new(),
                        has_split: true,
                        before: fragments.get(..before).unwrap_or_default().to_vec(),
                    },
                });
            }
            before += of_input.len();
            let sizes = of_input
                .iter()
                .map(|part| size_of_part(part, &self.span_bytes));
            size = sizes.fold(size, Size::and);
            if let Some(piece) = pieces.last_mut() {
                piece.inputs.end = input + 1;
                piece.group.fragments.extend_from_slice(of_input);
            }
        }
        pieces
    }
}

fn size_of_part(part: &Fragment, span_bytes: &[u64]) -> Size {
    let spans = u64::from(part.entry.rows);
    let of_span = span_bytes.get(part.input).copied().unwrap_or_default();
    Size {
        spans,
        bytes: spans.saturating_mul(of_span),
    }
}
