//! The attributes of a file's rows, turned from lists per row into columns per key and type.
//!
//! Promises: equal input gives equal columns, names and shape numbers; memory is what the values take (12 bytes each).
//! Limits: see the constants. What is over them stays exact, in `attrs_rest`.

#![allow(
    clippy::cast_possible_truncation,
    reason = "rows, fields and shapes of a segment are far below 2^32"
)]

use std::cmp::Reverse;

use foldhash::fast::RandomState;
use hashbrown::{HashMap, HashSet};
use model::ValueType;
use model::batch::{Attributes, FieldOfShape, PackedValue, ShapeId, SpanBatch, Symbol};

use super::chunk::Prefer;
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

/// The values of one key and type.
#[derive(Debug)]
pub(crate) struct Gathered {
    pub field: FieldOfShape,
    /// Rows, ascending, and values of the column.
    pub rows: Vec<u32>,
    pub bits: Vec<u64>,
    /// Rows, ascending, and values that are in the rest, or that have no value.
    pub rest_rows: Vec<u32>,
    pub rest_bits: Vec<u64>,
    name: Option<String>,
}

/// The attributes of all rows of a file.
#[derive(Debug)]
pub(crate) struct AttributeColumns {
    pub fields: Vec<Gathered>,
    pub layout: Layout,
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

/// Gathers the attributes of `owners`, which are the rows of a file. Column names begin with `prefix`.
pub(crate) fn gather(batch: &SpanBatch, owners: &[Attributes], prefix: &str) -> AttributeColumns {
    let (mut plans, mut used) = used_shapes(batch, owners);
    number_shapes(batch, &mut plans, &mut used);
    let (mut fields, shapes) = fields_of(batch, &mut plans, &used);
    choose_columns(batch, &mut fields, prefix);
    let listed = fields
        .iter()
        .filter(|(_, uses)| *uses > 0)
        .map(|(gathered, _)| described(batch, gathered));
    let layout = Layout {
        fields: listed.collect(),
        shapes,
    };
    let mut columns = AttributeColumns {
        fields: fields.into_iter().map(|(gathered, _)| gathered).collect(),
        layout,
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
        columns.put_row(batch, row as u32, *owner, plan);
    }
    columns.rest_keys = (0..columns.rest.len() as u64).collect();
    columns
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

/// Gives the most frequent shapes numbers and puts them first; the others' rows are all in the rest.
fn number_shapes(batch: &SpanBatch, plans: &mut [Plan], used: &mut Vec<usize>) {
    used.sort_by_key(|shape| Reverse(plans.get(*shape).map_or(0, |plan| plan.uses)));
    let (mut listed, mut others, mut sum) = (Vec::new(), Vec::new(), 0);
    for shape in used.drain(..) {
        let length = batch.shapes().fields(ShapeId(shape as u32)).len();
        let fits = listed.len() < SHAPES_MAX
            && length <= SHAPE_FIELDS_MAX
            && sum + length <= SHAPE_FIELDS_SUM_MAX;
        let Some(plan) = plans.get_mut(shape).filter(|_| length > 0) else {
            continue;
        };
        if fits {
            plan.number = SHAPE_LISTED + listed.len() as u64;
            listed.push(shape);
            sum += length;
        } else {
            plan.number = SHAPE_REST;
            others.push(shape);
        }
    }
    used.append(&mut listed);
    used.append(&mut others);
}

/// The distinct fields with the number of rows of listed shapes that have them, in order of first use, and the listed
/// shapes as lists of fields; fills the plans' places.
fn fields_of(
    batch: &SpanBatch,
    plans: &mut [Plan],
    used: &[usize],
) -> (Vec<(Gathered, u64)>, Vec<Vec<u32>>) {
    let (mut fields, mut shapes) = (Vec::<(Gathered, u64)>::new(), Vec::new());
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
                fields.push((
                    Gathered {
                        field: *field,
                        rows,
                        bits,
                        rest_rows,
                        rest_bits,
                        name: None,
                    },
                    0,
                ));
                fields.len() as u32 - 1
            });
            let is_first = seen.insert(at);
            if let Some((_, uses)) = fields
                .get_mut(at as usize)
                .filter(|_| is_first && plan.number != SHAPE_REST)
            {
                *uses += plan.uses;
            }
            plan.places.push((at, is_first));
        }
        if plan.number != SHAPE_REST {
            shapes.push(plan.places.iter().map(|(field, _)| *field).collect());
        }
    }
    (fields, shapes)
}

/// Names the columns of the most frequent fields. The most frequent type of a key has the key's plain name.
fn choose_columns(batch: &SpanBatch, fields: &mut [(Gathered, u64)], prefix: &str) {
    let text = |symbol: Symbol| batch.strings().get(symbol);
    let mut order: Vec<usize> = (0..fields.len()).collect();
    order.retain(|at| {
        fields.get(*at).is_some_and(|(gathered, uses)| {
            let is_short = text(gathered.field.key).len() <= COLUMN_KEY_BYTES_MAX;
            *uses > 0 && gathered.field.value_type != ValueType::Empty && is_short
        })
    });
    order.sort_by_key(|at| {
        let field = fields.get(*at);
        field.map(|(gathered, uses)| {
            (
                Reverse(*uses),
                text(gathered.field.key),
                gathered.field.value_type,
            )
        })
    });
    let mut names: HashSet<String, RandomState> = HashSet::default();
    for at in order.into_iter().take(COLUMNS_MAX) {
        let Some((gathered, _)) = fields.get_mut(at) else {
            continue;
        };
        let plain = format!("{prefix}{}", text(gathered.field.key));
        let typed = format!("{plain}:{}", type_name(gathered.field.value_type));
        // A key may look like another key with its type.
        let numbered = (2..).map(|n| format!("{typed}#{n}"));
        let name = [plain.clone(), typed.clone()]
            .into_iter()
            .chain(numbered)
            .find(|name| !names.contains(name));
        if let Some(name) = name {
            names.insert(name.clone());
            gathered.name = Some(name);
        }
    }
}

fn described(batch: &SpanBatch, gathered: &Gathered) -> Field {
    Field {
        key: batch.strings().get(gathered.field.key).to_owned(),
        value_type: gathered.field.value_type,
        column: gathered.name.clone(),
    }
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
            if *is_first && gathered.name.is_some() && number != SHAPE_REST {
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

    /// The columns to write: shape, one per named field, the rest if there is any.
    pub(crate) fn columns<'a>(&'a self, batch: &'a SpanBatch) -> Vec<TableColumn<'a>> {
        let shapes = &self.shapes;
        let mut columns = vec![TableColumn {
            name: SHAPE_COLUMN.to_owned(),
            plain: Plain::Int32,
            prefer: Prefer::DictionaryOr(PageEncoding::Plain),
            meaning: Meaning::Unsigned32,
            source: Source::Every(Box::new(|row| shapes.get(row).copied().unwrap_or_default())),
        }];
        for gathered in &self.fields {
            let Some(name) = &gathered.name else { continue };
            let (plain, prefer, meaning) = form(batch, gathered);
            let source = Source::Listed {
                rows: &gathered.rows,
                keys: &gathered.bits,
            };
            columns.push(TableColumn {
                name: name.clone(),
                plain,
                prefer,
                meaning,
                source,
            });
        }
        if !self.rest.is_empty() {
            columns.push(TableColumn {
                name: REST_COLUMN.to_owned(),
                plain: Plain::Bytes(&self.rest),
                prefer: Prefer::Only(PageEncoding::Plain),
                meaning: Meaning::None,
                source: Source::Listed {
                    rows: &self.rest_rows,
                    keys: &self.rest_keys,
                },
            });
        }
        columns
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

fn form<'a>(batch: &'a SpanBatch, gathered: &Gathered) -> (Plain<'a>, Prefer, Meaning) {
    let strings = batch.strings();
    match gathered.field.value_type {
        ValueType::String => {
            let is_uuid =
                |bits: &u64| uuid_bytes(strings.get_bytes(Symbol(*bits as u32))).is_some();
            let all_uuids = !gathered.bits.is_empty() && gathered.bits.iter().all(is_uuid);
            let prefer = Prefer::DictionaryOr(PageEncoding::Plain);
            if all_uuids {
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
