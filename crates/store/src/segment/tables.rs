//! The columns of a segment's files, each with where its cells come from.
//!
//! Promises: everything of a span is in a column of one of the files; see `layout.rs` for attributes.

#![allow(
    clippy::cast_possible_truncation,
    reason = "rows of a segment are below 2^32; kinds and deltas keep their bits"
)]

use model::batch::Symbol;
use model::{TenantId, TraceId};

use super::SegmentError;
use super::attributes::FileAttributes;
use super::chunk::Prefer;
use super::layout::LAYOUT_NOTE;
use super::meta::SegmentId;
use super::page::PageEncoding;
use super::parts::{Children, Envelopes, Parts, Shared};
use super::plain::Plain;
use super::table::{Meaning, Source, TableColumn};

/// The footer's keys of what every file says of itself.
pub(crate) const SCHEMA_NOTE: &str = "trackway.schema";
pub(crate) const SEGMENT_NOTE: &str = "trackway.segment";
pub(crate) const TENANT_NOTE: &str = "trackway.tenant";
/// The version of the columns; readers refuse others.
pub(crate) const SCHEMA_VERSION: &str = "1";

/// Only in segments of whole traces.
pub(crate) const CRITICAL_COLUMN: &str = "critical";

const DICTIONARY: Prefer = Prefer::DictionaryOr(PageEncoding::Plain);

/// The next row group of a segment's files.
#[derive(Debug)]
pub(crate) struct Group<'a> {
    parts: &'a Parts<'a>,
    shared: &'a Shared,
    /// The rows of the groups before.
    base: usize,
    trace_ids: Vec<TraceId>,
    /// By row: its trace among the ids.
    trace_of: Vec<u32>,
}

fn every<'a>(
    name: &str,
    form: (Plain<'a>, Prefer, Meaning),
    cell: impl Fn(usize) -> u64 + 'a,
) -> TableColumn<'a> {
    let (plain, prefer, meaning) = form;
    TableColumn {
        name: name.to_owned(),
        plain,
        prefer,
        meaning,
        source: Source::Every(Box::new(cell)),
    }
}

/// A column that has no cell where the number is 0: an empty text, nothing dropped.
fn nonzero<'a>(
    name: &str,
    form: (Plain<'a>, Prefer, Meaning),
    cell: impl Fn(usize) -> u64 + 'a,
) -> TableColumn<'a> {
    let (plain, prefer, meaning) = form;
    let source = Source::Maybe(Box::new(move |row| {
        Some(cell(row)).filter(|cell| *cell != 0)
    }));
    TableColumn {
        name: name.to_owned(),
        plain,
        prefer,
        meaning,
        source,
    }
}

fn signed(number: i32) -> u64 {
    u64::from(number.cast_unsigned())
}

impl<'a> Group<'a> {
    pub(crate) fn new(parts: &'a Parts<'a>, shared: &'a Shared, base: usize) -> Self {
        let traces = &parts.order.traces;
        let mut trace_of: Vec<u32> = Vec::with_capacity(parts.rows());
        for (ordinal, trace) in traces.iter().enumerate() {
            trace_of.resize(trace.range().end, ordinal as u32);
        }
        Self {
            parts,
            shared,
            base,
            trace_ids: traces.iter().map(|trace| trace.trace_id).collect(),
            trace_of,
        }
    }

    fn text(&self) -> (Plain<'a>, Prefer, Meaning) {
        (
            Plain::Text(self.parts.batch.strings()),
            DICTIONARY,
            Meaning::Text,
        )
    }

    /// The columns of the spans.
    pub(crate) fn spans(&'a self) -> Vec<TableColumn<'a>> {
        let parts = self.parts;
        let id_form = (Plain::TraceId(&self.trace_ids), DICTIONARY, Meaning::None);
        let mut columns = vec![every("trace_id", id_form, |row| {
            self.trace_of.get(row).copied().map_or(0, u64::from)
        })];
        columns.append(&mut structure_columns(parts));
        columns.extend(critical_column(parts));
        columns.append(&mut self.field_columns());
        columns.append(&mut self.shared.spans.columns(&parts.spans, parts.batch));
        columns
    }

    /// Name, service, kind and what else a span says of itself.
    fn field_columns(&self) -> Vec<TableColumn<'a>> {
        let parts = self.parts;
        let spans = parts.batch.spans();
        let number = (Plain::Int32, DICTIONARY, Meaning::None);
        let unsigned = (Plain::Int32, DICTIONARY, Meaning::Unsigned32);
        let text = self.text();
        let symbol =
            move |column: &'a [Symbol]| move |row: usize| u64::from(parts.pick(column, row).0);
        let count = move |column: &'a [u32]| move |row: usize| u64::from(parts.pick(column, row));
        vec![
            every("name", text, symbol(&spans.name)),
            every("service", text, move |row| {
                u64::from(
                    parts
                        .batch
                        .resource(parts.pick(&spans.resource, row))
                        .row()
                        .service
                        .0,
                )
            }),
            every("kind", number, move |row| {
                signed(parts.pick(&spans.kind, row))
            }),
            every("status", number, move |row| {
                signed(parts.pick(&spans.status, row))
            }),
            nonzero("status_message", text, symbol(&spans.status_message)),
            nonzero("trace_state", text, symbol(&spans.trace_state)),
            every("flags", unsigned, count(&spans.flags)),
            nonzero("dropped_attrs", unsigned, count(&spans.dropped_attributes)),
            nonzero("dropped_events", unsigned, count(&spans.dropped_events)),
            nonzero("dropped_links", unsigned, count(&spans.dropped_links)),
            every("resource_id", unsigned, move |row| {
                u64::from(parts.resource(row))
            }),
            every("scope_id", unsigned, move |row| u64::from(parts.scope(row))),
        ]
    }

    /// The columns of the events.
    pub(crate) fn events(&self) -> Vec<TableColumn<'a>> {
        let (children, events) = (&self.parts.events, self.parts.batch.events());
        let time = (
            Plain::Int64,
            Prefer::Only(PageEncoding::Delta),
            Meaning::TimeNanos,
        );
        let mut columns = vec![
            row_column(children, self.base),
            every("time", time, move |at| child(children, &events.time, at)),
            every("name", self.text(), move |at| {
                u64::from(child(children, &events.name, at).0)
            }),
            dropped_column(children, &events.dropped_attributes),
        ];
        columns.append(
            &mut self
                .shared
                .events
                .columns(&children.attributes, self.parts.batch),
        );
        columns
    }

    /// The columns of the links.
    pub(crate) fn links(&self) -> Vec<TableColumn<'a>> {
        let (parts, children, links) = (self.parts, &self.parts.links, self.parts.batch.links());
        let spans = parts.batch.spans();
        // A link into its own trace, the usual one, has no trace id.
        let foreign = move |at: usize| {
            let row = children.row.get(at).copied().unwrap_or_default() as usize;
            let own = parts.pick(&spans.trace_id, row);
            let source = children.source.get(at).copied().unwrap_or_default();
            (child(children, &links.trace_id, at) != own).then_some(u64::from(source))
        };
        let unsigned = (Plain::Int32, DICTIONARY, Meaning::Unsigned32);
        let mut columns = vec![
            row_column(children, self.base),
            TableColumn {
                name: "trace_id".to_owned(),
                plain: Plain::TraceId(&links.trace_id),
                prefer: Prefer::Only(PageEncoding::Plain),
                meaning: Meaning::None,
                source: Source::Maybe(Box::new(foreign)),
            },
            every(
                "span_id",
                (
                    Plain::SpanId,
                    Prefer::Only(PageEncoding::Plain),
                    Meaning::None,
                ),
                move |at| child(children, &links.span_id, at).number(),
            ),
            nonzero("trace_state", self.text(), move |at| {
                u64::from(child(children, &links.trace_state, at).0)
            }),
            every("flags", unsigned, move |at| {
                u64::from(child(children, &links.flags, at))
            }),
            dropped_column(children, &links.dropped_attributes),
        ];
        columns.append(&mut self.shared.links.columns(&children.attributes, parts.batch));
        columns
    }
}

/// The columns of the resources, then the scopes.
// tidy: long-function: a table of columns
pub(crate) fn envelope_columns<'a>(
    envelopes: &'a Envelopes,
    refs: &'a [Vec<u8>],
) -> Vec<TableColumn<'a>> {
    let batch = &envelopes.batch;
    let count = batch.resources().len();
    let resource = move |at: usize| batch.resources().get(at);
    let scope = move |at: usize| batch.scopes().get(at.checked_sub(count)?);
    let flag = (
        Plain::Bool,
        Prefer::Only(PageEncoding::Plain),
        Meaning::None,
    );
    let unsigned = (Plain::Int32, DICTIONARY, Meaning::Unsigned32);
    let text = (Plain::Text(batch.strings()), DICTIONARY, Meaning::Text);
    let mut columns = vec![
        every("is_scope", flag, move |at| u64::from(at >= count)),
        every("id", unsigned, move |at| {
            at.checked_sub(count).unwrap_or(at) as u64
        }),
        every("is_present", flag, move |at| {
            u64::from(
                resource(at)
                    .map_or_else(|| scope(at).is_some_and(|s| s.is_present), |r| r.is_present),
            )
        }),
        nonzero("service", text, move |at| {
            resource(at).map_or(0, |row| u64::from(row.service.0))
        }),
        nonzero("name", text, move |at| {
            scope(at).map_or(0, |row| u64::from(row.name.0))
        }),
        nonzero("version", text, move |at| {
            scope(at).map_or(0, |row| u64::from(row.version.0))
        }),
        nonzero("schema_url", text, move |at| {
            let of_resource = resource(at).map(|row| row.schema_url);
            of_resource
                .or_else(|| scope(at).map(|row| row.schema_url))
                .map_or(0, |url| u64::from(url.0))
        }),
        nonzero("dropped_attrs", unsigned, move |at| {
            let of_resource = resource(at).map(|row| row.dropped_attributes);
            of_resource
                .or_else(|| scope(at).map(|row| row.dropped_attributes))
                .map_or(0, u64::from)
        }),
        TableColumn {
            name: "entity_refs".to_owned(),
            plain: Plain::Bytes(refs),
            prefer: Prefer::Only(PageEncoding::Plain),
            meaning: Meaning::None,
            source: Source::Maybe(Box::new(|at| {
                refs.get(at)
                    .is_some_and(|refs| !refs.is_empty())
                    .then_some(at as u64)
            })),
        },
    ];
    columns.append(&mut envelopes.file.columns(&envelopes.attributes, batch));
    columns
}

/// The entity references of the resources, by number.
pub(crate) fn entity_refs(envelopes: &Envelopes) -> Vec<Vec<u8>> {
    let rows = 0..envelopes.batch.resources().len();
    rows.map(|row| envelopes.batch.resource(row as u32).entity_refs().to_vec())
        .collect()
}

/// What the footer of a file says of it.
pub(crate) fn notes(
    id: SegmentId,
    tenant: &TenantId,
    attributes: FileAttributes,
) -> Result<Vec<(String, String)>, SegmentError> {
    let layout = attributes
        .into_layout()
        .to_note()
        .map_err(|error| SegmentError::bug(format!("no layout: {error}")))?;
    Ok(vec![
        (SCHEMA_NOTE.to_owned(), SCHEMA_VERSION.to_owned()),
        (SEGMENT_NOTE.to_owned(), id.to_string()),
        (TENANT_NOTE.to_owned(), tenant.to_string()),
        (LAYOUT_NOTE.to_owned(), layout),
    ])
}

/// Where a span stands in its trace and in time.
fn structure_columns<'a>(parts: &'a Parts<'a>) -> Vec<TableColumn<'a>> {
    let (order, spans) = (&parts.order, parts.batch.spans());
    let number = (Plain::Int32, DICTIONARY, Meaning::None);
    let unsigned = (Plain::Int32, DICTIONARY, Meaning::Unsigned32);
    let time = (
        Plain::Int64,
        Prefer::Only(PageEncoding::Delta),
        Meaning::TimeNanos,
    );
    let duration = (
        Plain::Int64,
        Prefer::Only(PageEncoding::Split),
        Meaning::None,
    );
    let arrival = (
        Plain::Int32,
        Prefer::Only(PageEncoding::Split),
        Meaning::Unsigned32,
    );
    let delta = move |row: usize| order.parent_delta.get(row).copied().unwrap_or_default();
    vec![
        every(
            "span_id",
            (Plain::SpanId, Prefer::Random, Meaning::None),
            move |row| parts.pick(&spans.span_id, row).number(),
        ),
        every("parent_delta", number, move |row| signed(delta(row))),
        TableColumn {
            name: "parent_span_id".to_owned(),
            plain: Plain::SpanId,
            prefer: Prefer::Only(PageEncoding::Plain),
            meaning: Meaning::None,
            source: Source::Maybe(Box::new(move |row| {
                (delta(row) < 0).then(|| parts.pick(&spans.parent_span_id, row).number())
            })),
        },
        every("depth", unsigned, move |row| {
            order.depth.get(row).copied().map_or(0, u64::from)
        }),
        every("arrival", arrival, move |row| {
            order.arrival.get(row).copied().map_or(0, u64::from)
        }),
        every("start_time", time, move |row| parts.pick(&spans.start, row)),
        every("duration", duration, move |row| {
            parts
                .pick(&spans.end, row)
                .wrapping_sub(parts.pick(&spans.start, row))
        }),
    ]
}

/// The time on the critical path that no child covers; missing where that is all that no child covers.
fn critical_column<'a>(parts: &'a Parts<'a>) -> Option<TableColumn<'a>> {
    let own_times = parts.own_times.as_ref()?;
    let critical = |row: usize| {
        let own = own_times.get(row).filter(|own| own.critical != own.own)?;
        Some(own.critical)
    };
    Some(TableColumn {
        name: CRITICAL_COLUMN.to_owned(),
        plain: Plain::Int64,
        prefer: Prefer::DictionaryOr(PageEncoding::Split),
        meaning: Meaning::None,
        source: Source::Maybe(Box::new(critical)),
    })
}

fn child<T: Copy + Default>(children: &Children, column: &[T], at: usize) -> T {
    let source = children
        .source
        .get(at)
        .map_or(usize::MAX, |source| *source as usize);
    column.get(source).copied().unwrap_or_default()
}

fn row_column(children: &Children, base: usize) -> TableColumn<'_> {
    // Ascending, so the differences are tiny.
    let form = (
        Plain::Int32,
        Prefer::Only(PageEncoding::Delta),
        Meaning::Unsigned32,
    );
    every("row", form, move |at| {
        let row = children.row.get(at).copied().map_or(0, u64::from);
        base as u64 + row
    })
}

fn dropped_column<'a>(children: &'a Children, column: &'a [u32]) -> TableColumn<'a> {
    let form = (
        Plain::Int32,
        Prefer::DictionaryOr(PageEncoding::Plain),
        Meaning::Unsigned32,
    );
    nonzero("dropped_attrs", form, move |at| {
        u64::from(child(children, column, at))
    })
}
