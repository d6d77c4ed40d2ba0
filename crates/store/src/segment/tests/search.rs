//! Searches give the rows that judging every span gives.

use model::contract::Window;
use model::{Field, Literal, Operator, Place, Predicate};
use proptest::prelude::*;

use super::*;
use model::evaluate::{Compiled, matches};

fn a_field() -> impl Strategy<Value = Field> {
    let place = prop_oneof![
        3 => Just(Place::Anywhere),
        2 => Just(Place::Span),
        1 => Just(Place::Resource),
        1 => Just(Place::Scope),
        1 => Just(Place::Event),
        1 => Just(Place::Link),
    ];
    let key = prop_oneof![
        6 => prop::sample::select(KEYS.to_vec()),
        1 => Just("service.name"),
        1 => Just("key5"),
        1 => Just("absent"),
    ];
    prop_oneof![
        8 => (place, key).prop_map(|(place, key)| Field::Attribute { place, key: key.to_owned() }),
        1 => Just(Field::Name),
        1 => Just(Field::Service),
        1 => Just(Field::Kind),
        1 => Just(Field::Status),
        1 => Just(Field::StatusMessage),
        1 => Just(Field::Start),
        1 => Just(Field::Duration),
        1 => Just(Field::TraceState),
        1 => Just(Field::ScopeName),
        1 => Just(Field::ScopeVersion),
        1 => Just(Field::EventName),
        1 => Just(Field::ParentSpanId),
    ]
}

fn a_comparison() -> impl Strategy<Value = Predicate> {
    let operator = prop_oneof![
        4 => Just(Operator::Equal),
        1 => Just(Operator::NotEqual),
        1 => Just(Operator::Less),
        1 => Just(Operator::LessOrEqual),
        1 => Just(Operator::Greater),
        1 => Just(Operator::GreaterOrEqual),
    ];
    let text = prop::sample::select(TEXTS.to_vec());
    let literal = prop_oneof![
        text.clone()
            .prop_map(|text| Literal::String(text.to_owned())),
        text.prop_map(|text| Literal::Text(text.to_owned())),
        prop::sample::select(vec!["0", "-0", "2", "NaN", "[1]", "AAEC", "{}"])
            .prop_map(|text| Literal::Text(text.to_owned())),
        prop::sample::select(vec![0, -1, 2, 500, i64::MIN, i64::MAX, 1_000_000])
            .prop_map(Literal::Int),
        prop::sample::select(vec![0.0, -0.0, 2.0, 500.0, 0.1, f64::NAN, 9.3e18])
            .prop_map(Literal::Double),
        any::<bool>().prop_map(Literal::Bool),
    ];
    prop_oneof![
        8 => (a_field(), operator, literal).prop_map(|(field, op, literal)| Predicate::Compare(field, op, literal)),
        1 => (a_field(), any::<bool>(), prop::sample::select(vec!["GET.*", "[a-z]+", ".*", "5.0"])).prop_map(
            |(field, is, pattern)| {
                let operator = if is { Operator::Matches } else { Operator::MatchesNot };
                Predicate::Compare(field, operator, Literal::String(pattern.to_owned()))
            }
        ),
        1 => a_field().prop_map(Predicate::Exists),
        1 => Just(Predicate::All),
    ]
}

fn a_predicate() -> impl Strategy<Value = Predicate> {
    a_comparison().prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Predicate::And),
            prop::collection::vec(inner.clone(), 0..3).prop_map(Predicate::Or),
            inner.prop_map(|one| Predicate::Not(Box::new(one))),
        ]
    })
}

fn naive(rows: &SpanBatch, predicate: &Predicate, window: Window) -> Vec<u32> {
    let compiled = Compiled::new(predicate).unwrap();
    let found = rows
        .iter()
        .enumerate()
        .filter(|(_, s)| window.contains(s.start()) && matches(*s, &compiled));
    found.map(|(row, _)| row as u32).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_search_finds_what_judging_every_span_finds(
        seed in any::<u64>(),
        spans in 1usize..200,
        odd in 0usize..3,
        predicates in prop::collection::vec(a_predicate(), 40),
        from in 0u64..1_000_000_000,
    ) {
        let odd = [vec![], vec![Oddity::Fields], vec![Oddity::ManyKeys]][odd].clone();
        let batch = random_batch(seed, spans, &odd);
        let dir = TempDir::new();
        let segment = open(&dir.0, write(&dir.0, &batch));
        let rows = segment.read_rows(&[0..batch.len()]).unwrap();
        // A window whose ends are starts of spans.
        let base = 1_700_000_000_000_000_000;
        let mut starts = rows.spans().start.clone();
        starts.sort_unstable();
        let some = Window { start: starts[starts.len() / 3], end: starts[starts.len() * 2 / 3] };
        for predicate in predicates {
            for window in [Window::ALWAYS, some, Window { start: base, end: base + from }] {
                let found = segment.search(&predicate, window, &|| false).unwrap();
                prop_assert_eq!(&found.rows, &naive(&rows, &predicate, window), "{:?} in {:?}", predicate, window);
            }
        }
    }
}

/// Two granules and two row groups, values that are in one of them only.
#[test]
fn a_search_looks_into_every_granule() {
    let batch = random_batch(5, 140_000, &[]);
    let dir = TempDir::new();
    let segment = open(&dir.0, write(&dir.0, &batch));
    let rows = segment.read_rows(&[0..batch.len()]).unwrap();
    let attribute = |key: &str| Field::Attribute {
        place: Place::Anywhere,
        key: key.to_owned(),
    };
    let equal = |field, literal| Predicate::Compare(field, Operator::Equal, literal);
    let rare = rows.iter().filter_map(|s| {
        s.attributes()
            .find(|a| a.key == "id")
            .map(|a| a.value.canonical_text())
    });
    let rare: Vec<String> = rare.map(Into::into).step_by(9_973).collect();
    let mut predicates: Vec<Predicate> = rare
        .into_iter()
        .map(|text| equal(attribute("id"), Literal::Text(text)))
        .take(8)
        .collect();
    predicates.push(equal(Field::Service, Literal::String("shop".to_owned())));
    predicates
        .push(equal(attribute("n"), Literal::Int(3)).and(equal(Field::Kind, Literal::Int(2))));
    predicates.push(Predicate::Compare(
        Field::Duration,
        Operator::Greater,
        Literal::Int(4_999_000),
    ));
    for predicate in predicates {
        let found = segment
            .search(&predicate, Window::ALWAYS, &|| false)
            .unwrap();
        let wanted = naive(&rows, &predicate, Window::ALWAYS);
        assert!(
            found.rows == wanted,
            "{predicate:?}: {} rows for {}",
            found.rows.len(),
            wanted.len()
        );
    }
    let absent = equal(attribute("id"), Literal::Text("not there".to_owned()));
    assert!(
        segment
            .search(&absent, Window::ALWAYS, &|| false)
            .unwrap()
            .rows
            .is_empty()
    );
}

#[test]
fn a_search_that_is_taken_back_says_so() {
    let dir = TempDir::new();
    let segment = open(&dir.0, write(&dir.0, &random_batch(5, 10, &[])));
    let error = segment
        .search(&Predicate::All, Window::ALWAYS, &|| true)
        .unwrap_err();
    assert_eq!(error.kind(), crate::segment::SegmentErrorKind::Cancelled);
}
