//! The kinds of spans by their names, as parameters give them, and by OTLP's numbers.

use traceql::Kind;

/// OTLP's number of a kind; `None` for what is no kind.
pub(crate) fn number_of(name: &str) -> Option<i32> {
    let kind = Kind::ALL.into_iter().find(|kind| kind.text() == name);
    kind.map(Kind::number)
}

/// The kind with a number; `None` for a number that is none.
pub(crate) fn of_number(number: i32) -> Option<Kind> {
    Kind::ALL.into_iter().find(|kind| kind.number() == number)
}
