//! Adds attributes to the resources of a request without decoding it: what is in it stays byte for byte as it came.
//!
//! Promises: only attributes that a resource does not have yet are added, behind its own; a request without anything
//! to add is given back as it is; unknown fields are kept.
//!
//! *Cost*: the request is copied once; of its spans only the lengths are read.

use std::borrow::Cow;

use super::value::field;
use crate::wire::{Field, Reader, WireError, Writer};

/// Attributes that resources are given where they lack them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResourceAttributes {
    /// Keys, and the whole attribute as a field of a resource.
    fields: Vec<(String, Vec<u8>)>,
}

impl ResourceAttributes {
    /// Attributes with texts as values; of equal keys the first counts.
    #[must_use]
    pub fn new(pairs: &[(String, String)]) -> Self {
        let mut fields: Vec<(String, Vec<u8>)> = Vec::new();
        for (key, value) in pairs {
            if fields.iter().any(|(known, _)| known == key) {
                continue;
            }
            let mut out = Writer::new();
            out.message(1, |out| {
                out.bytes_field(1, key.as_bytes());
                out.message(2, |out| out.bytes_field(field::STRING, value.as_bytes()));
            });
            fields.push((key.clone(), out.into_bytes()));
        }
        Self { fields }
    }

    /// Tells whether there is nothing to add.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The request with what its resources lacked.
    ///
    /// # Errors
    /// When the bytes are no request.
    pub fn added_to<'a>(&self, request: &'a [u8]) -> Result<Cow<'a, [u8]>, WireError> {
        let mut out = Writer::with_capacity(request.len() + request.len() / 8 + 256);
        let mut is_changed = false;
        let mut reader = Reader::new(request);
        while let Some((raw, next)) = next_raw(&mut reader)? {
            match next {
                (1, Field::Bytes(resource_spans)) => {
                    let added = self.lacking(resource_spans)?;
                    if added.is_empty() {
                        out.raw(raw);
                    } else {
                        is_changed = true;
                        put_resource_spans(&mut out, resource_spans, &added)?;
                    }
                }
                _ => out.raw(raw),
            }
        }
        Ok(if is_changed {
            Cow::Owned(out.into_bytes())
        } else {
            Cow::Borrowed(request)
        })
    }

    /// The fields that the resource of these spans lacks.
    fn lacking(&self, resource_spans: &[u8]) -> Result<Vec<u8>, WireError> {
        let mut is_there = vec![false; self.fields.len()];
        let mut reader = Reader::new(resource_spans);
        while let Some(next) = reader.next_field()? {
            let (1, Field::Bytes(resource)) = next else {
                continue;
            };
            let mut reader = Reader::new(resource);
            while let Some(next) = reader.next_field()? {
                if let (1, Field::Bytes(attribute)) = next {
                    let key = key_of(attribute)?;
                    for ((known, _), is_there) in self.fields.iter().zip(&mut is_there) {
                        *is_there |= known.as_bytes() == key;
                    }
                }
            }
        }
        let lacking = self.fields.iter().zip(is_there);
        let lacking = lacking.filter(|(_, is_there)| !is_there);
        Ok(lacking.flat_map(|((_, field), _)| field.clone()).collect())
    }
}

/// The next field, and its bytes with the tag.
#[expect(
    clippy::type_complexity,
    reason = "a field and where it lies, for three callers"
)]
fn next_raw<'a>(
    reader: &mut Reader<'a>,
) -> Result<Option<(&'a [u8], (u32, Field<'a>))>, WireError> {
    let before = reader.rest();
    let next = reader.next_field()?;
    let length = before.len() - reader.rest().len();
    Ok(next.map(|next| (before.get(..length).unwrap_or_default(), next)))
}

fn key_of(attribute: &[u8]) -> Result<&[u8], WireError> {
    let mut key: &[u8] = b"";
    let mut reader = Reader::new(attribute);
    while let Some(next) = reader.next_field()? {
        if let (1, Field::Bytes(bytes)) = next {
            key = bytes;
        }
    }
    Ok(key)
}

/// Writes the spans of a resource with more attributes, into its first piece or, where it has none, into a new one.
fn put_resource_spans(
    out: &mut Writer,
    resource_spans: &[u8],
    added: &[u8],
) -> Result<(), WireError> {
    let mut result = Ok(());
    out.message(1, |out| {
        let mut added = Some(added);
        let mut reader = Reader::new(resource_spans);
        loop {
            match next_raw(&mut reader) {
                Ok(Some((raw, (1, Field::Bytes(resource))))) => match added.take() {
                    Some(added) => out.message(1, |out| {
                        out.raw(resource);
                        out.raw(added);
                    }),
                    None => out.raw(raw),
                },
                Ok(Some((raw, _))) => out.raw(raw),
                Ok(None) => break,
                Err(error) => {
                    result = Err(error);
                    break;
                }
            }
        }
        if let Some(added) = added {
            out.bytes_field(1, added);
        }
    });
    result
}

#[cfg(test)]
mod tests {
    use model::batch::AttrValue;

    use super::*;
    use crate::otlp::decode_proto;

    fn span(writer: &mut Writer) {
        writer.message(2, |scope_spans| {
            scope_spans.message(2, |span| {
                span.bytes_field(1, &[7; 16]);
                span.bytes_field(2, &[8; 8]);
                span.bytes_field(99, b"from the future");
            });
        });
    }

    fn attribute(writer: &mut Writer, key: &str, value: &str) {
        writer.message(1, |attribute| {
            attribute.bytes_field(1, key.as_bytes());
            attribute.message(2, |any| any.bytes_field(1, value.as_bytes()));
        });
    }

    /// Two resources, the first behind its spans and in two pieces, the second without any; unknown fields everywhere.
    fn request() -> Vec<u8> {
        let mut out = Writer::new();
        out.message(1, |spans| {
            span(spans);
            spans.message(1, |resource| attribute(resource, "service.name", "shop"));
            spans.message(1, |resource| attribute(resource, "host.name", "own"));
            spans.varint_field(77, 5);
        });
        out.fixed32_field(50, 1);
        out.message(1, span);
        out.into_bytes()
    }

    fn pairs(pairs: &[(&str, &str)]) -> ResourceAttributes {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        ResourceAttributes::new(&pairs.iter().map(owned).collect::<Vec<_>>())
    }

    fn resources(request: &[u8]) -> Vec<Vec<(String, String)>> {
        let batch = decode_proto(request).unwrap().batch;
        let rows = 0..batch.len();
        let spans = rows.map(|row| batch.span(row).unwrap());
        spans
            .map(|span| {
                let resource = span.resource();
                let attributes = resource.attributes();
                let text = |value: AttrValue<'_>| match value {
                    AttrValue::String(text) => text.to_owned(),
                    other => format!("{other:?}"),
                };
                attributes
                    .map(|attribute| (attribute.key.to_owned(), text(attribute.value)))
                    .collect()
            })
            .collect()
    }

    fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn what_a_resource_lacks_is_added_and_what_it_has_stays() {
        let added = pairs(&[
            ("host.name", "agent"),
            ("os.type", "linux"),
            ("os.type", "x"),
        ]);
        let request = request();
        let changed = added.added_to(&request).unwrap();
        let expected = [
            owned(&[
                ("service.name", "shop"),
                ("os.type", "linux"),
                ("host.name", "own"),
            ]),
            owned(&[("host.name", "agent"), ("os.type", "linux")]),
        ];
        let mut found = resources(&changed);
        for (found, expected) in found.iter_mut().zip(expected) {
            found.sort();
            let mut expected = expected;
            expected.sort();
            assert_eq!(*found, expected);
        }
        // A second time there is nothing to add.
        assert!(matches!(added.added_to(&changed), Ok(Cow::Borrowed(_))));
        let unknown = changed.windows(15).filter(|at| at == b"from the future");
        assert_eq!(unknown.count(), 2);
    }

    #[test]
    fn a_request_that_lacks_nothing_is_not_copied_and_nonsense_is_refused() {
        let request = request();
        let nothing = pairs(&[]);
        assert!(nothing.is_empty());
        assert!(matches!(nothing.added_to(&request), Ok(Cow::Borrowed(_))));
        let some = pairs(&[("a", "b")]);
        for cut in 1..request.len() {
            // Cut anywhere: an error or a shorter request, never a panic.
            drop(some.added_to(&request[..cut]));
        }
        assert!(some.added_to(&[0x0a, 0x7f]).is_err());
    }
}
