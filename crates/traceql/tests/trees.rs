//! Random trees whose types fit, from few fields and values, so that comparisons often hold.

use proptest::prelude::*;
use traceql::{
    ArithOp, CompareOp, Expr, Field, Intrinsic, Kind, Literal, Node, Query, Scope, Status, Type,
};

fn leaf(node: Node) -> Expr {
    Expr::new(node, 0..0)
}

const SCOPES: [Scope; 6] = [
    Scope::Either,
    Scope::Span,
    Scope::Resource,
    Scope::Event,
    Scope::Link,
    Scope::Instrumentation,
];

/// Keys that spans of the tests have, and some that are hard to write.
fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => prop::sample::select(vec!["a", "b"]).prop_map(ToOwned::to_owned),
        2 => Just("service.name".to_owned()),
        1 => prop::sample::select(vec!["http header.x", "a-b", "q\"\\", "{", "ä/*"]).prop_map(ToOwned::to_owned),
    ]
}

fn attribute() -> impl Strategy<Value = Field> {
    (prop::sample::select(SCOPES.to_vec()), key())
        .prop_map(|(scope, key)| Field::attribute(scope, &key))
        .prop_filter("has no type of its own", |field| {
            field.value_type() == Type::Unknown
        })
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => prop::sample::select(vec!["", "x", "y", "xy", "missing-service-name"]).prop_map(ToOwned::to_owned),
        1 => ".{0,5}",
    ]
}

fn number() -> impl Strategy<Value = Literal> {
    prop_oneof![
        prop::sample::select(vec![-1, 0, 1, 2, (1 << 53) + 1, i64::MAX, i64::MIN])
            .prop_map(Literal::Int),
        prop::sample::select(vec![
            -0.5,
            1.0,
            1.5,
            9_007_199_254_740_992.0,
            1e300,
            1e-7,
            2e63
        ])
        .prop_map(Literal::Float),
    ]
}

pub(crate) fn duration() -> impl Strategy<Value = Literal> {
    prop::sample::select(vec![
        -1,
        0,
        1,
        5,
        10,
        20,
        40,
        1_500_000_000,
        3_600_000_000_000,
        i64::MIN,
    ])
    .prop_map(Literal::Duration)
}

fn value() -> impl Strategy<Value = Literal> {
    prop_oneof![
        text().prop_map(Literal::String),
        number(),
        any::<bool>().prop_map(Literal::Bool),
        duration(),
    ]
}

pub(crate) fn op() -> impl Strategy<Value = CompareOp> {
    prop::sample::select(CompareOp::ALL[..6].to_vec())
}

fn equality() -> impl Strategy<Value = CompareOp> {
    prop::sample::select(vec![CompareOp::Equal, CompareOp::NotEqual])
}

fn pattern_op() -> impl Strategy<Value = CompareOp> {
    prop::sample::select(vec![CompareOp::Matches, CompareOp::MatchesNot])
}

fn pattern() -> impl Strategy<Value = Literal> {
    prop::sample::select(vec!["x", "x|y", ".*", "", "x.", "0.*", "[^x]"])
        .prop_map(|text| Literal::String(text.to_owned()))
}

fn fields(is_wanted: impl Fn(&Field) -> bool) -> impl Strategy<Value = Field> {
    let service = Field::attribute(Scope::Resource, "service.name");
    let intrinsics = traceql::INTRINSICS
        .iter()
        .map(|row| Field::Intrinsic(row.intrinsic));
    let all = intrinsics.chain([service]).filter(is_wanted);
    prop::sample::select(all.collect::<Vec<_>>())
}

fn of_types(types: &'static [Type]) -> impl Strategy<Value = Field> {
    fields(|field| types.contains(&field.value_type()))
}

fn is_id(field: &Field) -> bool {
    use Intrinsic as I;
    matches!(
        field,
        Field::Intrinsic(I::SpanId | I::ParentId | I::TraceId | I::LinkTraceId | I::LinkSpanId)
    )
}

fn simple() -> impl Strategy<Value = Expr> {
    let ids = fields(is_id);
    let texts = fields(|field| field.value_type() == Type::String && !is_id(field));
    let status = prop::sample::select(Status::ALL.to_vec()).prop_map(Literal::Status);
    let kind = prop::sample::select(Kind::ALL.to_vec()).prop_map(Literal::Kind);
    let compared = |(field, op, value)| Expr::comparison(field, op, value);
    let id = prop::sample::select(vec!["1", "2", "0", "0000000000000001", "7"]);
    let no_parent = (equality(), Just(Literal::String(String::new())));
    prop_oneof![
        6 => (attribute(), op(), value())
            .prop_filter("has an order", |(_, op, value)| !op.is_order() || value.value_type() != Type::Bool)
            .prop_map(compared),
        2 => (attribute(), pattern_op(), pattern()).prop_map(compared),
        1 => (attribute(), equality(), Just(Literal::Nil)).prop_map(compared),
        1 => attribute().prop_map(|field| leaf(Node::Field(field))),
        2 => (texts, op(), text().prop_map(Literal::String)).prop_map(compared),
        1 => (of_types(&[Type::String]), pattern_op(), pattern()).prop_map(compared),
        2 => (ids, equality(), id.prop_map(|id| Literal::String(id.to_owned()))).prop_map(compared),
        1 => no_parent.prop_map(|(op, value)| Expr::comparison(Field::Intrinsic(Intrinsic::ParentId), op, value)),
        3 => (of_types(&[Type::Duration]), op(), duration()).prop_map(compared),
        2 => (of_types(&[Type::Int]), op(), number()).prop_map(compared),
        1 => (of_types(&[Type::Status]), equality(), status).prop_map(compared),
        1 => (of_types(&[Type::Kind]), equality(), kind).prop_map(compared),
        1 => any::<bool>().prop_map(|is| leaf(Node::Literal(Literal::Bool(is)))),
    ]
}

/// Something to compute with.
fn computed() -> impl Strategy<Value = Expr> {
    let one = prop_oneof![
        attribute().prop_map(|field| leaf(Node::Field(field))),
        of_types(&[Type::Int]).prop_map(|field| leaf(Node::Field(field))),
        number().prop_map(|number| leaf(Node::Literal(number))),
    ];
    let ops = [
        ArithOp::Add,
        ArithOp::Subtract,
        ArithOp::Multiply,
        ArithOp::Divide,
        ArithOp::Remainder,
        ArithOp::Power,
    ];
    one.prop_recursive(3, 8, 2, move |inner| {
        let two = (
            prop::sample::select(ops.to_vec()),
            inner.clone(),
            inner.clone(),
        );
        prop_oneof![
            two.prop_map(|(op, left, right)| leaf(Node::Arith(
                op,
                Box::new(left),
                Box::new(right)
            ))),
            inner.prop_map(|of| leaf(Node::Negative(Box::new(of)))),
        ]
    })
}

/// A condition.
pub(crate) fn condition() -> impl Strategy<Value = Expr> {
    let arithmetic = (computed(), op(), computed())
        .prop_map(|(left, op, right)| leaf(Node::Compare(op, Box::new(left), Box::new(right))));
    let fields = (attribute(), op(), attribute()).prop_map(|(left, op, right)| {
        let field = |field| Box::new(leaf(Node::Field(field)));
        leaf(Node::Compare(op, field(left), field(right)))
    });
    let one = prop_oneof![8 => simple(), 2 => arithmetic, 1 => fields];
    one.prop_recursive(4, 16, 4, |inner| {
        let some = prop::collection::vec(inner.clone(), 2..4);
        let boolean = (inner.clone(), equality(), inner.clone());
        prop_oneof![
            4 => some.clone().prop_map(|of| Expr::all(of).unwrap()),
            4 => some.prop_map(|of| Expr::any(of).unwrap()),
            3 => inner.prop_map(|of| leaf(Node::Not(Box::new(of)))),
            1 => boolean.prop_map(|(left, op, right)| {
                let side = |of| Box::new(condition_side(of));
                leaf(Node::Compare(op, side(left), side(right)))
            }),
        ]
    })
}

/// A boolean to compare; a field or a value alone would be taken for what it is.
fn condition_side(of: Expr) -> Expr {
    match of.node {
        Node::Field(_) | Node::Literal(_) => leaf(Node::Not(Box::new(of))),
        _ => of,
    }
}

/// A query.
pub(crate) fn query() -> impl Strategy<Value = Query> {
    prop::option::weighted(0.95, condition()).prop_map(|filter| Query { filter })
}
