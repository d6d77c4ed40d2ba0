//! Attribute values of OTLP/JSON: scalars straight into the builder, arrays and maps as the protobuf they stand for.
//!
//! Promises: an array or a map becomes the same bytes that a protobuf sender would have sent for it, so that equal
//! spans are equal whichever way they came. Recursion is bounded by [`VALUE_DEPTH_MAX`]; deeper levels are empty.

use model::batch::{AttributeCursor, PackedValue};
use model::value::packed::VALUE_DEPTH_MAX;

use super::{Decoder, list_of, messages_of};
use crate::json::scalar::{Unfit, bool_of, bytes_of, double_of, integer};
use crate::json::tape::Node;
use crate::otlp::encode::RESOURCE_ENTITY_REFS;
use crate::otlp::value::{field, put_value};
use crate::wire::Writer;

/// The fields of an `AnyValue` by protobuf's number, from 1.
const VALUE_NAMES: [&str; 8] = [
    "stringValue",
    "boolValue",
    "intValue",
    "doubleValue",
    "arrayValue",
    "kvlistValue",
    "bytesValue",
    "stringValueStrindex",
];

/// The one value that an `AnyValue` holds.
enum Found<'a> {
    Empty,
    /// A scalar: its field and its node.
    Scalar(u32, Node<'a>),
    /// An array or a map: its field and the node of its elements.
    List(u32, Option<Node<'a>>),
}

impl Decoder {
    /// Adds the attribute of a `KeyValue` object to its owner.
    pub(super) fn push_pair(
        &mut self,
        cursor: &mut AttributeCursor,
        pair: Node<'_>,
    ) -> Result<(), Unfit> {
        let [key, value] = self.pair(pair)?;
        let key = self.text(key, "key")?;
        match self.found(value)? {
            Found::Empty => self
                .builder
                .push_attribute(cursor, &key, PackedValue::Empty),
            Found::Scalar(field::STRING, node) => {
                let text = self.text(Some(node), "stringValue")?;
                self.builder
                    .push_attribute(cursor, &key, PackedValue::String(&text));
            }
            Found::Scalar(field::BYTES, node) => {
                let bytes = bytes_of(node, "bytesValue")?;
                self.builder
                    .push_attribute(cursor, &key, PackedValue::Bytes(&bytes));
            }
            Found::Scalar(number, node) => {
                self.builder
                    .push_attribute(cursor, &key, plain_value(number, node)?);
            }
            Found::List(number, list) => {
                let mut out = Writer::new();
                self.put_list(&mut out, list, number == field::MAP, 1)?;
                let bytes = out.as_bytes();
                let value = if number == field::MAP {
                    PackedValue::Map(bytes)
                } else {
                    PackedValue::Array(bytes)
                };
                self.builder.push_attribute(cursor, &key, value);
            }
        }
        Ok(())
    }

    fn pair<'a>(&mut self, node: Node<'a>) -> Result<[Option<Node<'a>>; 2], Unfit> {
        let [key, value, key_strindex] =
            self.fields(node, "attribute", ["key", "value", "keyStrindex"])?;
        self.notes.profile_fields += u64::from(key_strindex.is_some());
        Ok([key, value])
    }

    fn found<'a>(&mut self, node: Option<Node<'a>>) -> Result<Found<'a>, Unfit> {
        let Some(node) = node else {
            return Ok(Found::Empty);
        };
        let [values @ .., strindex] = self.fields(node, "value", VALUE_NAMES)?;
        self.notes.profile_fields += u64::from(strindex.is_some());
        let present = (field::STRING..)
            .zip(values)
            .filter_map(|(number, value)| Some((number, value?)));
        let Some((number, value)) = present.max_by_key(|(_, value)| value.byte()) else {
            return Ok(Found::Empty);
        };
        if !matches!(number, field::ARRAY | field::MAP) {
            return Ok(Found::Scalar(number, value));
        }
        let [list] = self.fields(value, "arrayValue or kvlistValue", ["values"])?;
        Ok(Found::List(number, list))
    }

    /// Writes the elements of an array or a map. `depth` is its level, from 1.
    fn put_list(
        &mut self,
        out: &mut Writer,
        list: Option<Node<'_>>,
        is_map: bool,
        depth: usize,
    ) -> Result<(), Unfit> {
        let mut written = Ok(());
        // In an array `null` is an empty value and keeps its place, in a map it is no pair.
        for element in list_of(list, "values")?.filter(|element| !is_map || !element.is_null()) {
            out.message(field::ELEMENT, |out| {
                written = if is_map {
                    self.put_pair(out, element, depth)
                } else {
                    self.put_any(out, Some(element).filter(|any| !any.is_null()), depth)
                };
            });
            std::mem::replace(&mut written, Ok(()))?;
        }
        Ok(())
    }

    fn put_pair(&mut self, out: &mut Writer, node: Node<'_>, depth: usize) -> Result<(), Unfit> {
        let [key, value] = self.pair(node)?;
        let key = self.repaired_text(key, "key")?;
        if !key.is_empty() {
            out.bytes_field(field::KEY, key.as_bytes());
        }
        let Some(value) = value else { return Ok(()) };
        let mut written = Ok(());
        out.message(field::VALUE, |out| {
            written = self.put_any(out, Some(value), depth);
        });
        written
    }

    fn put_any(
        &mut self,
        out: &mut Writer,
        node: Option<Node<'_>>,
        depth: usize,
    ) -> Result<(), Unfit> {
        match self.found(node)? {
            Found::Empty => {}
            Found::Scalar(field::STRING, node) => {
                let text = self.repaired_text(Some(node), "stringValue")?;
                out.bytes_field(field::STRING, text.as_bytes());
            }
            Found::Scalar(field::BYTES, node) => {
                out.bytes_field(field::BYTES, &bytes_of(node, "bytesValue")?);
            }
            Found::Scalar(number, node) => put_value(out, plain_value(number, node)?),
            Found::List(..) if depth >= VALUE_DEPTH_MAX => self.notes.truncated_values += 1,
            Found::List(number, list) => {
                let mut written = Ok(());
                let is_map = number == field::MAP;
                out.message(number, |out| {
                    written = self.put_list(out, list, is_map, depth + 1);
                });
                written?;
            }
        }
        Ok(())
    }

    fn repaired_text(&mut self, node: Option<Node<'_>>, name: &str) -> Result<String, Unfit> {
        let text = self.text(node, name)?.into_owned();
        Ok(String::from_utf8(text).unwrap_or_else(|broken| {
            self.notes.repaired_texts += 1;
            String::from_utf8_lossy(broken.as_bytes()).into_owned()
        }))
    }

    /// The entity refs of a resource as the fields that a protobuf sender would have sent.
    pub(super) fn entity_refs(&mut self, list: Option<Node<'_>>) -> Result<Vec<u8>, Unfit> {
        let mut out = Writer::new();
        for node in messages_of(list, "entityRefs")? {
            let names = ["schemaUrl", "type", "idKeys", "descriptionKeys"];
            let [schema_url, kind, id_keys, description_keys] =
                self.fields(node, "entityRef", names)?;
            let mut entity_ref = Writer::new();
            for (number, node) in [(1, schema_url), (2, kind)] {
                let text = self.repaired_text(node, "schemaUrl or type")?;
                if !text.is_empty() {
                    entity_ref.bytes_field(number, text.as_bytes());
                }
            }
            for (number, list) in [(3, id_keys), (4, description_keys)] {
                for key in messages_of(list, "idKeys or descriptionKeys")? {
                    let text = self.repaired_text(Some(key), "idKeys or descriptionKeys")?;
                    entity_ref.bytes_field(number, text.as_bytes());
                }
            }
            out.bytes_field(RESOURCE_ENTITY_REFS, entity_ref.as_bytes());
        }
        Ok(out.into_bytes())
    }
}

/// A bool, an int or a double.
fn plain_value(number: u32, node: Node<'_>) -> Result<PackedValue<'static>, Unfit> {
    match number {
        field::BOOL => bool_of(node, "boolValue").map(PackedValue::Bool),
        field::INT => {
            let must_be = "a whole number of 64 bits, or such a number as text";
            integer(Some(node), "intValue", must_be).map(PackedValue::Int)
        }
        _ => double_of(node, "doubleValue").map(PackedValue::Double),
    }
}
