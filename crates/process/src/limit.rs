//! Cuts what is too long or too many, and counts what was cut where OTLP counts it.
//!
//! Promises: texts are cut between characters; the first attributes, events and links stay; what is cut off goes into
//! the `dropped_…_count` of its owner. A second time through, nothing more is cut.
//! Refuses: cutting arrays and maps in their middle: one that is too long is left out whole and counted.

use std::borrow::Cow;

use model::batch::{AttrValue, FieldOfShape, ShapeId};
use model::contract::Processed;
use model::value::ValueType;
use model::{SpanBatch, Symbol, Value};

use crate::pipeline::{Step, With, apply_rewrite};
use crate::reader::Reader;
use crate::rewrite::{Cell, Fields, Owner, Rewrite, TextOf};

/// The limits; `usize::MAX` is none.
#[derive(Debug, Clone)]
pub(crate) struct LimitOptions {
    attributes_max: usize,
    events_max: usize,
    links_max: usize,
    key_bytes_max: usize,
    value_bytes_max: usize,
}

impl LimitOptions {
    /// Reads the keys of a step.
    pub(crate) fn read(keys: &mut Reader<'_>) -> Option<Self> {
        let mut limit = |key, least| {
            let count = keys.count(key, least);
            count.map_or(usize::MAX, |count| {
                usize::try_from(count).unwrap_or(usize::MAX)
            })
        };
        let options = Self {
            attributes_max: limit("attributes_max", 0),
            events_max: limit("events_max", 0),
            links_max: limit("links_max", 0),
            key_bytes_max: limit("key_bytes_max", 1),
            value_bytes_max: limit("value_bytes_max", 1),
        };
        let limits = [
            options.attributes_max,
            options.events_max,
            options.links_max,
            options.key_bytes_max,
            options.value_bytes_max,
        ];
        limits
            .iter()
            .any(|limit| *limit != usize::MAX)
            .then_some(options)
    }
}

impl LimitOptions {
    /// Tells whether anything of a batch could be over a limit; `false` is certain.
    fn may_touch(&self, batch: &SpanBatch) -> bool {
        let text_max = self.key_bytes_max.min(self.value_bytes_max);
        let numbers = |len: usize| (0..len).filter_map(|at| u32::try_from(at).ok());
        let mut texts = numbers(batch.strings().len()).map(Symbol);
        let mut shapes = numbers(batch.shapes().len()).map(|at| batch.shapes().fields(ShapeId(at)));
        let is_bytes = |field: &FieldOfShape| {
            use ValueType as T;
            matches!(field.value_type, T::Bytes | T::Array | T::Map)
        };
        let has_limit = self.value_bytes_max != usize::MAX;
        texts.any(|text| batch.strings().get_bytes(text).len() > text_max)
            || shapes.any(|fields| {
                fields.len() > self.attributes_max || has_limit && fields.iter().any(is_bytes)
            })
            || batch.iter().any(|span| {
                span.events().len() > self.events_max || span.links().len() > self.links_max
            })
    }
}

/// The part of a text that fits.
fn cut(text: &str, bytes_max: usize) -> Option<&str> {
    if text.len() <= bytes_max {
        return None;
    }
    text.get(..text.floor_char_boundary(bytes_max))
}

impl Rewrite for LimitOptions {
    fn attributes(&self, _owner: Owner, fields: &mut Fields<'_>) {
        let before = fields.pairs.len();
        let mut is_changed = false;
        fields.pairs.retain_mut(|pair| {
            if let Some(short) = cut(&pair.key, self.key_bytes_max) {
                pair.key = Cow::Owned(short.to_owned());
                is_changed = true;
            }
            let bytes_max = self.value_bytes_max;
            let short = match &pair.value {
                Cell::Old(AttrValue::String(text)) => {
                    cut(text, bytes_max).map(|text| Value::String(text.to_owned()))
                }
                Cell::Old(AttrValue::Bytes(raw)) if raw.len() > bytes_max => Some(Value::Bytes(
                    raw.get(..bytes_max).unwrap_or_default().to_vec(),
                )),
                Cell::Old(AttrValue::Array(raw) | AttrValue::Map(raw)) => {
                    return raw.len() <= bytes_max;
                }
                _ => None,
            };
            if let Some(short) = short {
                pair.value = Cell::New(short);
                is_changed = true;
            }
            true
        });
        fields.pairs.truncate(self.attributes_max);
        let gone = before - fields.pairs.len();
        fields.dropped = fields
            .dropped
            .saturating_add(u32::try_from(gone).unwrap_or(u32::MAX));
        fields.is_changed = is_changed || gone > 0;
    }

    fn text(&self, _of: TextOf, text: &str) -> Option<String> {
        cut(text, self.value_bytes_max).map(str::to_owned)
    }

    fn events_and_links_max(&self) -> (usize, usize) {
        (self.events_max, self.links_max)
    }
}

impl Step for LimitOptions {
    fn apply(&self, _with: &With<'_>, work: &mut Processed) {
        if self.may_touch(&work.batch) {
            apply_rewrite(work, self);
        }
    }
}
