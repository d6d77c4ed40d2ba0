//! The attributes of one owner while they are written: no more than an owner may have.

use model::BatchBuilder;
use model::batch::{AttributeCursor, Attributes, PackedValue};

use crate::ATTRIBUTES_PER_OWNER_MAX;
use crate::notes::Notes;

/// Attributes that are being written.
pub(crate) struct AttributeWriter {
    cursor: AttributeCursor,
    count: usize,
    cut_off: u32,
}

impl AttributeWriter {
    pub(crate) fn begin(builder: &BatchBuilder) -> Self {
        Self {
            cursor: builder.begin_attributes(),
            count: 0,
            cut_off: 0,
        }
    }

    /// Where the next attribute is to be written, if the owner may have one more.
    #[inline]
    pub(crate) fn admit(&mut self) -> Option<&mut AttributeCursor> {
        if self.count == ATTRIBUTES_PER_OWNER_MAX {
            self.cut_off = self.cut_off.saturating_add(1);
            return None;
        }
        self.count += 1;
        Some(&mut self.cursor)
    }

    /// Writes an attribute.
    #[inline]
    pub(crate) fn push(&mut self, builder: &mut BatchBuilder, key: &[u8], value: PackedValue<'_>) {
        if let Some(cursor) = self.admit() {
            builder.push_attribute(cursor, key, value);
        }
    }

    /// The attributes, and the number of dropped ones with those that were cut off here.
    pub(crate) fn finish(
        self,
        builder: &mut BatchBuilder,
        notes: &mut Notes,
        dropped: u32,
    ) -> (Attributes, u32) {
        notes.truncated_values += u64::from(self.cut_off);
        (
            builder.finish_attributes(self.cursor),
            dropped.saturating_add(self.cut_off),
        )
    }
}
