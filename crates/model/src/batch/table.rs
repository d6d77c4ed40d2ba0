//! The tables that a batch's rows point into: texts, blobs, shapes.
//!
//! All are append-only and never give an index that they don't hold. An index of another batch gives the empty
//! text, the empty blob or the empty shape, never a panic.

#![allow(
    clippy::cast_possible_truncation,
    reason = "a batch is bounded by the request limit, far below 2^32 bytes"
)]

use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use crate::value::ValueType;

/// A text of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Symbol(pub u32);

impl Symbol {
    /// The empty text, in every batch.
    pub const EMPTY: Self = Self(0);
}

/// Distinct texts, each once.
#[derive(Debug, Clone)]
pub struct StringTable {
    bytes: Vec<u8>,
    ends: Vec<u32>,
    index: HashTable<u32>,
    hasher: RandomState,
}

impl Default for StringTable {
    fn default() -> Self {
        // Symbol 0 is the empty text; it is found without the index.
        Self {
            bytes: Vec::new(),
            ends: vec![0],
            index: HashTable::new(),
            hasher: RandomState::default(),
        }
    }
}

impl StringTable {
    /// The number of distinct texts, the empty one included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Tells whether there is nothing but the empty text.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.len() == 1
    }

    /// The text of a symbol.
    #[must_use]
    pub fn get(&self, symbol: Symbol) -> &str {
        // Only valid UTF-8 is ever interned; the check costs less than the branch it would save.
        std::str::from_utf8(self.get_bytes(symbol)).unwrap_or_default()
    }

    /// The text of a symbol as bytes.
    #[inline]
    #[must_use]
    pub fn get_bytes(&self, symbol: Symbol) -> &[u8] {
        let index = symbol.0 as usize;
        let Some(&end) = self.ends.get(index) else {
            return &[];
        };
        let start = if index == 0 {
            0
        } else {
            self.ends.get(index - 1).copied().unwrap_or(0)
        };
        self.bytes
            .get(start as usize..end as usize)
            .unwrap_or_default()
    }

    /// The symbol of a text that is in the table.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<Symbol> {
        self.find_bytes(text.as_bytes(), self.hasher.hash_one(text.as_bytes()))
    }

    fn find_bytes(&self, text: &[u8], hash: u64) -> Option<Symbol> {
        if text.is_empty() {
            return Some(Symbol::EMPTY);
        }
        self.index
            .find(hash, |&at| self.get_bytes(Symbol(at)) == text)
            .map(|&at| Symbol(at))
    }

    /// The symbol of a text, which is added if it is new. The flag says that it was no UTF-8 and was repaired.
    ///
    /// *Cost*: one hash and one comparison; UTF-8 is checked only when a text is new.
    pub(super) fn intern(&mut self, text: &[u8]) -> (Symbol, bool) {
        if text.is_empty() {
            return (Symbol::EMPTY, false);
        }
        let hash = self.hasher.hash_one(text);
        if let Some(symbol) = self.find_bytes(text, hash) {
            return (symbol, false);
        }
        if std::str::from_utf8(text).is_ok() {
            return (self.add(text, hash), false);
        }
        let repaired = String::from_utf8_lossy(text);
        let hash = self.hasher.hash_one(repaired.as_bytes());
        let known = self.find_bytes(repaired.as_bytes(), hash);
        (
            known.unwrap_or_else(|| self.add(repaired.as_bytes(), hash)),
            true,
        )
    }

    fn add(&mut self, text: &[u8], hash: u64) -> Symbol {
        let symbol = self.ends.len() as u32;
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len() as u32);
        let (bytes, ends, hasher) = (&self.bytes, &self.ends, &self.hasher);
        self.index.insert_unique(hash, symbol, |&at| {
            let start = ends
                .get((at as usize).wrapping_sub(1))
                .copied()
                .unwrap_or(0) as usize;
            let end = ends.get(at as usize).copied().unwrap_or(0) as usize;
            hasher.hash_one(bytes.get(start..end).unwrap_or_default())
        });
        Symbol(symbol)
    }

    pub(super) fn size_bytes(&self) -> usize {
        self.bytes.capacity() + self.ends.capacity() * 4 + self.index.capacity() * 5
    }
}

/// Values that don't fit in 64 bits and are no text.
#[derive(Debug, Clone, Default)]
pub struct BlobTable {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl BlobTable {
    /// The bytes of a blob.
    #[must_use]
    pub fn get(&self, index: u64) -> &[u8] {
        let Ok(index) = usize::try_from(index) else {
            return &[];
        };
        let Some(&end) = self.ends.get(index) else {
            return &[];
        };
        let start = index
            .checked_sub(1)
            .and_then(|before| self.ends.get(before))
            .copied()
            .unwrap_or(0);
        self.bytes
            .get(start as usize..end as usize)
            .unwrap_or_default()
    }

    pub(super) fn add(&mut self, bytes: &[u8]) -> u64 {
        self.bytes.extend_from_slice(bytes);
        self.ends.push(self.bytes.len() as u32);
        self.ends.len() as u64 - 1
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn truncate(&mut self, len: usize) {
        self.ends.truncate(len);
        self.bytes
            .truncate(self.ends.last().copied().unwrap_or(0) as usize);
    }

    pub(super) fn size_bytes(&self) -> usize {
        self.bytes.capacity() + self.ends.capacity() * 4
    }
}

/// A shape of a batch: an ordered list of keys and types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct ShapeId(pub u32);

impl ShapeId {
    /// No attributes, in every batch.
    pub const EMPTY: Self = Self(0);
}

/// One place of a shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FieldOfShape {
    /// The attribute's key.
    pub key: Symbol,
    /// The value's type.
    pub value_type: ValueType,
}

/// The attributes of one owner: a shape, and as many values from `first_value` on as the shape has fields.
///
/// A value's 64 bits are, by type: the [`Symbol`] of a text; 0 or 1; the int; the double's bits; the index of a
/// blob (array, map, bytes); 0 (empty).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attributes {
    /// Their keys and types.
    pub shape: ShapeId,
    /// Where their values begin in [`super::SpanBatch::values`].
    pub first_value: u32,
}

/// Distinct shapes, found by walking a trie key by key.
#[derive(Debug, Clone)]
pub struct ShapeTable {
    ranges: Vec<(u32, u32)>,
    fields: Vec<FieldOfShape>,
    nodes: Vec<Node>,
    children: HashTable<u32>,
    hasher: RandomState,
}

const NONE: u32 = u32::MAX;

#[derive(Debug, Clone, Copy)]
struct Node {
    parent: u32,
    field: FieldOfShape,
    /// The child that was taken last: the next owner most likely takes it too, which saves hashing its key.
    last_child: u32,
    /// The shape that ends here, or [`NONE`].
    shape: u32,
}

impl Default for ShapeTable {
    fn default() -> Self {
        let field = FieldOfShape {
            key: Symbol::EMPTY,
            value_type: ValueType::Empty,
        };
        let root = Node {
            parent: NONE,
            field,
            last_child: NONE,
            shape: 0,
        };
        Self {
            ranges: vec![(0, 0)],
            fields: Vec::new(),
            nodes: vec![root],
            children: HashTable::new(),
            hasher: RandomState::default(),
        }
    }
}

impl ShapeTable {
    /// The number of shapes, the empty one included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ranges.len()
    }

    /// Tells whether there is nothing but the empty shape.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranges.len() == 1
    }

    /// The keys and types of a shape, in order.
    #[inline]
    #[must_use]
    pub fn fields(&self, shape: ShapeId) -> &[FieldOfShape] {
        let (start, end) = self.ranges.get(shape.0 as usize).copied().unwrap_or((0, 0));
        self.fields
            .get(start as usize..end as usize)
            .unwrap_or_default()
    }

    /// One step down the trie. `intern` is asked for the key's symbol only when the key is not the one taken last.
    #[inline]
    pub(super) fn step(
        &mut self,
        node: u32,
        key: &[u8],
        value_type: ValueType,
        strings: &mut StringTable,
    ) -> (u32, bool) {
        if let Some(from) = self.nodes.get(node as usize)
            && let Some(child) = self.nodes.get(from.last_child as usize)
            && child.field.value_type == value_type
            && strings.get_bytes(child.field.key) == key
        {
            return (from.last_child, false);
        }
        let (key, repaired) = strings.intern(key);
        (
            self.step_symbol(node, FieldOfShape { key, value_type }),
            repaired,
        )
    }

    pub(super) fn step_symbol(&mut self, node: u32, field: FieldOfShape) -> u32 {
        let hash = self
            .hasher
            .hash_one((node, field.key.0, field.value_type as u8));
        let nodes = &self.nodes;
        let is_child = |&at: &u32| {
            nodes
                .get(at as usize)
                .is_some_and(|n| n.parent == node && n.field == field)
        };
        let child = match self.children.find(hash, is_child) {
            Some(&child) => child,
            None => self.add_node(node, field, hash),
        };
        if let Some(from) = self.nodes.get_mut(node as usize) {
            from.last_child = child;
        }
        child
    }

    fn add_node(&mut self, parent: u32, field: FieldOfShape, hash: u64) -> u32 {
        let at = self.nodes.len() as u32;
        self.nodes.push(Node {
            parent,
            field,
            last_child: NONE,
            shape: NONE,
        });
        let (nodes, hasher) = (&self.nodes, &self.hasher);
        self.children.insert_unique(hash, at, |&other| {
            let node = nodes.get(other as usize);
            node.map_or(0, |n| {
                hasher.hash_one((n.parent, n.field.key.0, n.field.value_type as u8))
            })
        });
        at
    }

    /// The shape of the path from the root to a node.
    pub(super) fn shape_of(&mut self, node: u32) -> ShapeId {
        let known = self.nodes.get(node as usize).map_or(0, |n| n.shape);
        if known != NONE {
            return ShapeId(known);
        }
        let start = self.fields.len();
        let mut at = node;
        while let Some(n) = self.nodes.get(at as usize).filter(|n| n.parent != NONE) {
            self.fields.push(n.field);
            at = n.parent;
        }
        if let Some(path) = self.fields.get_mut(start..) {
            path.reverse();
        }
        let shape = self.ranges.len() as u32;
        self.ranges.push((start as u32, self.fields.len() as u32));
        if let Some(n) = self.nodes.get_mut(node as usize) {
            n.shape = shape;
        }
        ShapeId(shape)
    }

    /// Forgets the way to new shapes; the shapes stay.
    pub(super) fn seal(&mut self) {
        self.nodes = Vec::new();
        self.children = HashTable::new();
        self.fields.shrink_to_fit();
    }

    pub(super) fn size_bytes(&self) -> usize {
        self.ranges.capacity() * 8
            + self.fields.capacity() * 8
            + self.nodes.capacity() * 20
            + self.children.capacity() * 5
    }
}
