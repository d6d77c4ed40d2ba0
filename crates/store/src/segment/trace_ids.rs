//! The ids of a segment's traces: read from the column `trace_id`, and compared when a trace is looked for.
//!
//! A dictionary holds the ids of a row group in the order of their first rows, which is that of the traces; where there
//! is none, the column itself is read.

use model::TraceId;

use super::SegmentError;
use super::footer::Footer;
use super::meta::FileKind;
use super::open::Segment;
use super::page::PageOpener;
use super::read::pieces;
use crate::index::{TraceEntry, TraceTable, trace_hash};

const COLUMN: &str = "trace_id";

fn id_of(bytes: &[u8]) -> TraceId {
    bytes.try_into().map(TraceId).unwrap_or_default()
}

impl Segment {
    /// A trace by its id, if some of its spans are here.
    pub fn find_trace(&self, trace_id: TraceId) -> Result<Option<TraceEntry>, SegmentError> {
        if !self.may_have_trace(trace_id)? {
            return Ok(None);
        }
        let traces = self.traces()?;
        for entry in traces.candidates(trace_hash(trace_id)) {
            if self.trace_id(&traces, &entry)? == trace_id
                || plumbing::planted("segment-hash-is-enough")
            {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    /// The id of a trace.
    pub fn trace_id(
        &self,
        traces: &TraceTable,
        entry: &TraceEntry,
    ) -> Result<TraceId, SegmentError> {
        let footer = self.spans_footer()?;
        let place = footer
            .column(COLUMN)
            .ok_or_else(|| self.no_column(COLUMN))?;
        let first = entry.first_row as usize;
        let mut opener = PageOpener::new();
        let of_row = pieces(&footer, &(first..first + 1));
        let Some(piece) = of_row.first() else {
            return Ok(TraceId::ZERO);
        };
        let of = (FileKind::Spans, &*footer);
        let ordinals = ordinals_of(traces, &footer, piece.group);
        let dictionary = self.dictionary(of, (piece.group, place), &mut opener)?;
        if let Some(ids) = dictionary.filter(|ids| ids.len() == ordinals.len()) {
            let at = (entry.ordinal as usize).saturating_sub(ordinals.start);
            return Ok(id_of(ids.bytes(at)));
        }
        let column = self.column(of, (piece.group, place), &piece.rows, &mut opener)?;
        Ok(column.bytes(0).map(id_of).unwrap_or_default())
    }

    /// As [`Segment::trace_id`], for one that has the table not at hand.
    pub(crate) fn trace_id_of(&self, entry: &TraceEntry) -> Result<TraceId, SegmentError> {
        self.trace_id(&*self.traces()?, entry)
    }

    /// The id of the trace that a row belongs to; `None` where there is no such row.
    pub(crate) fn trace_id_of_row(&self, row: u32) -> Result<Option<TraceId>, SegmentError> {
        let traces = self.traces()?;
        let entry = traces.of_row(row);
        entry
            .map(|entry| self.trace_id(&traces, &entry))
            .transpose()
    }

    /// The ids of all traces, by ordinal.
    pub fn trace_ids(&self, traces: &TraceTable) -> Result<Vec<TraceId>, SegmentError> {
        let footer = self.spans_footer()?;
        let place = footer
            .column(COLUMN)
            .ok_or_else(|| self.no_column(COLUMN))?;
        let mut opener = PageOpener::new();
        let mut all = Vec::with_capacity(traces.len());
        for (group, rows) in footer.groups.iter().map(|group| &group.rows).enumerate() {
            let of = (FileKind::Spans, &*footer);
            let ordinals = ordinals_of(traces, &footer, group);
            let dictionary = self.dictionary(of, (group, place), &mut opener)?;
            if let Some(ids) = dictionary.filter(|ids| ids.len() == ordinals.len()) {
                all.extend((0..ids.len()).map(|at| id_of(ids.bytes(at))));
                continue;
            }
            let column = self.column(of, (group, place), &(0..rows.len()), &mut opener)?;
            let first = u32::try_from(ordinals.start).unwrap_or(u32::MAX);
            let entries = traces.iter_from(first).take(ordinals.len());
            let first_rows =
                entries.map(|entry| (entry.first_row as usize).saturating_sub(rows.start));
            all.extend(first_rows.map(|row| column.bytes(row).map(id_of).unwrap_or_default()));
        }
        Ok(all)
    }

    /// The ids of all traces as the rows have them, each with its number of rows.
    pub(crate) fn trace_runs(&self) -> Result<Vec<(TraceId, u32)>, SegmentError> {
        let mut traces: Vec<(TraceId, u32)> = Vec::new();
        self.each_cell(COLUMN, |column, at| {
            let id = column.bytes(at).map(id_of).unwrap_or_default();
            match traces.last_mut() {
                Some((last, rows)) if *last == id => *rows += 1,
                _ => traces.push((id, 1)),
            }
        })?;
        Ok(traces)
    }
}

/// The ordinals of the traces of a row group, which has whole traces.
fn ordinals_of(traces: &TraceTable, footer: &Footer, group: usize) -> std::ops::Range<usize> {
    let rows = footer.groups.get(group).map(|group| group.rows.clone());
    let rows = rows.unwrap_or_default();
    let ordinal_at = |row: usize| {
        let trace = u32::try_from(row).ok().and_then(|row| traces.of_row(row));
        trace.map_or(traces.len(), |trace| trace.ordinal as usize)
    };
    ordinal_at(rows.start)..ordinal_at(rows.end)
}
