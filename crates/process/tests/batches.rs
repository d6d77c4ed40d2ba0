//! Random batches from a seed: odd texts, nested values, events, links, trace states, and a secret in many places.

use model::SpanBatch;
use plumbing::{Random, SeededRandom};
use testkit::otlp::trace::v1::span::SpanKind;
use testkit::spans::request;
use testkit::{AttributeValue, array, map};

/// What must be found nowhere once it was redacted.
pub(crate) const SECRET: &str = "4111111111111111";
pub(crate) const SECRET_NUMBER: i64 = 4_111_111_111_111_111;
/// How many seeds a property is tried with.
pub(crate) const ROUNDS: u64 = 150;

const TEXTS: [&str; 7] = [
    "",
    "GET /cart",
    "größe 🦀 überall",
    "pay 4111111111111111 now",
    "4111111111111111",
    "日本語のテキスト",
    "a rather long text that no limit of a few bytes leaves whole",
];
const KEYS: [&str; 7] = [
    "http.method",
    "user.password",
    "note",
    "größe",
    "size",
    "internal.id",
    "a.very.long.key.that.is.cut",
];
pub(crate) const SERVICES: [&str; 3] = ["cart", "checkout", "audit"];

struct Dice(SeededRandom);

impl Dice {
    fn below(&self, bound: u64) -> u64 {
        self.0.below(bound)
    }

    fn one_of<'a>(&self, of: &[&'a str]) -> &'a str {
        let at = self.below(of.len() as u64);
        of[usize::try_from(at).unwrap()]
    }

    fn value(&self, depth: u64) -> AttributeValue {
        match self.below(if depth > 2 { 7 } else { 9 }) {
            0 => AttributeValue::default(),
            1 => SECRET_NUMBER.into(),
            2 => i64::try_from(self.below(1000)).unwrap().into(),
            3 => 0.5.into(),
            4 => (self.below(2) == 0).into(),
            5 => self.one_of(&TEXTS).as_bytes().to_vec().into(),
            6 => self.one_of(&TEXTS).into(),
            7 => array((0..self.below(4)).map(|_| self.value(depth + 1))),
            _ => map((0..self.below(4)).map(|_| (self.one_of(&KEYS), self.value(depth + 1)))),
        }
    }
}

/// A batch of up to 20 spans.
pub(crate) fn batch(seed: u64) -> SpanBatch {
    let dice = Dice(SeededRandom::new(seed));
    let mut all = request().seed(seed);
    let spans = 1 + dice.below(20);
    for number in 0..spans {
        if number == 0 || dice.below(4) == 0 {
            all = all.service(dice.one_of(&SERVICES));
            for _ in 0..dice.below(3) {
                all = all.resource_attr(dice.one_of(&KEYS), dice.value(0));
            }
            all = all.scope("lib", "1");
            for _ in 0..dice.below(2) {
                all = all.scope_attr(dice.one_of(&KEYS), dice.value(0));
            }
        }
        all = all.span(dice.one_of(&TEXTS), |mut span| {
            span = span.trace(1 + dice.below(1 << 40)).kind(SpanKind::Server);
            for _ in 0..dice.below(6) {
                span = span.attr(dice.one_of(&KEYS), dice.value(0));
            }
            for _ in 0..dice.below(4) {
                span = span.event(dice.one_of(&TEXTS));
                for _ in 0..dice.below(3) {
                    span = span.event_attr(dice.one_of(&KEYS), dice.value(0));
                }
            }
            for _ in 0..dice.below(3) {
                span = span.link(dice.below(9), 1);
                span = span.link_attr(dice.one_of(&KEYS), dice.value(0));
            }
            let state = dice.one_of(&["", "v=1", "ot=th:8", "ot=rv:fffffffffffff0;th:c,v=1"]);
            let code = i32::try_from(dice.below(3)).unwrap();
            let dropped = u32::try_from(dice.below(3)).unwrap();
            span.trace_state(state)
                .status(code, dice.one_of(&TEXTS))
                .dropped(dropped, dropped, dropped)
        });
    }
    codec::otlp::decode_proto(&all.encode()).unwrap().batch
}
