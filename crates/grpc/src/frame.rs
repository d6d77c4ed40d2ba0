//! The five bytes before each message: one flag, four of length.
//!
//! Promises: the length is known before any memory is taken for the message; who reads checks it against a limit.

use bytes::{BufMut as _, Bytes, BytesMut};

/// Bytes before a message.
pub const PREFIX_BYTES: usize = 5;

/// What stands before a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix {
    /// Whether the message is compressed, as `grpc-encoding` says.
    pub is_compressed: bool,
    /// The bytes of the message as it is sent.
    pub length: u32,
}

/// A flag that is neither 0 nor 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadFlag(pub u8);

impl std::fmt::Display for BadFlag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the message's flag is {}, which is no flag", self.0)
    }
}

impl std::error::Error for BadFlag {}

impl Prefix {
    /// Reads the bytes before a message.
    ///
    /// # Errors
    /// When the flag is none.
    pub fn read([flag, a, b, c, d]: [u8; PREFIX_BYTES]) -> Result<Self, BadFlag> {
        if flag > 1 {
            return Err(BadFlag(flag));
        }
        Ok(Self {
            is_compressed: flag == 1,
            length: u32::from_be_bytes([a, b, c, d]),
        })
    }
}

/// Gathers the bytes before a message from pieces of a body, however they are cut.
#[derive(Debug, Default)]
pub struct PrefixReader {
    held: Vec<u8>,
}

impl PrefixReader {
    /// Tells whether no byte of a prefix came yet.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Takes what is missing off a piece. Gives the prefix once it is whole, and begins with the next one then.
    ///
    /// # Errors
    /// When the flag is none.
    pub fn push(&mut self, piece: &mut Bytes) -> Result<Option<Prefix>, BadFlag> {
        let missing = PREFIX_BYTES.saturating_sub(self.held.len());
        self.held
            .extend_from_slice(&piece.split_to(missing.min(piece.len())));
        let Some(whole) = self.held.first_chunk::<PREFIX_BYTES>() else {
            return Ok(None);
        };
        let prefix = Prefix::read(*whole)?;
        self.held.clear();
        Ok(Some(prefix))
    }
}

/// A message behind its prefix.
pub fn framed(message: &[u8], is_compressed: bool) -> Bytes {
    let mut framed = BytesMut::with_capacity(PREFIX_BYTES.saturating_add(message.len()));
    framed.put_u8(u8::from(is_compressed));
    framed.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    framed.put_slice(message);
    framed.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_read_however_the_body_is_cut() {
        let body = [&framed(b"spans", true)[..], &framed(b"", false)[..]].concat();
        for cut in 1..body.len() {
            let (mut reader, mut seen, mut skip) = (PrefixReader::default(), Vec::new(), 0);
            for piece in body.chunks(cut) {
                let mut piece = Bytes::copy_from_slice(piece);
                while !piece.is_empty() {
                    let message = piece.split_to(skip.min(piece.len()));
                    skip -= message.len();
                    if let Some(prefix) = reader.push(&mut piece).unwrap() {
                        skip = usize::try_from(prefix.length).unwrap();
                        seen.push((prefix.is_compressed, prefix.length));
                    }
                }
            }
            assert_eq!(seen, [(true, 5), (false, 0)], "in pieces of {cut}");
            assert!(reader.is_empty());
        }
    }

    #[test]
    fn a_flag_that_is_none_is_refused_before_the_length_counts() {
        assert_eq!(Prefix::read([2, 0, 0, 0, 0]), Err(BadFlag(2)));
        let longest = Prefix::read([0, 255, 255, 255, 255]).unwrap();
        assert_eq!(longest.length, u32::MAX);
        let text = BadFlag(2).to_string();
        assert_eq!(text, "the message's flag is 2, which is no flag");
    }
}
