//! What a store has seen: operations, attribute keys and their values, for lists and for completion.

use crate::TenantId;
use crate::contract::Skipped;
use crate::predicate::Place;
use crate::value::ValueType;

/// An operation of a service, and when.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeenOperation {
    /// The service.
    pub service: String,
    /// The span's name.
    pub name: String,
    /// OTLP's number of the span's kind.
    pub kind: i32,
    /// The first start of a span, ns since the epoch.
    pub first: u64,
    /// The last start of a span, ns since the epoch.
    pub last: u64,
}

/// An attribute's key with a type at a place, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenKey {
    /// Where it stands; never anywhere.
    pub place: Place,
    /// The key.
    pub key: String,
    /// The type of its values.
    pub value_type: ValueType,
    /// A moment before which no span with it starts, ns since the epoch: the first start in the segment that has it.
    pub first: u64,
    /// A moment after which no span with it starts, ns since the epoch.
    pub last: u64,
    /// How many owners have it: spans, events, links; resources and scopes once for each segment.
    pub count: u64,
}

/// Everything that was seen.
#[derive(Debug, Clone, Default)]
pub struct SeenAnswer {
    /// By service, name, kind.
    pub operations: Vec<SeenOperation>,
    /// Whether there are no other operations. If not, [`crate::contract::OTHER_OPERATIONS`] stands for them, one a
    /// service and kind.
    pub has_all_operations: bool,
    /// By place, key, type.
    pub keys: Vec<SeenKey>,
    /// Whether there are no other keys. Segments with very many list the most frequent.
    pub has_all_keys: bool,
    /// What could not be read.
    pub skipped: Vec<Skipped>,
}

/// A question for the values of a key.
#[derive(Debug, Clone)]
pub struct ValuesRequest {
    /// Whose spans.
    pub tenant: TenantId,
    /// Where the attribute stands.
    pub place: Place,
    /// Its key.
    pub key: String,
    /// How the text of a value begins.
    pub prefix: String,
    /// The most values to give.
    pub limit: usize,
}

/// Values of a key.
#[derive(Debug, Clone, Default)]
pub struct ValuesAnswer {
    /// As text, ascending: texts as they are, numbers in decimal, `true` and `false`.
    pub values: Vec<String>,
    /// Whether there are no others. Of values that hardly repeat only some are looked at.
    pub is_all: bool,
    /// What could not be read.
    pub skipped: Vec<Skipped>,
}
