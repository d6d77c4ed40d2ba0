//! From a query to what a store is asked.
//!
//! Every part is lowered to two predicates: one that holds for at least the spans of the part, and one that holds for
//! at most those. Where both are the same the part is exact. `!` changes their places, so what can't be said exactly
//! is wide enough under any nesting: of a part of which nothing is known, the first is all spans and the second none.
//!
//! Promises
//! - The predicate of [`Lowered`] holds for every span that the query holds for, and for no other where it is exact.
//! - It is a function of the query alone, apart from [`Arrays`].
//!
//! A store can't say: facts of the trace (root, counts, times), children, times of events, a field compared with a
//! field, arithmetic with fields, order and patterns of ids, elements of arrays. What follows from the literals alone
//! is computed first.
//!
//! Read next: `judge.rs` for the spans of a trace that a query holds for.

use std::collections::HashMap;

use model::seen::SeenAnswer;
use model::value::ValueType;
use model::{Field as Column, Literal as Cell, Operator, Place, Predicate, SpanId, TraceId};

use crate::ast::{CompareOp, Expr, Field, Literal, Node, Query};
use crate::diagnostic::{Diagnostic, Severity};
use crate::fields::{Intrinsic, SERVICE_NAME, Scope};
use crate::value::{Constant, Value, compare, constant};
use crate::{check, pattern};

/// What a store is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Lowered {
    /// Holds for every span that the query holds for.
    pub predicate: Predicate,
    /// Whether it holds for no other; if not, the traces that are found must be judged by [`crate::Judge`].
    pub is_exact: bool,
}

/// Which attributes may be arrays. A comparison with an attribute that may be one is lowered to the attribute being
/// there at all, since a predicate does not look into arrays.
#[derive(Clone, Copy)]
pub enum Arrays<'a> {
    /// No attribute is an array.
    Nowhere,
    /// Every attribute may be one.
    Anywhere,
    /// Those for which this says so, by place and key: see [`KnownArrays`]. Never asked for [`Place::Anywhere`].
    Where(&'a dyn Fn(Place, &str) -> bool),
}

impl std::fmt::Debug for Arrays<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Nowhere => "Nowhere",
            Self::Anywhere => "Anywhere",
            Self::Where(_) => "Where(..)",
        })
    }
}

/// The attributes that are arrays somewhere in a store; for [`Arrays::Where`].
#[derive(Debug, Clone, Default)]
pub struct KnownArrays {
    /// By key, where it stands.
    places: HashMap<String, Vec<Place>>,
    /// Whether there may be others, since not all keys are known.
    has_others: bool,
}

impl KnownArrays {
    /// Takes them from what a store has seen.
    #[must_use]
    pub fn of(seen: &SeenAnswer) -> Self {
        let mut places: HashMap<String, Vec<Place>> = HashMap::new();
        let arrays = seen
            .keys
            .iter()
            .filter(|key| key.value_type == ValueType::Array);
        for key in arrays {
            places.entry(key.key.clone()).or_default().push(key.place);
        }
        Self {
            places,
            has_others: !seen.has_all_keys || !seen.skipped.is_empty(),
        }
    }

    /// Whether an attribute may be an array.
    #[must_use]
    pub fn may_be(&self, place: Place, key: &str) -> bool {
        self.has_others
            || self
                .places
                .get(key)
                .is_some_and(|places| places.contains(&place))
    }
}

/// Lowers a query, taking every attribute for one that may be an array; [`lower_with`] knows better.
///
/// # Errors
/// The first thing that is wrong with a query that did not come from [`crate::parse`].
pub fn lower(query: &Query) -> Result<Lowered, Diagnostic> {
    lower_with(query, Arrays::Anywhere)
}

/// Lowers a query.
///
/// # Errors
/// The first thing that is wrong with a query that did not come from [`crate::parse`].
pub fn lower_with(query: &Query, arrays: Arrays<'_>) -> Result<Lowered, Diagnostic> {
    checked(query)?;
    let lowered = query.filter.as_ref().map_or_else(
        || Bounds::exact(Predicate::All),
        |filter| Lowerer { arrays }.condition(filter),
    );
    Ok(Lowered {
        is_exact: lowered.is_exact(),
        predicate: lowered.over,
    })
}

/// The first error of a query that may have been made without a text.
pub(crate) fn checked(query: &Query) -> Result<(), Diagnostic> {
    let mut diagnostics = Vec::new();
    check::check(query, &mut diagnostics);
    let is_error = |one: &Diagnostic| one.severity == Severity::Error;
    diagnostics.into_iter().find(is_error).map_or(Ok(()), Err)
}

/// A part between two predicates.
#[derive(Debug, Clone)]
struct Bounds {
    /// Holds for at least the spans of the part.
    over: Predicate,
    /// Holds for at most the spans of the part; `None`: the same.
    under: Option<Predicate>,
}

fn nothing() -> Predicate {
    Predicate::Or(Vec::new())
}

fn and(of: impl IntoIterator<Item = Predicate>) -> Predicate {
    let mut all = Vec::new();
    for one in of {
        match one {
            Predicate::All => {}
            Predicate::And(inner) => all.extend(inner),
            one if one == nothing() => return nothing(),
            one => all.push(one),
        }
    }
    match all.len() {
        0 => Predicate::All,
        1 => all.pop().unwrap_or(Predicate::All),
        _ => Predicate::And(all),
    }
}

fn or(of: impl IntoIterator<Item = Predicate>) -> Predicate {
    let mut any = Vec::new();
    for one in of {
        match one {
            Predicate::All => return Predicate::All,
            Predicate::Or(inner) => any.extend(inner),
            one => any.push(one),
        }
    }
    match any.len() {
        1 => any.pop().unwrap_or(Predicate::All),
        _ => Predicate::Or(any),
    }
}

fn not(of: Predicate) -> Predicate {
    match of {
        Predicate::All => nothing(),
        Predicate::Not(inner) => *inner,
        one if one == nothing() => Predicate::All,
        one => Predicate::Not(Box::new(one)),
    }
}

impl Bounds {
    fn exact(predicate: Predicate) -> Self {
        Self {
            over: predicate,
            under: None,
        }
    }

    fn between(over: Predicate, under: Predicate) -> Self {
        if over == nothing() || under == Predicate::All {
            // One of them says all there is to say.
            return Self::exact(if under == Predicate::All { under } else { over });
        }
        Self {
            over,
            under: Some(under),
        }
    }

    /// At most the spans of a predicate, perhaps none of them.
    fn within(over: Predicate) -> Self {
        Self::between(over, nothing())
    }

    fn is_exact(&self) -> bool {
        self.under.is_none()
    }

    fn joined(of: Vec<Self>, join: impl Fn(Vec<Predicate>) -> Predicate) -> Self {
        if of.iter().all(Self::is_exact) {
            return Self::exact(join(of.into_iter().map(|one| one.over).collect()));
        }
        let (mut over, mut under) = (Vec::new(), Vec::new());
        for one in of {
            under.push(one.under.unwrap_or_else(|| one.over.clone()));
            over.push(one.over);
        }
        Self::between(join(over), join(under))
    }

    fn all(of: Vec<Self>) -> Self {
        Self::joined(of, and)
    }

    fn any(of: Vec<Self>) -> Self {
        Self::joined(of, or)
    }

    fn not(self) -> Self {
        if plumbing::planted("traceql-negated-superset") {
            return Self {
                over: not(self.over),
                under: self.under.map(not),
            };
        }
        match self.under {
            None => Self::exact(not(self.over)),
            Some(under) => Self::between(not(under), not(self.over)),
        }
    }
}

fn operator(op: CompareOp) -> Operator {
    match op {
        CompareOp::Equal => Operator::Equal,
        CompareOp::NotEqual => Operator::NotEqual,
        CompareOp::Greater => Operator::Greater,
        CompareOp::GreaterOrEqual => Operator::GreaterOrEqual,
        CompareOp::Less => Operator::Less,
        CompareOp::LessOrEqual => Operator::LessOrEqual,
        CompareOp::Matches => Operator::Matches,
        CompareOp::MatchesNot => Operator::MatchesNot,
    }
}

fn column(place: Place, key: &str) -> Column {
    Column::Attribute {
        place,
        key: key.to_owned(),
    }
}

/// Holds for the spans that have the attribute.
fn presence(scope: Scope, key: &str) -> Predicate {
    let at = |place| Predicate::Exists(column(place, key));
    match scope {
        _ if key == SERVICE_NAME && matches!(scope, Scope::Either | Scope::Resource) => {
            Predicate::All
        }
        Scope::Either => or([at(Place::Span), at(Place::Resource)]),
        Scope::Span => at(Place::Span),
        Scope::Resource => at(Place::Resource),
        Scope::Event => at(Place::Event),
        Scope::Link => at(Place::Link),
        Scope::Instrumentation => at(Place::Scope),
    }
}

struct Lowerer<'a> {
    arrays: Arrays<'a>,
}

impl Lowerer<'_> {
    fn condition(&self, expr: &Expr) -> Bounds {
        match &expr.node {
            Node::All(of) => Bounds::all(of.iter().map(|one| self.condition(one)).collect()),
            Node::Any(of) => Bounds::any(of.iter().map(|one| self.condition(one)).collect()),
            Node::Not(of) => self.condition(of).not(),
            Node::Compare(op, left, right) => self.comparison(*op, left, right),
            Node::Field(field) => self.field(field, CompareOp::Equal, &Value::Bool(true)),
            Node::Literal(Literal::Bool(true)) => Bounds::exact(Predicate::All),
            // No condition; a query that was checked has none.
            Node::Literal(_) | Node::Negative(_) | Node::Arith(..) => Bounds::exact(nothing()),
        }
    }

    fn comparison(&self, op: CompareOp, left: &Expr, right: &Expr) -> Bounds {
        match (&left.node, &right.node) {
            (Node::Literal(Literal::Nil), Node::Field(field))
            | (Node::Field(field), Node::Literal(Literal::Nil)) => return nil(op, field),
            _ => {}
        }
        match (constant(left), constant(right)) {
            (Constant::Nothing, _) | (_, Constant::Nothing) => Bounds::exact(nothing()),
            (Constant::Value(left), Constant::Value(right)) => {
                let regex = right
                    .text()
                    .filter(|_| op.is_pattern())
                    .and_then(|pattern| pattern::compile(&pattern).ok());
                let holds = compare(op, &[left], &[right], regex.as_ref());
                Bounds::exact(if holds { Predicate::All } else { nothing() })
            }
            (Constant::Depends, Constant::Value(value)) => match &left.node {
                Node::Field(field) => self.field(field, op, &value),
                _ => Bounds::within(needed(left)),
            },
            // A pattern stands on the right.
            (Constant::Value(value), Constant::Depends) if !op.is_pattern() => match &right.node {
                Node::Field(field) => self.field(field, op.turned(), &value),
                _ => Bounds::within(needed(right)),
            },
            _ => Bounds::within(and([needed(left), needed(right)])),
        }
    }

    fn field(&self, field: &Field, op: CompareOp, value: &Value<'_>) -> Bounds {
        match field {
            Field::Intrinsic(intrinsic) => self::intrinsic(*intrinsic, op, value),
            Field::Attribute { scope, key } => self.attribute(*scope, key, op, value),
        }
    }

    fn attribute(&self, scope: Scope, key: &str, op: CompareOp, value: &Value<'_>) -> Bounds {
        let on_resource = || {
            if key == SERVICE_NAME {
                return one_text(Column::Service, op, value);
            }
            self.attribute_at(Place::Resource, key, op, value)
        };
        match scope {
            Scope::Span => self.attribute_at(Place::Span, key, op, value),
            Scope::Resource => on_resource(),
            Scope::Event => self.attribute_at(Place::Event, key, op, value),
            Scope::Link => self.attribute_at(Place::Link, key, op, value),
            Scope::Instrumentation => self.attribute_at(Place::Scope, key, op, value),
            Scope::Either => {
                let is_absent = not(presence(Scope::Span, key));
                Bounds::any(vec![
                    self.attribute_at(Place::Span, key, op, value),
                    Bounds::all(vec![Bounds::exact(is_absent), on_resource()]),
                ])
            }
        }
    }

    fn attribute_at(&self, place: Place, key: &str, op: CompareOp, value: &Value<'_>) -> Bounds {
        let compared = |operator, cell| Predicate::Compare(column(place, key), operator, cell);
        // What holds for spans with a value of this type, and the value itself.
        let (of_type, cell) = match value {
            Value::Text(text) => (
                compared(Operator::GreaterOrEqual, Cell::String(String::new())),
                Cell::String(text.clone().into_owned()),
            ),
            Value::Int(number) => (any_number(compared), Cell::Int(*number)),
            Value::Float(number) => (any_number(compared), Cell::Double(*number)),
            Value::Bool(is) => (
                or([true, false].map(|one| compared(Operator::Equal, Cell::Bool(one)))),
                Cell::Bool(*is),
            ),
            // No attribute is one of these.
            _ => return Bounds::exact(nothing()),
        };
        let may_be_array = match self.arrays {
            Arrays::Nowhere => false,
            Arrays::Anywhere => true,
            Arrays::Where(knows) => knows(place, key),
        };
        let exists = Predicate::Exists(column(place, key));
        let positive = match op {
            CompareOp::NotEqual => Operator::Equal,
            CompareOp::MatchesNot => Operator::Matches,
            _ => {
                let holds = compared(operator(op), cell);
                return if may_be_array {
                    Bounds::between(exists, holds)
                } else {
                    Bounds::exact(holds)
                };
            }
        };
        if may_be_array {
            return Bounds::within(exists);
        }
        let none = not(compared(positive, cell.clone()));
        if matches!(place, Place::Event | Place::Link) {
            // Any event of which no value is equal: there may be others with an equal one.
            let over = compared(operator(op), cell);
            return Bounds::between(and([of_type.clone(), over]), and([of_type, none]));
        }
        if plumbing::planted("traceql-absent-is-not-equal") {
            return Bounds::exact(none);
        }
        Bounds::exact(and([of_type, none]))
    }
}

/// Holds for spans with a number there, apart from what is not a number.
fn any_number(compared: impl Fn(Operator, Cell) -> Predicate) -> Predicate {
    or([
        compared(Operator::Less, Cell::Int(0)),
        compared(Operator::GreaterOrEqual, Cell::Int(0)),
    ])
}

fn nil(op: CompareOp, field: &Field) -> Bounds {
    let Field::Attribute { scope, key } = field else {
        return Bounds::exact(nothing());
    };
    let exists = presence(*scope, key);
    Bounds::exact(match op {
        CompareOp::Equal => not(exists),
        CompareOp::NotEqual => exists,
        _ => nothing(),
    })
}

/// What spans must have for an operand to have a value.
fn needed(expr: &Expr) -> Predicate {
    match &expr.node {
        Node::Field(Field::Attribute { scope, key }) => presence(*scope, key),
        Node::Field(Field::Intrinsic(intrinsic)) => match intrinsic {
            Intrinsic::EventName | Intrinsic::EventTimeSinceStart => {
                Predicate::Exists(Column::EventName)
            }
            Intrinsic::LinkTraceId | Intrinsic::LinkSpanId => {
                Predicate::Exists(Column::LinkTraceId)
            }
            _ => Predicate::All,
        },
        Node::Negative(of) => needed(of),
        Node::Arith(_, left, right) => and([needed(left), needed(right)]),
        // A condition is true or false whether its fields are there or not.
        _ => Predicate::All,
    }
}

/// A column of text of which each span, or each of its events, has one.
fn one_text(column: Column, op: CompareOp, value: &Value<'_>) -> Bounds {
    let Value::Text(text) = value else {
        return Bounds::exact(nothing());
    };
    let cell = Cell::String(text.clone().into_owned());
    Bounds::exact(Predicate::Compare(column, operator(op), cell))
}

/// A column of numbers of which each span has one.
fn one_number(column: Column, op: CompareOp, number: i64) -> Bounds {
    Bounds::exact(Predicate::Compare(column, operator(op), Cell::Int(number)))
}

fn intrinsic(of: Intrinsic, op: CompareOp, value: &Value<'_>) -> Bounds {
    use Intrinsic as I;
    match (of, value) {
        (I::Name, _) => one_text(Column::Name, op, value),
        (I::StatusMessage, _) => one_text(Column::StatusMessage, op, value),
        (I::ScopeName, _) => one_text(Column::ScopeName, op, value),
        (I::ScopeVersion, _) => one_text(Column::ScopeVersion, op, value),
        (I::EventName, _) => one_text(Column::EventName, op, value),
        (I::Status, Value::Status(number)) => one_number(Column::Status, op, i64::from(*number)),
        (I::Kind, Value::Kind(number)) => one_number(Column::Kind, op, i64::from(*number)),
        (I::Duration, Value::Duration(nanos)) => one_number(Column::Duration, op, *nanos),
        (
            I::SpanId | I::ParentId | I::TraceId | I::LinkTraceId | I::LinkSpanId,
            Value::Text(text),
        ) => id(of, op, text),
        (I::SelfTime | I::CriticalTime | I::TraceDuration, Value::Duration(nanos)) => {
            Bounds::within(by_duration(of, op, *nanos))
        }
        (I::ChildCount | I::SpanCount | I::ErrorCount, Value::Int(_) | Value::Float(_))
        | (I::RootName | I::RootService, Value::Text(_)) => Bounds::within(Predicate::All),
        (I::EventTimeSinceStart, Value::Duration(_)) => {
            Bounds::within(Predicate::Exists(Column::EventName))
        }
        // Another type: never true.
        _ => Bounds::exact(nothing()),
    }
}

/// What a comparison of another time says about the duration of a span: no part of it is longer than it is, and no
/// trace is shorter than a span of it. Durations beyond 292 years are kept as negative ones.
fn by_duration(of: Intrinsic, op: CompareOp, nanos: i64) -> Predicate {
    let duration = |operator, nanos| {
        let compared =
            |operator, nanos| Predicate::Compare(Column::Duration, operator, Cell::Int(nanos));
        or([compared(operator, nanos), compared(Operator::Less, 0)])
    };
    let is_part = of != Intrinsic::TraceDuration;
    match op {
        CompareOp::Greater if is_part && nanos >= 0 => duration(Operator::Greater, nanos),
        CompareOp::Equal | CompareOp::GreaterOrEqual if is_part && nanos > 0 => {
            duration(Operator::GreaterOrEqual, nanos)
        }
        CompareOp::Less if !is_part => duration(Operator::Less, nanos),
        CompareOp::Equal | CompareOp::LessOrEqual if !is_part => {
            duration(Operator::LessOrEqual, nanos)
        }
        _ => Predicate::All,
    }
}

/// Ids are equal or not; their order and patterns are those of their text, which a store does not have.
fn id(of: Intrinsic, op: CompareOp, text: &str) -> Bounds {
    let (column, is_in_links) = match of {
        Intrinsic::TraceId => (Column::TraceId, false),
        Intrinsic::ParentId => (Column::ParentSpanId, false),
        Intrinsic::LinkTraceId => (Column::LinkTraceId, true),
        Intrinsic::LinkSpanId => (Column::LinkSpanId, true),
        _ => (Column::SpanId, false),
    };
    let has_any = if is_in_links {
        Predicate::Exists(column.clone())
    } else {
        Predicate::All
    };
    let cell = match of {
        Intrinsic::TraceId | Intrinsic::LinkTraceId => TraceId::parse(text).ok().map(Cell::TraceId),
        _ => SpanId::parse(text)
            .ok()
            .filter(|id| !id.is_zero())
            .map(Cell::SpanId),
    };
    let is_no_parent = of == Intrinsic::ParentId && text.is_empty();
    let equal = match cell {
        _ if is_no_parent => not(Predicate::Exists(column.clone())),
        Some(cell) => Predicate::Compare(column.clone(), Operator::Equal, cell),
        None => return Bounds::within(has_any),
    };
    match (op, equal) {
        (CompareOp::Equal, equal) => Bounds::exact(equal),
        // Any link that leads elsewhere.
        (CompareOp::NotEqual, Predicate::Compare(column, _, cell)) if is_in_links => {
            Bounds::exact(Predicate::Compare(column, Operator::NotEqual, cell))
        }
        (CompareOp::NotEqual, equal) => Bounds::exact(not(equal)),
        _ => Bounds::within(has_any),
    }
}
