//! The values of fields as text: what a column of a list shows.
//!
//! Promises: what a comparison sees is shown; where a field has several values they stand side by side; what can be no
//! operand (maps, bytes) is shown as its canonical text.

use std::collections::HashMap;

use model::batch::{SpanBatch, SpanRef};

use crate::ast::Field;
use crate::fields::Scope;
use crate::judge::{Bench, is_fact};
use crate::trace::TraceFacts;

/// Between the values of one field.
const BETWEEN: &str = ", ";

/// Reads fields of the spans of one whole trace.
#[derive(Debug)]
pub struct FieldReader<'a> {
    trace: &'a SpanBatch,
    facts: TraceFacts<'a>,
}

impl<'a> FieldReader<'a> {
    /// Prepares to read some fields.
    #[must_use]
    pub fn new(trace: &'a SpanBatch, fields: &[Field]) -> Self {
        let needs_facts = fields.iter().any(|field| match field {
            Field::Intrinsic(intrinsic) => is_fact(*intrinsic),
            Field::Attribute { .. } => false,
        });
        let facts = if needs_facts {
            TraceFacts::of(trace)
        } else {
            TraceFacts::default()
        };
        Self { trace, facts }
    }

    /// The text of a span's field; `None` where it has none.
    #[must_use]
    pub fn text(&self, field: &Field, row: usize) -> Option<String> {
        let span = self.trace.span(row)?;
        let bench = Bench {
            patterns: &HashMap::new(),
            facts: &self.facts,
            span,
        };
        let values = bench.field(field).into_iter().flatten();
        let texts: Vec<String> = values.map(|value| value.shown()).collect();
        if texts.is_empty() {
            return canonical(field, span);
        }
        Some(texts.join(BETWEEN))
    }
}

/// The text of an attribute that comparisons don't see.
fn canonical(field: &Field, span: SpanRef<'_>) -> Option<String> {
    let Field::Attribute { scope, key } = field else {
        return None;
    };
    let on_span = || span.attributes().find(|attribute| attribute.key == key);
    let on_resource = || {
        let resource = span.resource();
        resource.attributes().find(|attribute| attribute.key == key)
    };
    let found = match scope {
        Scope::Span => on_span(),
        Scope::Resource => on_resource(),
        Scope::Either => on_span().or_else(on_resource),
        Scope::Instrumentation | Scope::Event | Scope::Link => None,
    };
    found.map(|attribute| attribute.value.canonical_text().into_owned())
}

#[cfg(test)]
mod tests {
    use model::batch::{BatchBuilder, PackedValue, SpanRow};

    use super::*;
    use crate::parse_field;

    #[test]
    fn fields_are_shown_as_they_are_compared() {
        let mut builder = BatchBuilder::new();
        let mut cursor = builder.begin_attributes();
        builder.push_attribute(&mut cursor, b"code", PackedValue::Int(500));
        builder.push_attribute(&mut cursor, b"raw", PackedValue::Bytes(b"ab"));
        let attributes = builder.finish_attributes(cursor);
        let name = builder.intern(b"GET /");
        builder.push_span(SpanRow {
            name,
            start: 5,
            end: 1_000_005,
            status: 2,
            kind: 3,
            attributes,
            ..SpanRow::default()
        });
        let trace = builder.finish();
        let shown = |text: &str| {
            let field = parse_field(text).unwrap();
            FieldReader::new(&trace, std::slice::from_ref(&field)).text(&field, 0)
        };
        let cases = [
            ("name", Some("GET /")),
            ("status", Some("error")),
            ("kind", Some("client")),
            ("duration", Some("1ms")),
            ("trace:spanCount", Some("1")),
            (".code", Some("500")),
            ("span.raw", Some("YWI=")),
            ("span.absent", None),
        ];
        for (field, text) in cases {
            assert_eq!(shown(field).as_deref(), text, "{field}");
        }
        assert_eq!(
            FieldReader::new(&trace, &[]).text(&parse_field("name").unwrap(), 9),
            None
        );
    }
}
