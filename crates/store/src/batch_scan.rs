//! Evaluates a predicate over all rows of a batch: the same meaning as `model::evaluate`, at a fraction of the cost.
//!
//! What is the same for many rows is decided once: a text per symbol, a resource or scope per table row, where a key
//! stands per shape. Most rows then cost a few array look-ups. Fields that are rare in questions are left to
//! [`evaluate::holds`], row by row; a property test holds the two against each other.

use model::batch::{Attributes, SpanBatch, SpanRef, Symbol};
use model::value::ValueType;
use model::{Field, Place};

use model::evaluate::{Compiled, Node, Test, holds, passes};

/// Tells whether some span of a batch could match; `false` is certain.
pub(crate) fn may_match(compiled: &Compiled, batch: &SpanBatch) -> bool {
    if plumbing::planted("store-head-skips-batches") {
        return !compiled.requires_a_text();
    }
    compiled.may_match(batch)
}

/// A predicate bound to one batch.
#[derive(Debug)]
pub(crate) struct BatchScan<'a> {
    batch: &'a SpanBatch,
    root: Bound<'a>,
}

/// What is known of something that many rows share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    Not,
    No,
    Yes,
}

impl Known {
    fn of(is: bool) -> Self {
        if is { Self::Yes } else { Self::No }
    }
}

#[derive(Debug)]
enum Bound<'a> {
    Constant(bool),
    And(Vec<Bound<'a>>),
    Or(Vec<Bound<'a>>),
    Not(Box<Bound<'a>>),
    /// One of the columns of symbols.
    Text {
        column: &'a [Symbol],
        texts: Texts<'a>,
    },
    /// By resource row.
    Resource(Vec<bool>),
    /// A number of the span.
    Number {
        column: Column<'a>,
        test: &'a Test,
    },
    Attribute(Box<AttributeScan<'a>>),
    /// Left to the row evaluator.
    Row(&'a Node),
}

#[derive(Debug)]
enum Column<'a> {
    Small(&'a [i32]),
    Duration(&'a [u64], &'a [u64]),
}

/// A test on texts, decided once a symbol.
#[derive(Debug)]
struct Texts<'a> {
    test: &'a Test,
    known: Vec<Known>,
}

impl<'a> Texts<'a> {
    fn new(test: &'a Test, batch: &SpanBatch) -> Self {
        Self {
            test,
            known: vec![Known::Not; batch.strings().len()],
        }
    }

    fn passes(&mut self, batch: &SpanBatch, symbol: Symbol) -> bool {
        let Some(slot) = self.known.get_mut(symbol.0 as usize) else {
            return false;
        };
        if *slot == Known::Not {
            let value = model::batch::AttrValue::String(batch.strings().get(symbol));
            *slot = Known::of(passes(&value, self.test));
        }
        *slot == Known::Yes
    }
}

/// A test on an attribute, or on its being there.
#[derive(Debug)]
struct AttributeScan<'a> {
    key: Symbol,
    texts: Option<Texts<'a>>,
    /// Places of the key by shape; filled when a shape is met.
    places: Vec<Option<Box<[u32]>>>,
    /// By resource row and scope row: decided beforehand.
    resources: Vec<bool>,
    scopes: Vec<bool>,
    on_span: bool,
    on_events: bool,
    on_links: bool,
}

impl<'a> BatchScan<'a> {
    pub(crate) fn new(compiled: &'a Compiled, batch: &'a SpanBatch) -> Self {
        Self {
            batch,
            root: bind(compiled.root(), batch),
        }
    }

    /// Tells whether a row satisfies the predicate.
    pub(crate) fn matches(&mut self, row: usize) -> bool {
        self.root.holds(self.batch, row)
    }
}

fn bind<'a>(node: &'a Node, batch: &'a SpanBatch) -> Bound<'a> {
    let all = |nodes: &'a [Node]| nodes.iter().map(|one| bind(one, batch)).collect();
    let spans = batch.spans();
    match node {
        Node::All => Bound::Constant(true),
        Node::And(nodes) => Bound::And(all(nodes)),
        Node::Or(nodes) => Bound::Or(all(nodes)),
        Node::Not(one) => Bound::Not(Box::new(bind(one, batch))),
        Node::Exists(Field::Attribute { place, key }) => {
            bind_attribute(*place, key, None, node, batch)
        }
        Node::Exists(_) => Bound::Row(node),
        Node::Compare(field, test) => {
            let text = |column: &'a [Symbol]| Bound::Text {
                column,
                texts: Texts::new(test, batch),
            };
            match field {
                Field::Name => text(&spans.name),
                Field::StatusMessage => text(&spans.status_message),
                Field::TraceState => text(&spans.trace_state),
                Field::Kind => Bound::Number {
                    column: Column::Small(&spans.kind),
                    test,
                },
                Field::Status => Bound::Number {
                    column: Column::Small(&spans.status),
                    test,
                },
                Field::Duration => Bound::Number {
                    column: Column::Duration(&spans.start, &spans.end),
                    test,
                },
                Field::Service => {
                    Bound::Resource(by_resource(batch, |service| passes(&service, test)))
                }
                Field::Attribute { place, key } => {
                    bind_attribute(*place, key, Some(test), node, batch)
                }
                _ => Bound::Row(node),
            }
        }
    }
}

fn by_resource(batch: &SpanBatch, test: impl Fn(model::batch::AttrValue<'_>) -> bool) -> Vec<bool> {
    let rows = 0..u32::try_from(batch.resources().len()).unwrap_or(u32::MAX);
    rows.map(|row| {
        test(model::batch::AttrValue::String(
            batch.resource(row).service(),
        ))
    })
    .collect()
}

fn bind_attribute<'a>(
    place: Place,
    key: &str,
    test: Option<&'a Test>,
    node: &'a Node,
    batch: &'a SpanBatch,
) -> Bound<'a> {
    let Some(key) = batch.strings().find(key) else {
        return Bound::Constant(false);
    };
    if key == Symbol::EMPTY {
        // The empty key is in every table; rare enough to be judged row by row.
        return Bound::Row(node);
    }
    let mut scan = AttributeScan {
        key,
        texts: test.map(|test| Texts::new(test, batch)),
        places: vec![None; batch.shapes().len()],
        resources: Vec::new(),
        scopes: Vec::new(),
        on_span: matches!(place, Place::Anywhere | Place::Span),
        on_events: matches!(place, Place::Anywhere | Place::Event)
            && !batch.events().time.is_empty(),
        on_links: matches!(place, Place::Anywhere | Place::Link)
            && !batch.links().trace_id.is_empty(),
    };
    if matches!(place, Place::Anywhere | Place::Resource) {
        let rows = batch.resources().iter().map(|row| row.attributes);
        scan.resources = rows
            .map(|attributes| scan.passes(batch, attributes))
            .collect();
    }
    if matches!(place, Place::Anywhere | Place::Scope) {
        let rows = batch.scopes().iter().map(|row| row.attributes);
        scan.scopes = rows
            .map(|attributes| scan.passes(batch, attributes))
            .collect();
    }
    Bound::Attribute(Box::new(scan))
}

impl AttributeScan<'_> {
    /// Tells whether some attributes have the key with a value that passes.
    fn passes(&mut self, batch: &SpanBatch, attributes: Attributes) -> bool {
        let Some(slot) = self.places.get_mut(attributes.shape.0 as usize) else {
            return false;
        };
        let key = self.key;
        let places = slot.get_or_insert_with(|| {
            let fields = batch.shapes().fields(attributes.shape).iter().enumerate();
            let found = fields.filter(|(_, field)| field.key == key);
            found
                .map(|(at, _)| u32::try_from(at).unwrap_or(u32::MAX))
                .collect()
        });
        if places.is_empty() {
            return false;
        }
        let Some(texts) = &mut self.texts else {
            return true;
        };
        let fields = batch.shapes().fields(attributes.shape);
        places.iter().any(|&at| {
            let bits = batch
                .values()
                .get(attributes.first_value as usize + at as usize)
                .copied()
                .unwrap_or(0);
            match fields.get(at as usize).map(|field| field.value_type) {
                Some(ValueType::String) => {
                    #[allow(
                        clippy::cast_possible_truncation,
                        reason = "a symbol's bits were made from 32 bits"
                    )]
                    let symbol = Symbol(bits as u32);
                    texts.passes(batch, symbol)
                }
                Some(other) => passes(&batch.unpack(other, bits), texts.test),
                None => false,
            }
        })
    }

    fn holds(&mut self, batch: &SpanBatch, row: usize, span: SpanRef<'_>) -> bool {
        let spans = batch.spans();
        let shared = |rows: &[u32], table: &[bool]| {
            rows.get(row)
                .and_then(|at| table.get(*at as usize))
                .copied()
                .unwrap_or(false)
        };
        self.on_span && self.passes(batch, span.packed())
            || shared(&spans.resource, &self.resources)
            || shared(&spans.scope, &self.scopes)
            || self.on_events
                && span
                    .events()
                    .any(|event| self.passes(batch, event.packed()))
            || self.on_links && span.links().any(|link| self.passes(batch, link.packed()))
    }
}

impl Bound<'_> {
    fn holds(&mut self, batch: &SpanBatch, row: usize) -> bool {
        let spans = batch.spans();
        match self {
            Self::Constant(is) => *is,
            Self::And(all) => all.iter_mut().all(|one| one.holds(batch, row)),
            Self::Or(any) => any.iter_mut().any(|one| one.holds(batch, row)),
            Self::Not(one) => !one.holds(batch, row),
            Self::Text { column, texts } => column
                .get(row)
                .is_some_and(|symbol| texts.passes(batch, *symbol)),
            Self::Resource(table) => spans
                .resource
                .get(row)
                .and_then(|at| table.get(*at as usize))
                .copied()
                .unwrap_or(false),
            Self::Number { column, test } => {
                let number = match column {
                    Column::Small(numbers) => numbers.get(row).copied().map(i64::from),
                    Column::Duration(starts, ends) => starts
                        .get(row)
                        .zip(ends.get(row))
                        .map(|(start, end)| end.wrapping_sub(*start).cast_signed()),
                };
                number.is_some_and(|number| passes(&model::batch::AttrValue::Int(number), test))
            }
            Self::Attribute(scan) => batch
                .span(row)
                .is_some_and(|span| scan.holds(batch, row, span)),
            Self::Row(node) => batch.span(row).is_some_and(|span| holds(span, node)),
        }
    }
}
