//! What traces look like from afar.
//!
//! A trace that lies in one segment and shares its form with others is told from the index alone; only where spans
//! failed it is looked up whose they are. Of one that is alone with its form the index has the root, and whether it is
//! complete; whose its spans are is a column. Any other trace is read.

use std::collections::BTreeMap;

use model::batch::SpanRef;
use model::contract::{OTHER_OPERATIONS, ReadError};
use model::facts::{FactsAnswer, RootFacts, ServiceFacts, TraceFacts};
use model::{SpanBatch, TenantId, TraceId};

use crate::engine::{Engine, Placed, View};
use crate::index::patterns::{Form, PatternSpan};
use crate::index::{STATUS_ERROR, TraceEntry};
use crate::segment::order::{TraceOrder, order_rows};
use crate::segment::{Level, Segment, SegmentError};

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
        let found = self.fragments(view, trace_id, skips)?;
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
    let alike = if placed.listed.meta.id.level == Level::Merged {
        patterns.alike(entry.ordinal)
    } else {
        0
    };
    let catalogue = segment.catalogue()?;
    let name_of = |service: u32| {
        let name = catalogue.services.get(service as usize);
        name.map_or("", String::as_str)
    };
    let (root, is_complete, services) = match patterns.form(entry.ordinal) {
        Form::Shared(spans) => {
            let is_root = |span: &&PatternSpan| span.depth == 0 && !span.is_orphan;
            let root = spans.iter().find(is_root).map(|span| span.operation);
            let tops = spans.iter().filter(|span| span.depth == 0).count();
            let services = spans.iter().map(|span| {
                let operation = catalogue.operations.get(span.operation as usize);
                operation.map_or(0, |operation| operation.service)
            });
            let services = count_services(segment, entry, services, name_of)?;
            (root, tops == 1 && root.is_some(), services)
        }
        Form::Own {
            root, is_complete, ..
        } => {
            let operation = root.and_then(|root| catalogue.operations.get(root as usize));
            if operation.is_some_and(|operation| operation.name == OTHER_OPERATIONS)
                && !plumbing::planted("store-root-of-others")
            {
                // There was no room for its name.
                return Ok((None, alike));
            }
            let resources = segment.resources()?;
            let rows = segment.numbers_of("resource_id", &entry.range())?;
            let services = rows.iter().map(|resource| {
                let resource = u32::try_from(*resource).unwrap_or(u32::MAX);
                resources.resource(resource).service()
            });
            let services = count_services(segment, entry, services, |service| service)?;
            (root, is_complete, services)
        }
    };
    let root = root.and_then(|root| catalogue.operations.get(root as usize));
    let facts = TraceFacts {
        trace_id,
        start: entry.start,
        end: entry.end,
        spans: entry.rows.into(),
        errors: entry.errors.into(),
        is_complete,
        root: root.map(|operation| RootFacts {
            service: name_of(operation.service).to_owned(),
            name: operation.name.clone(),
            kind: operation.kind,
        }),
        services,
        alike,
    };
    Ok((Some(facts), alike))
}

/// Counts the spans of a trace by service, given that of each row; their states are read only if some failed.
fn count_services<'a, K: Ord>(
    segment: &Segment,
    entry: &TraceEntry,
    services: impl Iterator<Item = K>,
    name_of: impl Fn(K) -> &'a str,
) -> Result<Vec<ServiceFacts>, SegmentError> {
    let states = match entry.errors {
        0 => Vec::new(),
        _ => segment.numbers_of("status", &entry.range())?,
    };
    let is_error = |state: u64| state == u64::from(STATUS_ERROR.unsigned_abs());
    let errors = states.into_iter().map(is_error);
    let spans = services.zip(errors.chain(std::iter::repeat(false)));
    Ok(by_service(spans, name_of))
}

/// Counts spans by service, given the service of each and whether it failed. Services are ordered as their names are.
fn by_service<'a, K: Ord>(
    spans: impl Iterator<Item = (K, bool)>,
    name_of: impl Fn(K) -> &'a str,
) -> Vec<ServiceFacts> {
    let mut services: BTreeMap<K, (u64, u64)> = BTreeMap::new();
    for (service, is_error) in spans {
        let counts = services.entry(service).or_default();
        counts.0 += 1;
        counts.1 += u64::from(is_error);
    }
    let services = services.into_iter();
    let facts = services.map(|(service, (spans, errors))| ServiceFacts {
        service: name_of(service).to_owned(),
        spans,
        errors,
    });
    facts.collect()
}

/// What the spans of a trace, in order of arrival, say.
fn from_spans(trace_id: TraceId, batch: &SpanBatch) -> TraceFacts {
    let is_error = |span: &SpanRef<'_>| span.status() == STATUS_ERROR;
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
    let services = batch.iter().map(|span| (span.service(), is_error(&span)));
    TraceFacts {
        trace_id,
        start: batch
            .iter()
            .map(|span| span.start())
            .min()
            .unwrap_or_default(),
        end: batch
            .iter()
            .map(|span| span.end())
            .max()
            .unwrap_or_default(),
        spans: batch.len() as u64,
        errors: batch.iter().filter(is_error).count() as u64,
        is_complete: tops == 1 && root.is_some(),
        root,
        services: by_service(services, |service| service),
        alike: 0,
    }
}
