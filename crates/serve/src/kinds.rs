//! The kinds of spans by their names, as parameters give them.

use traceql::Kind;

/// OTLP's number of a kind; `None` for what is no kind.
pub(crate) fn number_of(name: &str) -> Option<i32> {
    let kind = Kind::ALL.into_iter().find(|kind| kind.text() == name);
    kind.map(Kind::number)
}
