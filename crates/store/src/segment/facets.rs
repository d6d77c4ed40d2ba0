//! Which values some rows of a row group have in a field, and how many of the rows each.
//!
//! Where a field's values lie in one place, rows are counted by the place of their value in a dictionary. Where a row
//! may have the same value twice (a key that repeats, or stands with a span and its resource, or with events), pairs of
//! row and value are gathered first, and each counts once.

#![allow(
    clippy::cast_possible_truncation,
    reason = "rows, codes and numbers come back from where they were widened"
)]

use std::ops::Range;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use model::batch::{AttrValue, Attribute, PackedValue};
use model::{Field, ValueType};

use super::SegmentError;
use super::assemble::child_rows;
use super::bits::Bits;
use super::footer::Footer;
use super::layout::{Home, REST_COLUMN, SHAPE_COLUMN, SHAPE_LISTED, SHAPE_REST, take_rest};
use super::leaf::{Meaning, with_value};
use super::meta::FileKind;
use super::open::Segment;
use super::page::PageOpener;
use super::plan::stands_at;
use super::read::pieces;
use super::search::BLOCK_ROWS;
use crate::index::OwnerKind;

/// No value is known yet.
const UNKNOWN: u32 = u32::MAX;

/// A value, and how many rows have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Counted {
    pub value_type: ValueType,
    pub text: String,
    pub count: u64,
    pub errors: u64,
}

/// The values of a field in a row group.
#[derive(Debug, Default)]
pub(crate) struct GroupFacet {
    pub values: Vec<Counted>,
    /// Rows without a value.
    pub missing: u64,
}

/// Whether the empty text of a field says that there is none.
pub(crate) fn is_none_when_empty(field: &Field) -> bool {
    matches!(
        field,
        Field::StatusMessage | Field::TraceState | Field::ScopeName | Field::ScopeVersion
    )
}

/// Gathers values.
struct Tally<'a> {
    found: &'a Bits,
    errors: &'a Bits,
    ids: HashMap<(ValueType, String), u32, RandomState>,
    values: Vec<Counted>,
    /// Rows that have a value.
    has: Bits,
    /// Rows may come with a value more than once: what came, by row and value.
    pairs: Option<Vec<(u32, u32)>>,
}

impl Tally<'_> {
    fn id(&mut self, value: AttrValue<'_>) -> u32 {
        let key = (value.value_type(), value.canonical_text().into_owned());
        if let Some(known) = self.ids.get(&key) {
            return *known;
        }
        let id = self.values.len() as u32;
        self.values.push(Counted {
            value_type: key.0,
            text: key.1.clone(),
            count: 0,
            errors: 0,
        });
        self.ids.insert(key, id);
        id
    }

    fn add(&mut self, row: usize, id: u32) {
        match &mut self.pairs {
            Some(pairs) => pairs.push((row as u32, id)),
            None => self.count(row, id),
        }
    }

    #[inline]
    fn count(&mut self, row: usize, id: u32) {
        self.has.set(row);
        if let Some(value) = self.values.get_mut(id as usize) {
            value.count += 1;
            value.errors += u64::from(self.errors.has(row));
        }
    }

    fn finish(mut self) -> GroupFacet {
        if let Some(mut pairs) = self.pairs.take() {
            pairs.sort_unstable();
            if !plumbing::planted("store-facet-counts-again") {
                pairs.dedup();
            }
            pairs
                .iter()
                .for_each(|(row, id)| self.count(*row as usize, *id));
        }
        self.values.retain(|value| value.count > 0);
        GroupFacet {
            missing: (self.found.count() - self.has.count()) as u64,
            values: self.values,
        }
    }
}

/// Rows of a file in one row group, and whose they are.
struct Owners<'a> {
    kind: FileKind,
    footer: &'a Footer,
    group: usize,
    rows: Range<usize>,
    /// By row: the row of the span in its group, if it is looked at.
    of: &'a dyn Fn(usize) -> Option<usize>,
}

/// Whether a row of a shape has a key without a value, and whether it may have one in the rest.
type ShapeSays = (bool, bool);

struct FacetReader<'a> {
    segment: &'a Segment,
    group: &'a Range<usize>,
    opener: PageOpener,
    tally: Tally<'a>,
}

impl Segment {
    /// The values of a field in some rows of a row group, counted from its first; `errors` are those that failed.
    pub(crate) fn facet_in(
        &self,
        group: &Range<usize>,
        field: &Field,
        (found, errors): (&Bits, &Bits),
    ) -> Result<GroupFacet, SegmentError> {
        let mut reader = FacetReader {
            segment: self,
            group,
            opener: PageOpener::new(),
            tally: Tally {
                found,
                errors,
                ids: HashMap::default(),
                values: Vec::new(),
                has: Bits::none(group.len()),
                pairs: None,
            },
        };
        reader.read(field)?;
        Ok(reader.tally.finish())
    }
}

impl FacetReader<'_> {
    fn read(&mut self, field: &Field) -> Result<(), SegmentError> {
        let string = Meaning::Typed(ValueType::String);
        let int = Meaning::Typed(ValueType::Int);
        match field {
            Field::Name => self.field("name", string, field),
            Field::Service => self.field("service", string, field),
            Field::StatusMessage => self.field("status_message", string, field),
            Field::TraceState => self.field("trace_state", string, field),
            Field::Kind => self.field("kind", int, field),
            Field::Status => self.field("status", int, field),
            Field::ScopeName | Field::ScopeVersion => {
                let scopes = self.segment.resources()?;
                let text = |scope| match field {
                    Field::ScopeName => scopes.scope(scope).name(),
                    _ => scopes.scope(scope).version(),
                };
                let texts = (0..scopes.scopes().len() as u32).map(text);
                let given = texts.map(|text| Some(text).filter(|text| !text.is_empty()));
                let values = given.map(|text| text.map(AttrValue::String).into_iter().collect());
                self.numbered("scope_id", values.collect())
            }
            Field::EventName => {
                self.tally.pairs = Some(Vec::new());
                self.children(FileKind::Events, &mut |reader, owners| {
                    let place = owners.footer.column("name");
                    let place = place.ok_or_else(|| reader.segment.no_column("name"))?;
                    reader.column(owners, (place, string), false)
                })
            }
            Field::Attribute { place, key } => self.attribute(*place, key),
            // These have no facets.
            Field::TraceId
            | Field::SpanId
            | Field::ParentSpanId
            | Field::Start
            | Field::Duration
            | Field::LinkTraceId
            | Field::LinkSpanId => Ok(()),
        }
    }

    /// Calls `read` with the rows that are looked at, as they lie in the file of spans.
    fn spans(
        &mut self,
        read: &mut dyn FnMut(&mut Self, &Owners<'_>) -> Result<(), SegmentError>,
    ) -> Result<(), SegmentError> {
        let footer = self.segment.spans_footer()?;
        let found = self.tally.found;
        for block in found.blocks(BLOCK_ROWS / 64) {
            let rows = self.group.start + block.start..self.group.start + block.end;
            for piece in pieces(&footer, &rows) {
                let first = piece.all.start - self.group.start;
                let owners = Owners {
                    kind: FileKind::Spans,
                    footer: &footer,
                    group: piece.group,
                    rows: piece.rows,
                    of: &|at| Some(first + at).filter(|row| found.has(*row)),
                };
                read(self, &owners)?;
            }
        }
        Ok(())
    }

    /// Calls `read` with the events or links of the rows.
    fn children(
        &mut self,
        kind: FileKind,
        read: &mut dyn FnMut(&mut Self, &Owners<'_>) -> Result<(), SegmentError>,
    ) -> Result<(), SegmentError> {
        let Some(footer) = self.segment.footer(kind)? else {
            return Ok(());
        };
        let found = self.tally.found;
        for group in 0..footer.groups.len() {
            let of = (kind, &*footer);
            let (rows, spans) = child_rows(self.segment, of, group, self.group, &mut self.opener)?;
            if rows.is_empty() {
                continue;
            }
            let first = self.group.start;
            let row_of = |at: usize| {
                let row = (*spans.get(at)? as usize).checked_sub(first)?;
                Some(row).filter(|row| found.has(*row))
            };
            let owners = Owners {
                kind,
                footer: &footer,
                group,
                rows,
                of: &row_of,
            };
            read(self, &owners)?;
        }
        Ok(())
    }

    /// A field that every span has; an empty cell is the empty text.
    fn field(&mut self, name: &str, meaning: Meaning, field: &Field) -> Result<(), SegmentError> {
        let without_empty = is_none_when_empty(field);
        self.spans(&mut |reader, owners| {
            let place = owners.footer.column(name);
            let place = place.ok_or_else(|| reader.segment.no_column(name))?;
            reader.column(owners, (place, meaning), without_empty)
        })
    }

    /// The cells of a column.
    fn column(
        &mut self,
        owners: &Owners<'_>,
        (place, meaning): (usize, Meaning),
        without_empty: bool,
    ) -> Result<(), SegmentError> {
        let of = (owners.kind, owners.footer);
        let at = (owners.group, place);
        let column = self
            .segment
            .column(of, at, &owners.rows, &mut self.opener)?;
        let values = (column.values(), column.shape);
        let has_dictionary = column.values().len() < column.len();
        let mut ids = vec![UNKNOWN; if has_dictionary { values.0.len() } else { 0 }];
        for at in 0..column.len() {
            let Some(row) = (owners.of)(at) else { continue };
            let Some(value) = column.place(at) else {
                continue;
            };
            let known = ids.get(value).copied().filter(|id| *id != UNKNOWN);
            let id = known.unwrap_or_else(|| {
                with_value(values, value, meaning, |value| match value {
                    AttrValue::String("") if without_empty => UNKNOWN - 1,
                    value => self.tally.id(value),
                })
            });
            if let Some(slot) = ids.get_mut(value) {
                *slot = id;
            }
            if id < UNKNOWN - 1 {
                self.tally.add(row, id);
            }
        }
        Ok(())
    }

    /// Adds the values that belong to the number that a row has in a column.
    fn numbered(
        &mut self,
        name: &str,
        values: Vec<Vec<AttrValue<'_>>>,
    ) -> Result<(), SegmentError> {
        if values.iter().all(Vec::is_empty) {
            return Ok(());
        }
        let ids = values.into_iter().map(|of_number| {
            let mut ids: Vec<u32> = of_number.into_iter().map(|v| self.tally.id(v)).collect();
            ids.sort_unstable();
            ids.dedup();
            ids
        });
        let ids: Vec<Vec<u32>> = ids.collect();
        self.spans(&mut |reader, owners| {
            let place = owners.footer.column(name);
            let place = place.ok_or_else(|| reader.segment.no_column(name))?;
            let of = (owners.kind, owners.footer);
            let at = (owners.group, place);
            let column = reader
                .segment
                .column(of, at, &owners.rows, &mut reader.opener)?;
            for at in 0..column.len() {
                let Some(row) = (owners.of)(at) else { continue };
                let number = column.number(at).unwrap_or_default() as usize;
                for id in ids.get(number).into_iter().flatten() {
                    reader.tally.add(row, *id);
                }
            }
            Ok(())
        })
    }

    fn attribute(&mut self, place: model::Place, key: &str) -> Result<(), SegmentError> {
        let keys = self.segment.keys()?;
        let owns = |owner: OwnerKind| {
            let mut known = keys.keys.iter();
            let is_known =
                |facts: &crate::index::keys::KeyFacts| facts.owner == owner && facts.key == key;
            stands_at(owner, place) && (!keys.is_complete || known.any(is_known))
        };
        let all = OwnerKind::ALL.into_iter();
        let owners: Vec<OwnerKind> = all.filter(|owner| owns(*owner)).collect();
        let is_many = |owner: &OwnerKind| matches!(owner, OwnerKind::Event | OwnerKind::Link);
        let spans = self.segment.spans_footer()?;
        let says = shapes_of(&spans, key);
        let may_repeat = owners.len() > 1
            || owners.iter().any(is_many)
            || owners.contains(&OwnerKind::Span) && says.iter().any(|says| says.1);
        self.tally.pairs = may_repeat.then(Vec::new);
        for owner in owners {
            match owner {
                OwnerKind::Span => {
                    self.spans(&mut |reader, owners| reader.owners(owners, key, &says))?;
                }
                OwnerKind::Event | OwnerKind::Link => {
                    let kind = match owner {
                        OwnerKind::Event => FileKind::Events,
                        _ => FileKind::Links,
                    };
                    let footer = self.segment.footer(kind)?;
                    let says = footer.map_or_else(Vec::new, |footer| shapes_of(&footer, key));
                    self.children(kind, &mut |reader, owners| {
                        reader.owners(owners, key, &says)
                    })?;
                }
                OwnerKind::Resource => {
                    let all = self.segment.resources()?;
                    let rows = 0..all.resources().len() as u32;
                    let values = rows.map(|row| of_key(all.resource(row).attributes(), key));
                    self.numbered("resource_id", values.collect())?;
                }
                OwnerKind::Scope => {
                    let all = self.segment.resources()?;
                    let rows = 0..all.scopes().len() as u32;
                    let values = rows.map(|row| of_key(all.scope(row).attributes(), key));
                    self.numbered("scope_id", values.collect())?;
                }
            }
        }
        Ok(())
    }

    /// The values of a key in the attributes of one file.
    fn owners(
        &mut self,
        owners: &Owners<'_>,
        key: &str,
        says: &[ShapeSays],
    ) -> Result<(), SegmentError> {
        let footer = owners.footer;
        let fields = footer.layout.fields.iter().zip(&footer.field_columns);
        for (field, place) in fields.filter(|(field, _)| field.key == key) {
            if let Some(place) = place {
                let meaning = Meaning::Typed(field.value_type);
                self.column(owners, (*place as usize, meaning), false)?;
            }
        }
        if says.iter().all(|says| *says == (false, false)) {
            return Ok(());
        }
        let of = (owners.kind, footer);
        let place = footer.column(SHAPE_COLUMN);
        let place = place.ok_or_else(|| self.segment.no_column(SHAPE_COLUMN))?;
        let shapes =
            self.segment
                .column(of, (owners.group, place), &owners.rows, &mut self.opener)?;
        let mut in_rest: Vec<(usize, usize)> = Vec::new();
        for at in 0..shapes.len() {
            let Some(row) = (owners.of)(at) else { continue };
            let shape = shapes.number(at).unwrap_or_default() as usize;
            let (is_empty, has_rest) = says.get(shape).copied().unwrap_or_default();
            if is_empty {
                let id = self.tally.id(AttrValue::Empty);
                self.tally.add(row, id);
            }
            if has_rest {
                in_rest.push((at, row));
            }
        }
        let Some(place) = footer.column(REST_COLUMN).filter(|_| !in_rest.is_empty()) else {
            return Ok(());
        };
        let rest =
            self.segment
                .column(of, (owners.group, place), &owners.rows, &mut self.opener)?;
        for (at, row) in in_rest {
            let mut list = rest.bytes(at).unwrap_or_default();
            while !list.is_empty() {
                let Some((of, value)) = take_rest(&mut list) else {
                    let path = self.segment.path(owners.kind);
                    return Err(SegmentError::corrupt(&path, "attributes make no sense"));
                };
                if of == key.as_bytes() && !plumbing::planted("store-facet-rest-forgotten") {
                    let id = self.tally.id(unpacked(value));
                    self.tally.add(row, id);
                }
            }
        }
        Ok(())
    }
}

/// By shape of a file: what it says of a key.
fn shapes_of(footer: &Footer, key: &str) -> Vec<ShapeSays> {
    let layout = &footer.layout;
    let has_rest = footer.column(REST_COLUMN).is_some();
    let of_key = |field: &u32| {
        let field = layout.fields.get(*field as usize);
        field.is_some_and(|field| field.key == key)
    };
    let of_shape = |shape: u64| {
        if shape == SHAPE_REST {
            return (false, has_rest);
        }
        let listed = shape.checked_sub(SHAPE_LISTED);
        let fields = listed.and_then(|at| layout.shapes.get(at as usize));
        if !fields.is_some_and(|fields| fields.iter().any(of_key)) {
            return (false, false);
        }
        let homes = layout.homes(shape).unwrap_or_default();
        let mut homes = homes.iter().filter(|(field, _)| of_key(field));
        let is_at = |wanted: Home| homes.clone().any(|(_, home)| *home == wanted);
        let says = (is_at(Home::Nowhere), is_at(Home::Rest));
        homes.next().map_or((false, false), |_| says)
    };
    (0..SHAPE_LISTED + layout.shapes.len() as u64)
        .map(of_shape)
        .collect()
}

fn of_key<'a>(attributes: impl Iterator<Item = Attribute<'a>>, key: &str) -> Vec<AttrValue<'a>> {
    let of_key = attributes.filter(|attribute| attribute.key == key);
    of_key.map(|attribute| attribute.value).collect()
}

fn unpacked(value: PackedValue<'_>) -> AttrValue<'_> {
    match value {
        PackedValue::Empty => AttrValue::Empty,
        PackedValue::String(bytes) => {
            AttrValue::String(std::str::from_utf8(bytes).unwrap_or_default())
        }
        PackedValue::Bool(is) => AttrValue::Bool(is),
        PackedValue::Int(int) => AttrValue::Int(int),
        PackedValue::Double(double) => AttrValue::Double(double),
        PackedValue::Array(bytes) => AttrValue::Array(bytes),
        PackedValue::Map(bytes) => AttrValue::Map(bytes),
        PackedValue::Bytes(bytes) => AttrValue::Bytes(bytes),
    }
}
