//! Spans as rows in Cassandra, in Jaeger's layout: values of the columns, whoever sends them.
//!
//! Promises
//! - A row is what Jaeger 2.20 writes for the same span, column by column; who reads Jaeger's rows reads these. Only
//!   the hash, which keeps spans with the same ids apart, is another number.
//! - The same span gives the same row whenever it is written.
//! - Nothing is added that was not sent: what Jaeger's collector repairs first is written as it is.
//!
//! Lost, as Jaeger loses it: what is shorter than a microsecond, scope attributes, attributes and trace states of
//! links, schemas, what was dropped, the order of attributes, events and links, the types within arrays and
//! maps, an end before the start.
//!
//! Source: Jaeger's Cassandra schema, version 4, and its rows, recorded in `tests/golden/cassandra`.

use std::cmp::Ordering;
use std::fmt::Write as _;

use model::batch::{AttrValue, Attribute, SpanRef};
use model::{SpanBatch, SpanId, TraceId};

use crate::jaeger_encode::{
    Reference, TagValue, event_field, process_tags, references, stored_tags,
};

const NANOS_PER_MICRO: u64 = 1_000;
/// Keys and values of tags that are as long as this, or longer, are not looked up.
const INDEXED_BYTES_MAX: usize = 256;

/// The value of a tag.
#[derive(Debug, Clone, PartialEq)]
pub enum RowValue {
    /// Text, and arrays and maps as JSON.
    Text(String),
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A floating-point number.
    Double(f64),
    /// Bytes.
    Binary(Vec<u8>),
}

impl RowValue {
    /// The name of its type.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) => "string",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int64",
            Self::Double(_) => "float64",
            Self::Binary(_) => "binary",
        }
    }

    /// By the name of the type, then by what is there.
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Text(one), Self::Text(other)) => one.cmp(other),
            (Self::Bool(one), Self::Bool(other)) => one.cmp(other),
            (Self::Int(one), Self::Int(other)) => one.cmp(other),
            (Self::Double(one), Self::Double(other)) => one.total_cmp(other),
            (Self::Binary(one), Self::Binary(other)) => one.cmp(other),
            _ => self.type_name().cmp(other.type_name()),
        }
    }
}

/// A tag of a span or of a process, or a field of a log.
#[derive(Debug, Clone, PartialEq)]
pub struct RowTag {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: RowValue,
}

/// A log: an event.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RowLog {
    /// When it happened, µs since the epoch.
    pub micros: i64,
    /// What it says.
    pub fields: Vec<RowTag>,
}

/// A row of the table `traces`: a span.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct JaegerRow {
    /// Its trace.
    pub trace_id: TraceId,
    /// Its id.
    pub span_id: SpanId,
    /// What tells spans apart that have the same ids.
    pub hash: i64,
    /// Its parent; zero for none.
    pub parent_id: SpanId,
    /// Its name.
    pub name: String,
    /// Its flags, the bits of an unsigned number.
    pub flags: i32,
    /// When it starts, µs since the epoch.
    pub start_micros: i64,
    /// How long it takes, in µs.
    pub duration_micros: i64,
    /// Its tags, by key.
    pub tags: Vec<RowTag>,
    /// Its logs.
    pub logs: Vec<RowLog>,
    /// The spans that it refers to, the parent first.
    pub references: Vec<Reference>,
    /// The service.
    pub service: String,
    /// The tags of the process, by key.
    pub process_tags: Vec<RowTag>,
}

impl JaegerRow {
    /// The row of a span of a batch; nothing beyond the last.
    #[must_use]
    pub fn of(batch: &SpanBatch, row: usize) -> Option<Self> {
        let span = batch.span(row)?;
        let links = span
            .links()
            .map(|link| Reference::of_link(link.trace_id(), link.span_id(), link.attributes()));
        // A span that ends before it starts took no time.
        let duration = u64::try_from(span.duration()).unwrap_or(0);
        Some(Self {
            trace_id: span.trace_id(),
            span_id: span.span_id(),
            hash: batch.span_hash(row).cast_signed(),
            parent_id: span.parent_span_id(),
            name: span.name().to_owned(),
            flags: span.flags().cast_signed(),
            start_micros: micros(span.start()),
            duration_micros: micros(duration),
            tags: sorted(stored_tags(&span)),
            logs: logs(span),
            references: by_id(
                references(span.trace_id(), span.parent_span_id(), links),
                span,
            ),
            service: span.service().to_owned(),
            process_tags: sorted(process_tags(span.resource().attributes())),
        })
    }

    /// About as many bytes as the row has in a table.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        const FIXED: usize = 64;
        let of_tag = |tag: &RowTag| {
            let value = match &tag.value {
                RowValue::Text(text) => text.len(),
                RowValue::Binary(bytes) => bytes.len(),
                RowValue::Bool(_) | RowValue::Int(_) | RowValue::Double(_) => 8,
            };
            FIXED + tag.key.len() + value
        };
        let logs = self.logs.iter().flat_map(|log| &log.fields);
        let tags = self.tags.iter().chain(&self.process_tags).chain(logs);
        let lists = FIXED * (1 + self.logs.len() + self.references.len());
        lists + self.name.len() + self.service.len() + tags.map(of_tag).sum::<usize>()
    }

    /// The tags by which the span is found: its own, the process's and those of its logs, each once, with the texts
    /// that stand for their values.
    pub fn indexed(&self) -> impl Iterator<Item = (&str, String)> {
        let logs = self.logs.iter().flat_map(|log| &log.fields);
        let all = self.process_tags.iter().chain(&self.tags).chain(logs);
        let mut found: Vec<(&str, String)> = all
            .filter_map(|tag| Some((tag.key.as_str(), indexed_text(&tag.key, &tag.value)?)))
            .collect();
        found.sort_unstable();
        found.dedup();
        found.into_iter()
    }
}

/// The text by which a tag is found; nothing for those that are not: objects, what is long. Bytes, which Jaeger does
/// not look up, are found by the text that stands for them everywhere.
#[must_use]
pub fn indexed_text(key: &str, value: &RowValue) -> Option<String> {
    let text = match value {
        RowValue::Text(text) => text.clone(),
        RowValue::Bool(is) => is.to_string(),
        RowValue::Int(int) => int.to_string(),
        RowValue::Double(double) => double_text(*double),
        RowValue::Binary(bytes) => AttrValue::Bytes(bytes).canonical_text().into_owned(),
    };
    let is_short = |text: &str| text.len() < INDEXED_BYTES_MAX;
    (is_short(key) && is_short(&text) && !is_object(&text)).then_some(text)
}

/// Whether a text is an object of JSON.
fn is_object(text: &str) -> bool {
    text.trim_start().starts_with('{')
        && serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text).is_ok()
}

/// A number in ten digits, as Go's `strconv.FormatFloat(x, 'g', 10, 64)` writes it.
#[must_use]
pub fn double_text(double: f64) -> String {
    const DIGITS: usize = 10;
    if double.is_nan() {
        return "NaN".to_owned();
    }
    if double.is_infinite() {
        return if double > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let written = format!("{double:.*e}", DIGITS - 1);
    let (digits, exponent) = written.split_once('e').unwrap_or((&written, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", digits),
    };
    let digits = digits.replace('.', "");
    let digits = match digits.trim_end_matches('0') {
        "" => "0",
        digits => digits,
    };
    let mut text = sign.to_owned();
    let places = i32::try_from(DIGITS).unwrap_or(i32::MAX);
    if exponent < -4 || exponent >= places {
        let (first, rest) = digits.split_at_checked(1).unwrap_or((digits, ""));
        let point = if rest.is_empty() { "" } else { "." };
        let exponent_sign = if exponent < 0 { '-' } else { '+' };
        let size = exponent.unsigned_abs();
        // Writing to a String can't fail.
        let _infallible = write!(text, "{first}{point}{rest}e{exponent_sign}{size:02}");
        return text;
    }
    match usize::try_from(exponent) {
        Ok(whole) => {
            let padded = format!("{digits:0<width$}", width = whole + 1);
            let (before, behind) = padded.split_at_checked(whole + 1).unwrap_or((digits, ""));
            text.push_str(before);
            if !behind.is_empty() {
                text.push('.');
                text.push_str(behind);
            }
        }
        Err(_) => {
            text.push_str("0.");
            let zeros = exponent.unsigned_abs().saturating_sub(1);
            text.extend((0..zeros).map(|_| '0'));
            text.push_str(digits);
        }
    }
    text
}

/// Whole microseconds; all that 64 bits of nanoseconds can say have room.
fn micros(nanos: u64) -> i64 {
    i64::try_from(nanos / NANOS_PER_MICRO).unwrap_or(i64::MAX)
}

/// The parent first, the others by their ids.
fn by_id(mut references: Vec<Reference>, span: SpanRef<'_>) -> Vec<Reference> {
    let others = usize::from(!span.parent_span_id().is_zero());
    if let Some(others) = references.get_mut(others..) {
        others.sort_by_key(|reference| (reference.trace_id, reference.span_id));
    }
    references
}

/// By time; of one moment those that say less come first.
fn logs(span: SpanRef<'_>) -> Vec<RowLog> {
    let log = |event: model::batch::EventRef<'_>| RowLog {
        micros: micros(event.time()),
        fields: sorted(
            event_field(event.name(), event.attributes())
                .into_iter()
                .chain(event.attributes()),
        ),
    };
    let mut logs: Vec<RowLog> = span.events().map(log).collect();
    logs.sort_by_key(|log| (log.micros, log.fields.len()));
    logs
}

/// Tags by key; those of one key by type, then by value.
fn sorted<'a>(tags: impl Iterator<Item = Attribute<'a>>) -> Vec<RowTag> {
    let tag = |tag: Attribute<'a>| RowTag {
        key: tag.key.to_owned(),
        value: match TagValue::of(tag.value) {
            TagValue::Text(text) => RowValue::Text(text.into_owned()),
            TagValue::Bool(is) => RowValue::Bool(is),
            TagValue::Int(int) => RowValue::Int(int),
            TagValue::Double(double) => RowValue::Double(double),
            TagValue::Binary(bytes) => RowValue::Binary(bytes.to_vec()),
        },
    };
    let mut tags: Vec<RowTag> = tags.map(tag).collect();
    tags.sort_by(|one, other| {
        let keys = one.key.cmp(&other.key);
        keys.then_with(|| one.value.compare(&other.value))
    });
    tags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_in_ten_digits() {
        for (double, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.5, "1.5"),
            (100.0, "100"),
            (0.1 + 0.2, "0.3"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1e-6, "1e-06"),
            (123_456_789.123, "123456789.1"),
            (1_234_567_890.0, "1234567890"),
            (12_345_678_901.0, "1.23456789e+10"),
            (9_999_999_999.9, "1e+10"),
            (1e21, "1e+21"),
            (-2.5e300, "-2.5e+300"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
        ] {
            assert_eq!(double_text(double), text, "{double:?}");
        }
    }

    #[test]
    fn objects_and_what_is_long_are_not_looked_up() {
        let text = |text: &str| RowValue::Text(text.to_owned());
        assert_eq!(indexed_text("k", &text("[1]")), Some("[1]".to_owned()));
        assert_eq!(indexed_text("k", &text("{a}")), Some("{a}".to_owned()));
        assert_eq!(indexed_text("k", &text("")), Some(String::new()));
        assert_eq!(
            indexed_text("k", &RowValue::Binary(vec![0, 1, 2])),
            Some("AAEC".to_owned())
        );
        assert_eq!(
            indexed_text("k", &RowValue::Bool(true)),
            Some("true".to_owned())
        );
        for (key, value) in [
            ("k".to_owned(), text("{\"a\":1}")),
            ("k".to_owned(), text(&"x".repeat(INDEXED_BYTES_MAX))),
            ("x".repeat(INDEXED_BYTES_MAX), text("v")),
        ] {
            assert_eq!(indexed_text(&key, &value), None);
        }
    }
}
