//! The section `PATT`: the forms of traces, and which trace has which.
//!
//! Most traces of a program look like others: the same operations below one another. Such a form is a *pattern*: the
//! operations of a trace's spans in the order of its rows, with their depths. A pattern that several traces of the
//! segment have is held once, and each of them names it; services, calls and the root of the trace follow from it. Of a
//! trace that is alone with its form only the root is held, and whether it is complete, which lists of traces show
//! without reading it; the rest follows from its rows.
//!
//! Bytes (varints): number of patterns; each as number of spans and per span operation (index in `SYMS`) and, twice,
//! how many levels above a child of the span before it stands, plus 1 if its parent is not in the segment; then by
//! ordinal of the trace 0, or 1 plus the number of its pattern; then for each trace with 0 its root operation plus 1
//! (0: it has no root), times 4, plus 1 if it is complete, plus 2 if its tree was cut.

#![allow(
    clippy::cast_possible_truncation,
    reason = "patterns, operations and traces of a segment are far below 2^32; depths are capped"
)]

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use xxhash_rust::xxh3::xxh3_128;

use super::catalogue::{Operations, Places, is_other};
use crate::segment::decode::take_varint;
use crate::segment::encode::put_varint;
use crate::segment::order::{NONE, TraceRows};
use crate::segment::parts::Parts;

/// Longer traces have no pattern, lest a few of them fill the section.
const PATTERN_SPANS_MAX: usize = 4_096;
/// Spans of all patterns of a segment; forms that come later are held by no one.
const ALL_SPANS_MAX: usize = 1 << 18;

/// A span of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PatternSpan {
    /// Index of the catalogue's operations.
    pub operation: u32,
    /// Distance from the root.
    pub depth: u16,
    /// Its parent is named, but not in the segment.
    pub is_orphan: bool,
}

/// What the form of a trace says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form<'a> {
    /// The form of several traces.
    Shared(&'a [PatternSpan]),
    /// A form of its own.
    Own {
        /// Index of the catalogue's operations.
        root: Option<u32>,
        /// It has one root and no span without its parent.
        is_complete: bool,
        /// Some span names a parent that is in the trace but not above it.
        is_cut: bool,
    },
}

/// The forms of a segment's traces.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Patterns {
    patterns: Vec<Vec<PatternSpan>>,
    /// By ordinal: 0, or 1 plus the number of the pattern.
    pattern_of: Vec<u32>,
    /// By pattern: how many traces have it.
    traces_of: Vec<u32>,
    /// Of each trace with 0: its ordinal, the root plus 1, the two flags.
    own: Vec<(u32, u32, u8)>,
}

const COMPLETE: u8 = 1;
const CUT: u8 = 2;

impl Patterns {
    /// The forms that several traces have.
    pub(crate) fn shared(&self) -> &[Vec<PatternSpan>] {
        &self.patterns
    }

    /// The number of a trace's pattern, if others have it.
    pub(crate) fn pattern_of(&self, ordinal: u32) -> Option<u32> {
        let number = self.pattern_of.get(ordinal as usize).copied();
        number.unwrap_or_default().checked_sub(1)
    }

    /// How many traces have the form of a trace, itself counted.
    pub(crate) fn alike(&self, ordinal: u32) -> u64 {
        let pattern = self.pattern_of(ordinal);
        let traces = pattern.and_then(|pattern| self.traces_of.get(pattern as usize));
        traces.copied().map_or(1, u64::from)
    }

    /// The form of a trace.
    pub(crate) fn form(&self, ordinal: u32) -> Form<'_> {
        let shared = self.pattern_of(ordinal);
        if let Some(spans) = shared.and_then(|number| self.patterns.get(number as usize)) {
            return Form::Shared(spans);
        }
        let at = self.own.binary_search_by_key(&ordinal, |own| own.0).ok();
        let (_, root, flags) = at
            .and_then(|at| self.own.get(at))
            .copied()
            .unwrap_or_default();
        Form::Own {
            root: root.checked_sub(1),
            is_complete: flags & COMPLETE != 0,
            is_cut: flags & CUT != 0,
        }
    }

    /// Memory held, in bytes.
    pub(crate) fn size_bytes(&self) -> usize {
        let spans: usize = self.patterns.iter().map(Vec::len).sum();
        spans * size_of::<PatternSpan>()
            + self.patterns.len() * 24
            + (self.pattern_of.capacity() + self.traces_of.capacity()) * 4
            + self.own.capacity() * 12
    }

    fn section(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_varint(self.patterns.len() as u64, &mut out);
        for pattern in &self.patterns {
            put_varint(pattern.len() as u64, &mut out);
            let mut depth_max = 0u64;
            for span in pattern {
                put_varint(span.operation.into(), &mut out);
                let above = depth_max.saturating_sub(span.depth.into());
                put_varint(above << 1 | u64::from(span.is_orphan), &mut out);
                depth_max = u64::from(span.depth) + 1;
            }
        }
        let numbers = self.pattern_of.iter();
        numbers.for_each(|number| put_varint((*number).into(), &mut out));
        for (_, root, flags) in &self.own {
            put_varint(u64::from(*root) << 2 | u64::from(*flags), &mut out);
        }
        out
    }

    /// The patterns of a section; `None` when it makes no sense.
    pub(crate) fn parse(mut section: &[u8], operations: usize, traces: usize) -> Option<Self> {
        fn number(section: &mut &[u8]) -> Option<u32> {
            u32::try_from(take_varint(section)?).ok()
        }
        let rest = &mut section;
        let mut patterns = Self::default();
        for _ in 0..take_varint(rest)? {
            let mut spans = Vec::new();
            let mut depth_max = 0u64;
            for _ in 0..take_varint(rest)? {
                let operation = number(rest).filter(|at| (*at as usize) < operations)?;
                let bits = take_varint(rest)?;
                let depth = depth_max.checked_sub(bits >> 1)?;
                spans.push(PatternSpan {
                    operation,
                    depth: u16::try_from(depth).ok()?,
                    is_orphan: bits & 1 == 1,
                });
                depth_max = depth + 1;
            }
            patterns.patterns.push(spans);
        }
        for _ in 0..traces {
            let pattern = number(rest).filter(|at| *at as usize <= patterns.patterns.len())?;
            patterns.pattern_of.push(pattern);
        }
        for (ordinal, pattern) in (0..).zip(&patterns.pattern_of) {
            if *pattern == 0 {
                let bits = take_varint(rest)?;
                let root = u32::try_from(bits >> 2).ok()?;
                let root = Some(root).filter(|root| *root as usize <= operations)?;
                patterns.own.push((ordinal, root, (bits & 3) as u8));
            }
        }
        patterns.traces_of = vec![0; patterns.patterns.len()];
        for pattern in patterns
            .pattern_of
            .iter()
            .filter_map(|number| number.checked_sub(1))
        {
            if let Some(traces) = patterns.traces_of.get_mut(pattern as usize) {
                *traces += 1;
            }
        }
        rest.is_empty().then_some(patterns)
    }
}

/// A form that was seen.
#[derive(Debug, Clone, Copy)]
enum Seen {
    /// By the trace with this ordinal, and no other so far.
    Once(u32),
    /// By several, who share this pattern.
    Often(u32),
}

/// Collects the forms of traces, row group by row group. Operations are numbered as they come.
#[derive(Debug, Default)]
pub(super) struct PatternsBuilder {
    patterns: Patterns,
    all_spans: usize,
    seen: HashMap<u128, Seen, RandomState>,
    /// By ordinal: the root plus 1, and the flags.
    roots: Vec<(u32, u8)>,
    /// The form of the trace that is looked at.
    form: Vec<u8>,
}

impl PatternsBuilder {
    /// Adds a row group.
    pub(super) fn add(&mut self, parts: &Parts<'_>, operations: &Operations) {
        for trace in &parts.order.traces {
            let ordinal = self.roots.len() as u32;
            let (root, flags) = root_of(parts, trace, &operations.operation_of);
            self.roots.push((root, flags));
            self.patterns.pattern_of.push(0);
            let is_short = trace.rows as usize <= PATTERN_SPANS_MAX;
            let of_trace = operations.operation_of.get(trace.range());
            let has_names = !of_trace.unwrap_or_default().iter().any(|at| is_other(*at))
                || plumbing::planted("store-others-look-alike");
            if flags & CUT == 0 && is_short && has_names {
                self.add_form(parts, trace, &operations.operation_of, ordinal);
            }
        }
    }

    fn add_form(
        &mut self,
        parts: &Parts<'_>,
        trace: &TraceRows,
        operation_of: &[u32],
        ordinal: u32,
    ) {
        self.form.clear();
        for row in trace.range() {
            let span = span_at(parts, operation_of, row);
            self.form.extend_from_slice(&span.operation.to_le_bytes());
            let depth = u32::from(span.depth) << 1 | u32::from(span.is_orphan);
            self.form.extend_from_slice(&depth.to_le_bytes());
        }
        let seen = self.seen.entry(xxh3_128(&self.form));
        let seen = seen.or_insert(Seen::Once(ordinal));
        let pattern = match *seen {
            Seen::Once(first) if first == ordinal => return,
            Seen::Once(first) => {
                if self.all_spans + trace.rows as usize > ALL_SPANS_MAX {
                    return;
                }
                let next = self.patterns.patterns.len() as u32;
                let spans = trace.range().map(|row| span_at(parts, operation_of, row));
                self.patterns.patterns.push(spans.collect());
                self.all_spans += trace.rows as usize;
                *seen = Seen::Often(next);
                if let Some(slot) = self.patterns.pattern_of.get_mut(first as usize) {
                    *slot = next + 1;
                }
                next
            }
            Seen::Often(pattern) => pattern,
        };
        if let Some(slot) = self.patterns.pattern_of.last_mut() {
            *slot = pattern + 1;
        }
    }

    /// The section, with operations as the catalogue has them.
    pub(super) fn section(self, places: &Places) -> Vec<u8> {
        let mut patterns = self.patterns;
        for span in patterns.patterns.iter_mut().flatten() {
            span.operation = places.operation(span.operation);
        }
        for (ordinal, (root, flags)) in (0..).zip(self.roots) {
            if patterns.pattern_of.get(ordinal as usize) == Some(&0) {
                let root = root.checked_sub(1);
                let root = root.map_or(0, |root| places.operation(root) + 1);
                patterns.own.push((ordinal, root, flags));
            }
        }
        patterns.section()
    }
}

fn span_at(parts: &Parts<'_>, operation_of: &[u32], row: usize) -> PatternSpan {
    let (order, at) = (&parts.order, row);
    PatternSpan {
        operation: operation_of.get(at).copied().unwrap_or_default(),
        depth: order.depth.get(at).copied().unwrap_or_default(),
        is_orphan: order.parent_delta.get(at).is_some_and(|delta| *delta < 0),
    }
}

/// The operation of a trace's root plus 1, and its flags.
fn root_of(parts: &Parts<'_>, trace: &TraceRows, operation_of: &[u32]) -> (u32, u8) {
    let (mut root, mut roots, mut orphans, mut is_cut) = (0, 0, 0, false);
    for row in trace.range() {
        match parts
            .order
            .parent_delta
            .get(row)
            .copied()
            .unwrap_or_default()
        {
            0 => {
                roots += 1;
                if roots == 1 {
                    root = operation_of.get(row).copied().unwrap_or_default() + 1;
                }
            }
            delta if delta < 0 => {
                orphans += 1;
                let caller = parts.order.caller.get(row).copied().unwrap_or(NONE);
                is_cut |= caller != NONE;
            }
            _ => {}
        }
    }
    // Where depths are capped they don't tell the parents any more.
    let depths = parts.order.depth.get(trace.range()).unwrap_or_default();
    is_cut |= depths.contains(&u16::MAX);
    let is_complete = roots == 1 && orphans == 0;
    (
        root,
        (u8::from(is_complete) * COMPLETE) | (u8::from(is_cut) * CUT),
    )
}
