//! Judges one comparison on columns, for the rows of a granule.
//!
//! Texts are judged once per distinct value, rows then by code. A resource's or scope's attributes are judged once per
//! resource. Values in `attrs_rest` are not looked at here: rows that may have the key there are left open.

#![allow(
    clippy::cast_possible_truncation,
    reason = "rows, codes and numbers come back from where they were widened"
)]

use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use model::batch::{AttrValue, SpanBatch};
use model::{Field, Literal, Operator, Place, ValueType};

use super::SegmentError;
use super::assemble::uuid_text;
use super::bits::{Bits, Verdict};
use super::column::Values;
use super::footer::{Footer, Shape};
use super::layout::{Home, REST_COLUMN, SHAPE_COLUMN, SHAPE_LISTED, SHAPE_REST};
use super::meta::FileKind;
use super::open::Segment;
use super::opened::{PageValues, WRONG};
use super::page::PageOpener;
use super::plan::{Leaf, Pruner, Test, stands_at};
use super::read::{Piece, pieces};
use crate::index::OwnerKind;
use model::evaluate;

/// Judges comparisons on the columns of a segment.
#[derive(Debug)]
pub(crate) struct LeafReader<'a> {
    segment: &'a Segment,
    pruner: &'a Pruner<'a>,
    footer: Arc<Footer>,
    resources: Arc<SpanBatch>,
}

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Typed(ValueType),
    /// Unsigned 64 bits, shown as an int and capped at its end.
    Start,
}

/// A column of a row group.
struct ColumnPlace<'a> {
    kind: FileKind,
    footer: &'a Footer,
    group: usize,
    column: usize,
}

impl<'a> LeafReader<'a> {
    pub(crate) fn new(segment: &'a Segment, pruner: &'a Pruner<'a>) -> Result<Self, SegmentError> {
        Ok(Self {
            segment,
            pruner,
            footer: segment.spans_footer()?,
            resources: segment.resources()?,
        })
    }

    /// The rows of a range that pass.
    pub(crate) fn judge(
        &self,
        leaf: &Leaf,
        (range, asked): (&Range<usize>, &Bits),
        opener: &mut PageOpener,
    ) -> Result<Verdict, SegmentError> {
        let len = range.len();
        if !self.pruner.leaf_may_match(leaf, range)? {
            return Ok(Verdict::none(len));
        }
        let few = Some(asked).filter(|asked| asked.count() * 8 < len);
        let typed = Meaning::Typed;
        let field = |name, meaning, opener: &mut PageOpener| {
            self.field(leaf, (range, few), (name, meaning), opener)
        };
        match &leaf.field {
            Field::Name => field("name", typed(ValueType::String), opener),
            Field::Service => field("service", typed(ValueType::String), opener),
            Field::StatusMessage => field("status_message", typed(ValueType::String), opener),
            Field::TraceState => field("trace_state", typed(ValueType::String), opener),
            Field::Kind => field("kind", typed(ValueType::Int), opener),
            Field::Status => field("status", typed(ValueType::Int), opener),
            Field::Start => field("start_time", Meaning::Start, opener),
            Field::Duration => field("duration", typed(ValueType::Int), opener),
            Field::ScopeName | Field::ScopeVersion => self.scope_field(leaf, range, opener),
            Field::EventName => self.event_names(leaf, range, opener),
            Field::Attribute { place, key } => self.attribute(leaf, (*place, key), range, opener),
            // Ids are looked up elsewhere; here they are left to be judged row by row.
            Field::TraceId
            | Field::SpanId
            | Field::ParentSpanId
            | Field::LinkTraceId
            | Field::LinkSpanId => Ok(Verdict::unknown(len)),
        }
    }

    /// A field that every span has; an empty cell is the empty text.
    fn field(
        &self,
        leaf: &Leaf,
        (range, asked): (&Range<usize>, Option<&Bits>),
        (name, meaning): (&str, Meaning),
        opener: &mut PageOpener,
    ) -> Result<Verdict, SegmentError> {
        let mut verdict = Verdict::none(range.len());
        let of_nothing = meaning == Meaning::Typed(ValueType::String)
            && leaf.test.passes(&AttrValue::String(""));
        let column = self
            .footer
            .column(name)
            .ok_or_else(|| self.segment.no_column(name))?;
        for piece in pieces(&self.footer, range) {
            let place = ColumnPlace {
                kind: FileKind::Spans,
                footer: &self.footer,
                group: piece.group,
                column,
            };
            let shift = piece.all.start - range.start;
            let test = (&leaf.test, meaning, of_nothing);
            let asked = asked.map(|asked| (asked, shift));
            self.passing(&place, &piece.rows, test, asked, opener, &mut |at| {
                verdict.set(shift + at);
            })?;
        }
        Ok(verdict)
    }

    /// Gives the rows of a column whose cell passes, counted from the first of `rows`. Of few that are asked for, only
    /// those are looked at; they are counted from this many rows before.
    fn passing(
        &self,
        place: &ColumnPlace<'_>,
        rows: &Range<usize>,
        (test, meaning, of_nothing): (&Test, Meaning, bool),
        asked: Option<(&Bits, usize)>,
        opener: &mut PageOpener,
        give: &mut dyn FnMut(usize),
    ) -> Result<(), SegmentError> {
        let (of, at) = ((place.kind, place.footer), (place.group, place.column));
        let Some(dictionary) = self.segment.dictionary(of, at, opener)? else {
            let column = self.segment.column(of, at, rows, opener)?;
            let values = (column.values(), column.shape);
            if asked.is_none()
                && let Some(range) = int_range(test, meaning)
                && let Some(numbers) = column.plain_numbers()
            {
                give_numbers(numbers, &range, give);
                return Ok(());
            }
            let is_asked = |row: &usize| asked.is_none_or(|(bits, shift)| bits.has(shift + row));
            for row in (0..column.len()).filter(is_asked) {
                if column
                    .place(row)
                    .map_or(of_nothing, |at| passes(values, at, (test, meaning)))
                {
                    give(row);
                }
            }
            return Ok(());
        };
        let shape = place
            .footer
            .columns
            .get(place.column)
            .map(|info| info.shape);
        let values = (&*dictionary, shape.unwrap_or(Shape::Long));
        let passing: Vec<bool> = (0..dictionary.len())
            .map(|at| passes(values, at, (test, meaning)))
            .collect();
        if !of_nothing && passing.iter().all(|is| !is) {
            return Ok(());
        }
        let wanted = (rows, Some(passing.as_slice()).filter(|_| !of_nothing));
        self.segment
            .each_page(of, at, wanted, opener, &mut |opened, page, inside| {
                let PageValues::Codes(codes) = &opened.values else {
                    return Err(WRONG);
                };
                let mut give_row = |row: usize| give(page.first_row as usize + row - rows.start);
                if asked.is_none() && !of_nothing {
                    let cells = codes.passing(&passing)?.into_iter();
                    opened.rows_of(cells, |row| {
                        if inside.contains(&row) {
                            give_row(row);
                        }
                    });
                    return Ok(());
                }
                let is_asked = |row: &usize| {
                    let at = |shift| shift + page.first_row as usize + row - rows.start;
                    asked.is_none_or(|(bits, shift)| bits.has(at(shift)))
                };
                let mut walk = codes.walk();
                for row in inside.clone().filter(is_asked) {
                    let passes = match opened.cell(row) {
                        Some(cell) => walk.passes(cell, &passing)?,
                        None => of_nothing,
                    };
                    if passes {
                        give_row(row);
                    }
                }
                Ok(())
            })
    }

    fn attribute(
        &self,
        leaf: &Leaf,
        (place, key): (Place, &str),
        range: &Range<usize>,
        opener: &mut PageOpener,
    ) -> Result<Verdict, SegmentError> {
        let mut verdict = Verdict::none(range.len());
        let asks = |owner| stands_at(owner, place) && self.pruner.may_own(owner, key);
        if asks(OwnerKind::Span) {
            for piece in pieces(&self.footer, range) {
                let shift = piece.all.start - range.start;
                let rows = OwnerRows {
                    kind: FileKind::Spans,
                    footer: &self.footer,
                    piece: &piece,
                };
                self.owners(leaf, key, &rows, opener, &mut |at, is_certain| {
                    put(&mut verdict, shift + at, is_certain);
                })?;
            }
        }
        if asks(OwnerKind::Resource) {
            let passing: Vec<bool> = (0..self.resources.resources().len())
                .map(|row| {
                    has_passing(
                        self.resources.resource(row as u32).attributes(),
                        key,
                        &leaf.test,
                    )
                })
                .collect();
            self.numbered("resource_id", &passing, range, opener, &mut verdict)?;
        }
        if asks(OwnerKind::Scope) {
            let passing: Vec<bool> = (0..self.resources.scopes().len())
                .map(|row| {
                    has_passing(
                        self.resources.scope(row as u32).attributes(),
                        key,
                        &leaf.test,
                    )
                })
                .collect();
            self.numbered("scope_id", &passing, range, opener, &mut verdict)?;
        }
        for (owner, kind) in [
            (OwnerKind::Event, FileKind::Events),
            (OwnerKind::Link, FileKind::Links),
        ] {
            if asks(owner) {
                self.children(kind, range, opener, &mut |rows, spans, opener| {
                    self.owners(leaf, key, rows, opener, &mut |at, is_certain| {
                        if let Some(row) = spans.get(at) {
                            put(&mut verdict, *row as usize - range.start, is_certain);
                        }
                    })
                })?;
            }
        }
        Ok(verdict)
    }

    /// Judges the attributes of owners of one file; gives each row that passes, or that may pass.
    // tidy: long-function: one case after another of where a key's values lie
    fn owners(
        &self,
        leaf: &Leaf,
        key: &str,
        rows: &OwnerRows<'_>,
        opener: &mut PageOpener,
        give: &mut dyn FnMut(usize, bool),
    ) -> Result<(), SegmentError> {
        let (footer, layout) = (rows.footer, &rows.footer.layout);
        let has_key = |field: &u32| {
            layout
                .fields
                .get(*field as usize)
                .is_some_and(|field| field.key == key)
        };
        for (at, field) in layout
            .fields
            .iter()
            .enumerate()
            .filter(|(_, field)| field.key == key)
        {
            let Some(column) = footer.field_columns.get(at).copied().flatten() else {
                continue;
            };
            let place = ColumnPlace {
                kind: rows.kind,
                footer,
                group: rows.piece.group,
                column: column as usize,
            };
            let test = (&leaf.test, Meaning::Typed(field.value_type), false);
            self.passing(&place, &rows.piece.rows, test, None, opener, &mut |row| {
                give(row, true);
            })?;
        }
        // By shape: whether a row of it passes for what the shape says, and whether it might for what is in the rest.
        let passes_empty = leaf.test.passes(&AttrValue::Empty);
        let passes_any = matches!(leaf.test, Test::Exists);
        let of_shape = |shape: u64| {
            let listed = shape
                .checked_sub(SHAPE_LISTED)
                .and_then(|at| layout.shapes.get(at as usize));
            if !listed.is_some_and(|fields| fields.iter().any(has_key)) {
                return (false, shape == SHAPE_REST);
            }
            let homes = layout.homes(shape).unwrap_or_default();
            let is_at = |wanted: Home| {
                homes
                    .iter()
                    .any(|(field, home)| *home == wanted && has_key(field))
            };
            (
                passes_empty && is_at(Home::Nowhere) || passes_any && is_at(Home::Rest),
                is_at(Home::Rest),
            )
        };
        let has_listed = layout.shapes.iter().any(|shape| shape.iter().any(has_key));
        let has_rest = footer.column(REST_COLUMN).is_some();
        if !has_listed && !has_rest {
            return Ok(());
        }
        let shapes: Vec<(bool, bool)> = (0..SHAPE_LISTED + layout.shapes.len() as u64)
            .map(of_shape)
            .collect();
        if shapes
            .iter()
            .enumerate()
            .all(|(shape, of)| *of == (false, false) || shape as u64 == SHAPE_REST && !has_rest)
        {
            return Ok(());
        }
        let column = footer
            .column(SHAPE_COLUMN)
            .ok_or_else(|| self.segment.no_column(SHAPE_COLUMN))?;
        let of = (rows.kind, footer);
        let column =
            self.segment
                .column(of, (rows.piece.group, column), &rows.piece.rows, opener)?;
        for row in 0..column.len() {
            let shape = column.number(row).unwrap_or_default() as usize;
            match shapes.get(shape) {
                Some((true, _)) => give(row, true),
                Some((false, true)) => give(row, false),
                _ => {}
            }
        }
        Ok(())
    }

    fn scope_field(
        &self,
        leaf: &Leaf,
        range: &Range<usize>,
        opener: &mut PageOpener,
    ) -> Result<Verdict, SegmentError> {
        let passes = |row: usize| {
            let scope = self.resources.scope(row as u32);
            let text = if leaf.field == Field::ScopeName {
                scope.name()
            } else {
                scope.version()
            };
            leaf.test.passes(&AttrValue::String(text))
        };
        let passing: Vec<bool> = (0..self.resources.scopes().len()).map(passes).collect();
        let mut verdict = Verdict::none(range.len());
        self.numbered("scope_id", &passing, range, opener, &mut verdict)?;
        Ok(verdict)
    }

    /// Adds the rows whose number in a column is one of the passing.
    fn numbered(
        &self,
        name: &str,
        passing: &[bool],
        range: &Range<usize>,
        opener: &mut PageOpener,
        verdict: &mut Verdict,
    ) -> Result<(), SegmentError> {
        if passing.iter().all(|is| !is) {
            return Ok(());
        }
        let place = self
            .footer
            .column(name)
            .ok_or_else(|| self.segment.no_column(name))?;
        for piece in pieces(&self.footer, range) {
            let of = (FileKind::Spans, &*self.footer);
            let column = self
                .segment
                .column(of, (piece.group, place), &piece.rows, opener)?;
            for at in 0..column.len() {
                let number = column.number(at).unwrap_or_default() as usize;
                if passing.get(number).copied().unwrap_or_default() {
                    verdict.set(piece.all.start - range.start + at);
                }
            }
        }
        Ok(())
    }

    fn event_names(
        &self,
        leaf: &Leaf,
        range: &Range<usize>,
        opener: &mut PageOpener,
    ) -> Result<Verdict, SegmentError> {
        let mut verdict = Verdict::none(range.len());
        self.children(
            FileKind::Events,
            range,
            opener,
            &mut |rows, spans, opener| {
                let column = rows
                    .footer
                    .column("name")
                    .ok_or_else(|| self.segment.no_column("name"))?;
                let place = ColumnPlace {
                    kind: rows.kind,
                    footer: rows.footer,
                    group: rows.piece.group,
                    column,
                };
                let test = (&leaf.test, Meaning::Typed(ValueType::String), false);
                self.passing(&place, &rows.piece.rows, test, None, opener, &mut |at| {
                    if let Some(row) = spans.get(at) {
                        verdict.set(*row as usize - range.start);
                    }
                })
            },
        )?;
        Ok(verdict)
    }

    /// Calls `judge` for the children of a granule's spans, row group by row group, with the rows of their spans.
    fn children(
        &self,
        kind: FileKind,
        range: &Range<usize>,
        opener: &mut PageOpener,
        judge: &mut ChildJudge<'_>,
    ) -> Result<(), SegmentError> {
        let Some(footer) = self.segment.footer(kind)? else {
            return Ok(());
        };
        for (group, about) in footer.groups.iter().enumerate() {
            let (rows, spans) =
                super::assemble::child_rows(self.segment, (kind, &footer), group, range, opener)?;
            if !rows.is_empty() {
                let all = about.rows.start + rows.start..about.rows.start + rows.end;
                let piece = Piece { group, rows, all };
                judge(
                    &OwnerRows {
                        kind,
                        footer: &footer,
                        piece: &piece,
                    },
                    &spans,
                    opener,
                )?;
            }
        }
        Ok(())
    }
}

/// Judges children, given the rows of their spans.
type ChildJudge<'a> =
    dyn FnMut(&OwnerRows<'_>, &[u32], &mut PageOpener) -> Result<(), SegmentError> + 'a;

/// Rows of a file whose attributes are judged.
struct OwnerRows<'a> {
    kind: FileKind,
    footer: &'a Footer,
    piece: &'a Piece,
}

fn put(verdict: &mut Verdict, row: usize, is_certain: bool) {
    if is_certain {
        verdict.set(row);
    } else {
        verdict.possible.set(row);
    }
}

fn has_passing<'b>(
    mut attributes: impl Iterator<Item = model::batch::Attribute<'b>>,
    key: &str,
    test: &Test,
) -> bool {
    attributes.any(|attribute| attribute.key == key && test.passes(&attribute.value))
}

/// The whole numbers that pass, where these are all between two.
fn int_range(test: &Test, meaning: Meaning) -> Option<RangeInclusive<u64>> {
    let Test::Value(evaluate::Test::Literal(operator, Literal::Int(int))) = test else {
        return None;
    };
    let (low, high) = match operator {
        Operator::Equal => (Some(*int), Some(*int)),
        Operator::Less => (Some(i64::MIN), int.checked_sub(1)),
        Operator::LessOrEqual => (Some(i64::MIN), Some(*int)),
        Operator::Greater => (int.checked_add(1), Some(i64::MAX)),
        Operator::GreaterOrEqual => (Some(*int), Some(i64::MAX)),
        _ => return None,
    };
    let is_int = meaning == Meaning::Typed(ValueType::Int);
    let (low, high) = low.zip(high).filter(|_| is_int)?;
    Some(in_order(low)..=in_order(high))
}

/// A number with a sign as one without, so that the order stays.
fn in_order(int: i64) -> u64 {
    int.cast_unsigned() ^ (1 << 63)
}

/// Gives the places of the numbers with a sign that are in a range. Without a branch for each of them: 64 at a time
/// cost less than one that is judged as a value.
fn give_numbers(numbers: &[u64], range: &RangeInclusive<u64>, give: &mut dyn FnMut(usize)) {
    let (low, length) = (*range.start(), range.end() - range.start());
    for (at, numbers) in numbers.chunks(64).enumerate() {
        let mut bits = 0u64;
        for (place, number) in numbers.iter().enumerate() {
            let is_inside = (number ^ (1 << 63)).wrapping_sub(low) <= length;
            bits |= u64::from(is_inside) << place;
        }
        while bits != 0 {
            give(at * 64 + bits.trailing_zeros() as usize);
            bits &= bits - 1;
        }
    }
}

/// Whether a value of a column passes.
fn passes(values: (&Values, Shape), at: usize, (test, meaning): (&Test, Meaning)) -> bool {
    with_value(values, at, meaning, |value| test.passes(&value))
}

/// Gives a value of a column.
pub(super) fn with_value<T>(
    (values, shape): (&Values, Shape),
    at: usize,
    meaning: Meaning,
    take: impl FnOnce(AttrValue<'_>) -> T,
) -> T {
    let uuid;
    let value = match meaning {
        Meaning::Start => AttrValue::Int(i64::try_from(values.number(at)).unwrap_or(i64::MAX)),
        Meaning::Typed(value_type) => match value_type {
            ValueType::Empty => AttrValue::Empty,
            ValueType::Bool => AttrValue::Bool(values.number(at) != 0),
            ValueType::Int => AttrValue::Int(values.number(at).cast_signed()),
            ValueType::Double => AttrValue::Double(f64::from_bits(values.number(at))),
            ValueType::String => {
                let bytes = match shape {
                    Shape::Uuid => {
                        uuid = uuid_text(values.bytes(at));
                        uuid.as_slice()
                    }
                    _ => values.bytes(at),
                };
                AttrValue::String(std::str::from_utf8(bytes).unwrap_or_default())
            }
            ValueType::Array => AttrValue::Array(values.bytes(at)),
            ValueType::Map => AttrValue::Map(values.bytes(at)),
            ValueType::Bytes => AttrValue::Bytes(values.bytes(at)),
        },
    };
    take(value)
}
