//! What traces look like from afar.
//!
//! A trace that lies in one segment and shares its form with others is told from the index alone; only where spans
//! failed it is looked up whose they are. Any other is read.

use std::collections::BTreeMap;

use model::contract::ReadError;
use model::facts::{FactsAnswer, RootFacts, ServiceFacts, TraceFacts};
use model::{SpanBatch, TenantId, TraceId};

use crate::engine::{Engine, Placed, View};
use crate::index::patterns::{Form, PatternSpan};
use crate::index::{STATUS_ERROR, TraceEntry};
use crate::segment::order::{TraceOrder, order_rows};
use crate::segment::{Level, SegmentError};

use super::{Skips, taken_back};

impl Engine {
    /// What some traces look like; those that are not known are left out.
    pub(crate) fn facts(
        &self,
        tenant: &TenantId,
        traces: &[TraceId],
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<FactsAnswer, ReadError> {
        let view = self.view(tenant);
        let mut skips = Skips::new();
        let mut facts = Vec::with_capacity(traces.len());
        for trace_id in traces {
            if is_cancelled() {
                return Err(taken_back());
            }
            facts.extend(self.facts_of(&view, *trace_id, &mut skips)?);
        }
        Ok(FactsAnswer {
            facts,
            skipped: skips.into_values().collect(),
        })
    }

    fn facts_of(
        &self,
        view: &View,
        trace_id: TraceId,
        skips: &mut Skips,
    ) -> Result<Option<TraceFacts>, ReadError> {
        let mut found: Vec<(&Placed, TraceEntry)> = Vec::new();
        for placed in view.segments.iter() {
            match placed.segment.find_trace(trace_id) {
                Ok(entry) => found.extend(entry.map(|entry| (&**placed, entry))),
                Err(error) => self.skip_once(placed, &error, skips)?,
            }
        }
        let is_in_head = view
            .chunks
            .iter()
            .any(|chunk| chunk.trace(trace_id).is_some());
        let mut alike = 0;
        if let ([(placed, entry)], false) = (found.as_slice(), is_in_head) {
            match from_index(placed, trace_id, entry) {
                Ok((Some(facts), _)) => return Ok(Some(facts)),
                Ok((None, own)) => alike = own,
                Err(error) => self.skip_once(placed, &error, skips)?,
            }
        }
        let batch = self.trace_in(view, trace_id, skips)?;
        Ok((!batch.is_empty()).then(|| TraceFacts {
            alike,
            ..from_spans(trace_id, &batch)
        }))
    }
}

/// What the index of a segment says of a trace that lies there alone, if it says all; and how many are like it.
fn from_index(
    placed: &Placed,
    trace_id: TraceId,
    entry: &TraceEntry,
) -> Result<(Option<TraceFacts>, u64), SegmentError> {
    let segment = &placed.segment;
    let Some(patterns) = segment.patterns()? else {
        return Ok((None, 0));
    };
    let is_merged = placed.listed.meta.id.level == Level::Merged;
    let Form::Shared(spans) = patterns.form(entry.ordinal) else {
        return Ok((None, u64::from(is_merged)));
    };
    let catalogue = segment.catalogue()?;
    let mut services: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
    let service_of = |span: &PatternSpan| {
        let operation = catalogue.operations.get(span.operation as usize);
        operation.map_or(0, |operation| operation.service)
    };
    for span in spans {
        services.entry(service_of(span)).or_default().0 += 1;
    }
    if entry.errors > 0 {
        let states = segment.numbers_of("status", &entry.range())?;
        for (span, state) in spans.iter().zip(states) {
            let is_error = state == u64::from(STATUS_ERROR.unsigned_abs());
            services.entry(service_of(span)).or_default().1 += u64::from(is_error);
        }
    }
    let name = |at: u32| {
        catalogue
            .services
            .get(at as usize)
            .cloned()
            .unwrap_or_default()
    };
    let is_root = |span: &&PatternSpan| span.depth == 0 && !span.is_orphan;
    let root = spans.iter().find(is_root).and_then(|span| {
        let operation = catalogue.operations.get(span.operation as usize)?;
        Some(RootFacts {
            service: name(operation.service),
            name: operation.name.clone(),
            kind: operation.kind,
        })
    });
    let tops = spans.iter().filter(|span| span.depth == 0).count();
    let services = services
        .into_iter()
        .map(|(service, (spans, errors))| ServiceFacts {
            service: name(service),
            spans,
            errors,
        });
    let alike = if is_merged {
        patterns.alike(entry.ordinal)
    } else {
        0
    };
    let facts = TraceFacts {
        trace_id,
        start: entry.start,
        end: entry.end,
        spans: entry.rows.into(),
        errors: entry.errors.into(),
        is_complete: tops == 1 && root.is_some(),
        root,
        services: services.collect(),
        alike,
    };
    Ok((Some(facts), alike))
}

/// What the spans of a trace, in order of arrival, say.
fn from_spans(trace_id: TraceId, batch: &SpanBatch) -> TraceFacts {
    let mut services: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    let (mut start, mut end, mut errors) = (u64::MAX, 0, 0);
    for span in batch.iter() {
        let is_error = span.status() == STATUS_ERROR;
        let counts = services.entry(span.service()).or_default();
        counts.0 += 1;
        counts.1 += u64::from(is_error);
        errors += u64::from(is_error);
        start = start.min(span.start());
        end = end.max(span.end());
    }
    let order = order_rows(batch, TraceOrder::AsGiven);
    let tops = order
        .parent_delta
        .iter()
        .filter(|delta| **delta <= 0)
        .count();
    let root = order.parent_delta.iter().position(|delta| *delta == 0);
    let root = root.and_then(|row| batch.span(*order.source.get(row)? as usize));
    let root = root.map(|span| RootFacts {
        service: span.service().to_owned(),
        name: span.name().to_owned(),
        kind: span.kind(),
    });
    let services = services
        .into_iter()
        .map(|(service, (spans, errors))| ServiceFacts {
            service: service.to_owned(),
            spans,
            errors,
        });
    TraceFacts {
        trace_id,
        start,
        end,
        spans: batch.len() as u64,
        errors,
        is_complete: tops == 1 && root.is_some(),
        root,
        services: services.collect(),
        alike: 0,
    }
}
