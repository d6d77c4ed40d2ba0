//! The attributes of a file's rows, turned from lists per row into columns per key and type.
//!
//! A file is written row group by row group, and all of them have the same columns: those of the first row group's most
//! frequent fields, or those of the files whose spans are moved into it.
//!
//! Promises: equal input gives equal columns, names and shape numbers; memory is what the values take (12 bytes each).
//! Limits: see the constants. What is over them stays exact, in `attrs_rest`.

#![allow(
    clippy::cast_possible_truncation,
    reason = "rows, fields and shapes of a segment are far below 2^32"
)]

use std::cmp::Reverse;
use std::collections::BTreeMap;

use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashSet};
use model::ValueType;
use model::batch::{Attributes, FieldOfShape, PackedValue, ShapeId, SpanBatch, Symbol};

use super::SegmentError;
use super::chunk::Prefer;
use super::footer::{Footer, Shape};
use super::layout::{
    Field, Layout, REST_COLUMN, SHAPE_COLUMN, SHAPE_LISTED, SHAPE_NONE, SHAPE_REST, put_rest,
    type_name,
};
use super::page::PageEncoding;
use super::plain::{Plain, uuid_bytes};
use super::table::{Meaning, Source, TableColumn};

/// Columns of attributes in one file; each costs some 300 bytes of footer.
pub(crate) const COLUMNS_MAX: usize = 400;
/// Shapes in a footer, their fields together, and the fields of one; rows of other shapes are all in the rest.
const SHAPES_MAX: usize = 4_096;
const SHAPE_FIELDS_SUM_MAX: usize = 65_536;
const SHAPE_FIELDS_MAX: usize = 1_024;
/// Keys longer than this have no column: names of columns are in every footer.
const COLUMN_KEY_BYTES_MAX: usize = 256;

/// A key with a type, by text: what a field is in all row groups of a file.
pub(crate) type FieldName = (String, ValueType);

/// How often a field is used, and whether all its values are UUIDs in their usual form.
#[derive(Debug, Clone, Copy)]
struct FieldUse {
    count: u64,
    is_uuid: bool,
}

/// The fields of several files together.
#[derive(Debug, Default)]
pub(crate) struct FieldUses {
    uses: BTreeMap<FieldName, FieldUse>,
    has_rest: bool,
    shapes: usize,
    shape_fields: usize,
}

impl FieldUses {
    /// Adds a file by its footer, and the keys of its owners with how often each is used.
    pub(crate) fn add<'k>(
        &mut self,
        footer: &Footer,
        keys: impl Iterator<Item = (&'k str, ValueType, u64)>,
    ) {
        // A value in the rest may be anything.
        let has_rest = footer.column(REST_COLUMN).is_some();
        self.has_rest |= has_rest;
        self.shapes += footer.layout.shapes.len();
        self.shape_fields += footer.layout.shapes.iter().map(Vec::len).sum::<usize>();
        for (field, place) in footer.layout.fields.iter().zip(&footer.field_columns) {
            let column = place.and_then(|at| footer.columns.get(at as usize));
            let is_uuid = column.is_some_and(|column| column.shape == Shape::Uuid);
            let name = (field.key.clone(), field.value_type);
            let used = self.uses.entry(name).or_insert(FieldUse {
                count: 0,
                is_uuid: true,
            });
            used.count += 1;
            used.is_uuid &= is_uuid && !has_rest;
        }
        for (key, value_type, count) in keys {
            let name = (key.to_owned(), value_type);
            let used = self.uses.entry(name).or_insert(FieldUse {
                count: 0,
                is_uuid: false,
            });
            used.count += count;
            used.is_uuid &= !has_rest;
        }
    }
}

/// A column that a file has for a field.
#[derive(Debug)]
struct Chosen {
    field: FieldName,
    name: String,
    /// Whether its cells are UUIDs; `None` until the first row group is gathered.
    is_uuid: Option<bool>,
}

/// The attributes of one file: grows with its row groups, and is what the footer says of them at the end.
#[derive(Debug)]
pub(crate) struct FileAttributes {
    /// Names of columns begin with it.
    prefix: &'static str,
    /// The fields still without their columns.
    layout: Layout,
    field_of: HashMap<FieldName, u32, RandomState>,
    shape_of: HashMap<Vec<u32>, u64, RandomState>,
    /// The fields of all listed shapes together.
    shape_fields: usize,
    columns: Option<Vec<Chosen>>,
    /// Whether there is a column for the rest even if nothing is in it.
    has_rest: bool,
}

/// The values of one key and type in a row group.
#[derive(Debug)]
pub(crate) struct Gathered {
    pub field: FieldOfShape,
    /// Rows, ascending, and values of the column.
    pub rows: Vec<u32>,
    pub bits: Vec<u64>,
    /// Rows, ascending, and values that are in the rest, or that have no value.
    pub rest_rows: Vec<u32>,
    pub rest_bits: Vec<u64>,
    has_column: bool,
}

impl Gathered {
    /// All values with their rows: those of the column, then the others.
    pub(crate) fn values(&self) -> impl Iterator<Item = (u32, u64)> + '_ {
        let rows = self.rows.iter().chain(&self.rest_rows);
        rows.copied()
            .zip(self.bits.iter().chain(&self.rest_bits).copied())
    }
}

/// The attributes of all rows of a row group.
#[derive(Debug)]
pub(crate) struct AttributeColumns {
    pub fields: Vec<Gathered>,
    /// By column of the file: its place among the fields, if the row group has it.
    place_of: Vec<Option<usize>>,
    shapes: Vec<u64>,
    rest_rows: Vec<u32>,
    rest: Vec<Vec<u8>>,
    rest_keys: Vec<u64>,
}

/// What to do with a row of a shape.
#[derive(Debug, Clone, Default)]
struct Plan {
    uses: u64,
    number: u64,
    /// By place in the shape: the field, and whether it is the first of its kind in the shape.
    places: Vec<(u32, bool)>,
}

impl FileAttributes {
    /// A file whose columns follow from its first row group.
    pub(crate) fn new(prefix: &'static str) -> Self {
        Self {
            prefix,
            layout: Layout::default(),
            field_of: HashMap::default(),
            shape_of: HashMap::default(),
            shape_fields: 0,
            columns: None,
            has_rest: false,
        }
    }

    /// A file with columns for the most used of the fields of others, whose spans are moved into it.
    pub(crate) fn joining(prefix: &'static str, others: &FieldUses) -> Self {
        let candidates = others.uses.iter();
        let candidates: Vec<_> = candidates
            .map(|(field, used)| (field.clone(), used.count))
            .collect();
        let is_over = candidates.len() > COLUMNS_MAX
            || others.shapes > SHAPES_MAX
            || others.shape_fields > SHAPE_FIELDS_SUM_MAX;
        let mut columns = choose_columns(candidates, prefix);
        for chosen in &mut columns {
            let used = others.uses.get(&chosen.field);
            // What was in the rest of one may come into a column here, and may be anything.
            chosen.is_uuid = Some(used.is_some_and(|used| used.is_uuid) && !others.has_rest);
        }
        Self {
            columns: Some(columns),
            has_rest: others.has_rest || is_over,
            ..Self::new(prefix)
        }
    }

    /// Gathers the attributes of `owners`, which are the rows of the next row group.
    pub(crate) fn gather(
        &mut self,
        batch: &SpanBatch,
        owners: &[Attributes],
    ) -> Result<AttributeColumns, SegmentError> {
        let (mut plans, mut used) = used_shapes(batch, owners);
        // The most frequent shapes first: not all of them can be listed.
        used.sort_by_key(|shape| Reverse(plans.get(*shape).map_or(0, |plan| plan.uses)));
        let mut fields = place_fields(batch, &mut plans, &used);
        let uses = self.number_shapes(batch, &fields, (&mut plans, &used));
        let text = |field: &Gathered| {
            (
                batch.strings().get(field.field.key).to_owned(),
                field.field.value_type,
            )
        };
        let prefix = self.prefix;
        let columns = self.columns.get_or_insert_with(|| {
            let candidates = fields.iter().map(text).zip(uses).collect();
            choose_columns(candidates, prefix)
        });
        let place_of: HashMap<FieldName, usize, RandomState> = fields
            .iter()
            .enumerate()
            .map(|(at, field)| (text(field), at))
            .collect();
        let place_of: Vec<Option<usize>> = columns
            .iter()
            .map(|chosen| place_of.get(&chosen.field).copied())
            .collect();
        for at in place_of.iter().flatten() {
            if let Some(field) = fields.get_mut(*at) {
                field.has_column = true;
            }
        }
        let mut gathered = AttributeColumns {
            fields,
            place_of,
            shapes: Vec::with_capacity(owners.len()),
            rest_rows: Vec::new(),
            rest: Vec::new(),
            rest_keys: Vec::new(),
        };
        for (row, owner) in owners.iter().enumerate() {
            let plan = plans
                .get(owner.shape.0 as usize)
                .filter(|plan| plan.uses > 0);
            let plan = plan.map_or((SHAPE_NONE, [].as_slice()), |plan| {
                (plan.number, plan.places.as_slice())
            });
            gathered.put_row(batch, row as u32, *owner, plan);
        }
        gathered.rest_keys = (0..gathered.rest.len() as u64).collect();
        self.has_rest |= !gathered.rest.is_empty();
        self.decide_forms(batch, &gathered)?;
        Ok(gathered)
    }

    /// Gives shapes their numbers in the file; what can't be listed is all in the rest. Gives how many rows of listed
    /// shapes have each field.
    fn number_shapes(
        &mut self,
        batch: &SpanBatch,
        fields: &[Gathered],
        (plans, used): (&mut [Plan], &[usize]),
    ) -> Vec<u64> {
        let mut uses = vec![0; fields.len()];
        for shape in used {
            let Some(plan) = plans.get_mut(*shape).filter(|plan| !plan.places.is_empty()) else {
                continue;
            };
            plan.number = self.number_of(batch, fields, &plan.places);
            if plan.number == SHAPE_REST {
                continue;
            }
            for (field, _) in plan.places.iter().filter(|(_, is_first)| *is_first) {
                if let Some(of_field) = uses.get_mut(*field as usize) {
                    *of_field += plan.uses;
                }
            }
        }
        uses
    }

    fn number_of(&mut self, batch: &SpanBatch, fields: &[Gathered], places: &[(u32, bool)]) -> u64 {
        let is_short = places.len() <= SHAPE_FIELDS_MAX;
        let has_room = self.layout.shapes.len() < SHAPES_MAX
            && self.shape_fields + places.len() <= SHAPE_FIELDS_SUM_MAX;
        let mut shape = Vec::with_capacity(places.len());
        for (at, _) in places.iter().take(if is_short { usize::MAX } else { 0 }) {
            let Some(field) = fields.get(*at as usize).map(|field| field.field) else {
                continue;
            };
            let name = (batch.strings().get(field.key).to_owned(), field.value_type);
            match self.field_of.get(&name) {
                Some(known) => shape.push(*known),
                None if has_room => shape.push(self.add_field(name)),
                None => return SHAPE_REST,
            }
        }
        if let Some(known) = self.shape_of.get(&shape) {
            return *known;
        }
        if !is_short || !has_room {
            return SHAPE_REST;
        }
        let number = SHAPE_LISTED + self.layout.shapes.len() as u64;
        self.shape_fields += shape.len();
        self.layout.shapes.push(shape.clone());
        self.shape_of.insert(shape, number);
        number
    }

    fn add_field(&mut self, name: FieldName) -> u32 {
        let at = self.layout.fields.len() as u32;
        self.layout.fields.push(Field {
            key: name.0.clone(),
            value_type: name.1,
            column: None,
        });
        self.field_of.insert(name, at);
        at
    }

    /// Decides of each text column whether its cells are UUIDs; later row groups must follow.
    fn decide_forms(
        &mut self,
        batch: &SpanBatch,
        gathered: &AttributeColumns,
    ) -> Result<(), SegmentError> {
        let strings = batch.strings();
        let is_uuid = |bits: &u64| uuid_bytes(strings.get_bytes(Symbol(*bits as u32))).is_some();
        for (chosen, place) in self.columns.iter_mut().flatten().zip(&gathered.place_of) {
            let field = place.and_then(|at| gathered.fields.get(at));
            let bits = field.map_or([].as_slice(), |field| &field.bits);
            let is_text = chosen.field.1 == ValueType::String;
            match chosen.is_uuid {
                None => {
                    chosen.is_uuid = Some(is_text && !bits.is_empty() && bits.iter().all(is_uuid));
                }
                Some(true) if !bits.iter().all(is_uuid) => {
                    let what = format!("column \"{}\" has a value that is no UUID", chosen.name);
                    return Err(SegmentError::bug(what));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// The columns of a row group: shape, one per field that was chosen, the rest.
    pub(crate) fn columns<'a>(
        &self,
        gathered: &'a AttributeColumns,
        batch: &'a SpanBatch,
    ) -> Vec<TableColumn<'a>> {
        let shapes = &gathered.shapes;
        let mut columns = vec![TableColumn {
            name: SHAPE_COLUMN.to_owned(),
            plain: Plain::Int32,
            prefer: Prefer::DictionaryOr(PageEncoding::Plain),
            meaning: Meaning::Unsigned32,
            source: Source::Every(Box::new(|row| shapes.get(row).copied().unwrap_or_default())),
        }];
        for (chosen, place) in self.columns.iter().flatten().zip(&gathered.place_of) {
            let (plain, prefer, meaning) = chosen.form(batch);
            let field = place.and_then(|at| gathered.fields.get(at));
            let (rows, keys) = field.map_or(([].as_slice(), [].as_slice()), |field| {
                (&field.rows, &field.bits)
            });
            columns.push(TableColumn {
                name: chosen.name.clone(),
                plain,
                prefer,
                meaning,
                source: Source::Listed { rows, keys },
            });
        }
        if self.has_rest {
            columns.push(TableColumn {
                name: REST_COLUMN.to_owned(),
                plain: Plain::Bytes(&gathered.rest),
                prefer: Prefer::Only(PageEncoding::Plain),
                meaning: Meaning::None,
                source: Source::Listed {
                    rows: &gathered.rest_rows,
                    keys: &gathered.rest_keys,
                },
            });
        }
        columns
    }

    /// What the footer says.
    pub(crate) fn into_layout(mut self) -> Layout {
        for chosen in self.columns.into_iter().flatten() {
            let at = self.field_of.get(&chosen.field);
            let field = at.and_then(|at| self.layout.fields.get_mut(*at as usize));
            if let Some(field) = field {
                field.column = Some(chosen.name);
            }
        }
        self.layout
    }
}

/// Plans by shape of the batch, and the shapes that occur, in order of their first row.
fn used_shapes(batch: &SpanBatch, owners: &[Attributes]) -> (Vec<Plan>, Vec<usize>) {
    let mut plans = vec![Plan::default(); batch.shapes().len()];
    let mut used = Vec::new();
    for owner in owners {
        let shape = owner.shape.0 as usize;
        if let Some(plan) = plans.get_mut(shape) {
            if plan.uses == 0 {
                used.push(shape);
            }
            plan.uses += 1;
        }
    }
    (plans, used)
}

/// The distinct fields of the shapes that are used, in order of first use; fills the plans' places.
fn place_fields(batch: &SpanBatch, plans: &mut [Plan], used: &[usize]) -> Vec<Gathered> {
    let mut fields: Vec<Gathered> = Vec::new();
    let mut known: HashMap<FieldOfShape, u32, RandomState> = HashMap::default();
    let mut seen: HashSet<u32, RandomState> = HashSet::default();
    for shape in used {
        let Some(plan) = plans.get_mut(*shape) else {
            continue;
        };
        seen.clear();
        for field in batch.shapes().fields(ShapeId(*shape as u32)) {
            let at = *known.entry(*field).or_insert_with(|| {
                let (rows, bits, rest_rows, rest_bits) = Default::default();
                fields.push(Gathered {
                    field: *field,
                    rows,
                    bits,
                    rest_rows,
                    rest_bits,
                    has_column: false,
                });
                fields.len() as u32 - 1
            });
            plan.places.push((at, seen.insert(at)));
        }
    }
    fields
}

/// The columns of the most frequent fields, in the order of the fields. The most frequent type of a key has the key's
/// plain name.
fn choose_columns(fields: Vec<(FieldName, u64)>, prefix: &str) -> Vec<Chosen> {
    let mut order: Vec<usize> = (0..fields.len()).collect();
    order.retain(|at| {
        fields.get(*at).is_some_and(|((key, value_type), uses)| {
            let is_short = key.len() <= COLUMN_KEY_BYTES_MAX;
            *uses > 0 && *value_type != ValueType::Empty && is_short
        })
    });
    order.sort_by_key(|at| {
        let field = fields.get(*at);
        field.map(|((key, value_type), uses)| (Reverse(*uses), key, *value_type))
    });
    let mut names: HashSet<String, RandomState> = HashSet::default();
    let mut name_of: Vec<Option<String>> = vec![None; fields.len()];
    for at in order.into_iter().take(COLUMNS_MAX) {
        let (Some(((key, value_type), _)), Some(slot)) = (fields.get(at), name_of.get_mut(at))
        else {
            continue;
        };
        let plain = format!("{prefix}{key}");
        let typed = format!("{plain}:{}", type_name(*value_type));
        // A key may look like another key with its type.
        let numbered = (2..).map(|n| format!("{typed}#{n}"));
        *slot = [plain.clone(), typed.clone()]
            .into_iter()
            .chain(numbered)
            .find(|name| !names.contains(name));
        names.extend(slot.clone());
    }
    let chosen = |((field, _), name): ((FieldName, u64), Option<String>)| {
        Some(Chosen {
            field,
            name: name?,
            is_uuid: None,
        })
    };
    fields.into_iter().zip(name_of).filter_map(chosen).collect()
}

impl AttributeColumns {
    fn put_row(
        &mut self,
        batch: &SpanBatch,
        row: u32,
        owner: Attributes,
        plan: (u64, &[(u32, bool)]),
    ) {
        let (number, places) = plan;
        self.shapes.push(number);
        let mut rest = Vec::new();
        for ((at, is_first), (field, bits)) in places.iter().zip(batch.packed_attributes(owner)) {
            let Some(gathered) = self.fields.get_mut(*at as usize) else {
                continue;
            };
            if *is_first && gathered.has_column && number != SHAPE_REST {
                gathered.rows.push(row);
                gathered.bits.push(bits);
                continue;
            }
            gathered.rest_rows.push(row);
            gathered.rest_bits.push(bits);
            if field.value_type != ValueType::Empty || number == SHAPE_REST {
                put_rest(
                    batch.strings().get(field.key),
                    packed_value(batch, field.value_type, bits),
                    &mut rest,
                );
            }
        }
        if !rest.is_empty() {
            self.rest_rows.push(row);
            self.rest.push(rest);
        }
    }
}

impl Chosen {
    fn form<'a>(&self, batch: &'a SpanBatch) -> (Plain<'a>, Prefer, Meaning) {
        let strings = batch.strings();
        match self.field.1 {
            ValueType::String => {
                let prefer = Prefer::DictionaryOr(PageEncoding::Plain);
                if self.is_uuid == Some(true) {
                    (Plain::Uuid(strings), prefer, Meaning::Uuid)
                } else {
                    (Plain::Text(strings), prefer, Meaning::Text)
                }
            }
            ValueType::Bool => (
                Plain::Bool,
                Prefer::Only(PageEncoding::Plain),
                Meaning::None,
            ),
            ValueType::Int => (
                Plain::Int64,
                Prefer::DictionaryOr(PageEncoding::Split),
                Meaning::None,
            ),
            ValueType::Double => (
                Plain::Double,
                Prefer::Only(PageEncoding::Split),
                Meaning::None,
            ),
            ValueType::Empty | ValueType::Array | ValueType::Map | ValueType::Bytes => (
                Plain::Blob(batch.blobs()),
                Prefer::Only(PageEncoding::Plain),
                Meaning::None,
            ),
        }
    }
}

/// A value of a batch as a decoder would give it.
pub(crate) fn packed_value(batch: &SpanBatch, value_type: ValueType, bits: u64) -> PackedValue<'_> {
    match value_type {
        ValueType::Empty => PackedValue::Empty,
        ValueType::String => PackedValue::String(batch.strings().get_bytes(Symbol(bits as u32))),
        ValueType::Bool => PackedValue::Bool(bits != 0),
        ValueType::Int => PackedValue::Int(bits.cast_signed()),
        ValueType::Double => PackedValue::Double(f64::from_bits(bits)),
        ValueType::Array => PackedValue::Array(batch.blobs().get(bits)),
        ValueType::Map => PackedValue::Map(batch.blobs().get(bits)),
        ValueType::Bytes => PackedValue::Bytes(batch.blobs().get(bits)),
    }
}
