//! Writes Thrift in both protocols, for tests and examples; the library only reads it.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a helper that several programs include"
)]

/// A struct or a message that is being written.
#[derive(Debug, Default)]
pub struct Thrift {
    pub out: Vec<u8>,
    pub is_compact: bool,
    /// The id of the field before, of each struct that is open.
    ids: Vec<i16>,
}

impl Thrift {
    /// The bytes of a bare struct.
    pub fn of(is_compact: bool, write: impl FnOnce(&mut Self)) -> Vec<u8> {
        let mut thrift = Self {
            is_compact,
            ..Self::default()
        };
        thrift.element(write);
        thrift.out
    }

    /// The bytes of a message: its head and the struct of its arguments.
    pub fn message(
        is_compact: bool,
        kind: u8,
        name: &str,
        write: impl FnOnce(&mut Self),
    ) -> Vec<u8> {
        let mut thrift = Self {
            is_compact,
            ..Self::default()
        };
        if is_compact {
            thrift.out.extend([0x82, kind << 5 | 1, 7]);
            thrift.length(name.len());
            thrift.out.extend(name.as_bytes());
        } else {
            thrift.out.extend([0x80, 1, 0, kind]);
            thrift.length(name.len());
            thrift.out.extend(name.as_bytes());
            thrift.out.extend(7i32.to_be_bytes());
        }
        thrift.element(write);
        thrift.out
    }

    fn varint(&mut self, mut number: u64) {
        while number > 0x7f {
            self.out.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.out.push(number as u8);
    }

    fn zigzag(&mut self, number: i64) {
        self.varint((number << 1 ^ number >> 63).cast_unsigned());
    }

    fn length(&mut self, length: usize) {
        if self.is_compact {
            self.varint(length as u64);
        } else {
            self.out
                .extend(i32::try_from(length).unwrap().to_be_bytes());
        }
    }

    fn field(&mut self, id: i16, binary: u8, compact: u8) {
        let before = std::mem::replace(self.ids.last_mut().unwrap(), id);
        if !self.is_compact {
            self.out.push(binary);
            self.out.extend(id.to_be_bytes());
        } else if (1..16).contains(&(id - before)) {
            self.out.push(((id - before) as u8) << 4 | compact);
        } else {
            self.out.push(compact);
            self.zigzag(i64::from(id));
        }
    }

    pub fn bool(&mut self, id: i16, is: bool) {
        self.field(id, 2, if is { 1 } else { 2 });
        if !self.is_compact {
            self.out.push(u8::from(is));
        }
    }

    pub fn i32(&mut self, id: i16, number: i32) {
        self.field(id, 8, 5);
        if self.is_compact {
            self.zigzag(i64::from(number));
        } else {
            self.out.extend(number.to_be_bytes());
        }
    }

    pub fn i64(&mut self, id: i16, number: i64) {
        self.field(id, 10, 6);
        if self.is_compact {
            self.zigzag(number);
        } else {
            self.out.extend(number.to_be_bytes());
        }
    }

    pub fn double(&mut self, id: i16, number: f64) {
        self.field(id, 4, 7);
        if self.is_compact {
            self.out.extend(number.to_le_bytes());
        } else {
            self.out.extend(number.to_be_bytes());
        }
    }

    pub fn bytes(&mut self, id: i16, bytes: &[u8]) {
        self.field(id, 11, 8);
        self.length(bytes.len());
        self.out.extend(bytes);
    }

    /// A field that is a struct.
    pub fn message_field(&mut self, id: i16, write: impl FnOnce(&mut Self)) {
        self.field(id, 12, 12);
        self.element(write);
    }

    /// A field that is a list of structs; so many elements must follow.
    pub fn list(&mut self, id: i16, count: usize) {
        self.field(id, 15, 9);
        if !self.is_compact {
            self.out.push(12);
            self.length(count);
        } else if count < 15 {
            self.out.push((count as u8) << 4 | 12);
        } else {
            self.out.push(0xfc);
            self.length(count);
        }
    }

    /// A struct that is an element of a list.
    pub fn element(&mut self, write: impl FnOnce(&mut Self)) {
        self.ids.push(0);
        write(self);
        self.ids.pop();
        self.out.push(0);
    }
}
