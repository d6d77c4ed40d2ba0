//! Cursors: where a page of a search ended, as an opaque text.
//!
//! base64url of version (1 byte), hash of the query (8) and the place in the order: value (8) and trace id (16); of
//! spans also span id (8) and hash of what it holds (8). Stateless: any replica can go on, and new data never repeats
//! or hides anything of a later page. Promises: a cursor that was made by another query, and a text that is no cursor,
//! are refused.

use std::cmp::Reverse;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::contract::Position;
use model::{SpanId, SpanPosition, TraceId};

use crate::Error;

/// How much of a bad cursor an error quotes, in characters.
const QUOTED_CHARS_MAX: usize = 80;

/// Where a page can end.
pub(crate) trait Place: Sized {
    /// Tells cursors of one kind from those of another.
    const VERSION: u8;
    fn write(&self, bytes: &mut Vec<u8>);
    /// `None` if it is none.
    fn read(bytes: &[u8]) -> Option<Self>;
}

impl Place for Position {
    const VERSION: u8 = 1;

    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.order_value.to_be_bytes());
        bytes.extend_from_slice(&self.trace_id.0);
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (order_value, rest) = bytes.split_first_chunk::<8>()?;
        Some(Self {
            order_value: u64::from_be_bytes(*order_value),
            trace_id: TraceId(rest.try_into().ok()?),
        })
    }
}

impl Place for SpanPosition {
    const VERSION: u8 = 2;

    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.order_value.0.to_be_bytes());
        bytes.extend_from_slice(&self.trace_id.0);
        bytes.extend_from_slice(&self.span_id.0);
        bytes.extend_from_slice(&self.content.to_be_bytes());
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (order_value, rest) = bytes.split_first_chunk::<8>()?;
        let (trace_id, rest) = rest.split_first_chunk::<16>()?;
        let (span_id, rest) = rest.split_first_chunk::<8>()?;
        Some(Self {
            order_value: Reverse(u64::from_be_bytes(*order_value)),
            trace_id: TraceId(*trace_id),
            span_id: SpanId(*span_id),
            content: u64::from_be_bytes(rest.try_into().ok()?),
        })
    }
}

/// A hash (FNV-1a, 64 bits) of the words that make a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QueryHash(u64);

impl QueryHash {
    pub(crate) fn of(words: &str) -> Self {
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self(words.bytes().fold(0xcbf2_9ce4_8422_2325, step))
    }
}

/// The cursor behind a place.
pub(crate) fn encode<P: Place>(query: QueryHash, place: &P) -> String {
    let mut bytes = vec![P::VERSION];
    bytes.extend_from_slice(&query.0.to_be_bytes());
    place.write(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The place that a cursor of this query stands for.
pub(crate) fn decode<P: Place>(query: QueryHash, cursor: &str) -> Result<P, Error> {
    let parts = URL_SAFE_NO_PAD
        .decode(cursor)
        .ok()
        .and_then(|bytes| split(&bytes));
    let Some((hash, place)) = parts else {
        let cursor = cursor.chars().take(QUOTED_CHARS_MAX).collect();
        return Err(Error::BadCursor { cursor });
    };
    if hash != query {
        return Err(Error::ForeignCursor);
    }
    Ok(place)
}

fn split<P: Place>(bytes: &[u8]) -> Option<(QueryHash, P)> {
    let (version, rest) = bytes.split_first()?;
    let (hash, rest) = rest.split_first_chunk::<8>()?;
    let place = P::read(rest).filter(|_| *version == P::VERSION)?;
    Some((QueryHash(u64::from_be_bytes(*hash)), place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_gives_its_position_back_to_its_own_query_only() {
        let position = Position {
            order_value: u64::MAX - 7,
            trace_id: TraceId([9; 16]),
        };
        let query = QueryHash::of("one");
        let cursor = encode(query, &position);
        assert_eq!(cursor.len(), 44);
        assert_eq!(decode(query, &cursor), Ok(position));
        assert_eq!(
            decode::<Position>(QueryHash::of("two"), &cursor),
            Err(Error::ForeignCursor)
        );
        let of_span = SpanPosition {
            order_value: Reverse(7),
            trace_id: TraceId([9; 16]),
            span_id: SpanId([3; 8]),
            content: u64::MAX - 1,
        };
        let span_cursor = encode(query, &of_span);
        assert_eq!(decode(query, &span_cursor), Ok(of_span));
        // Of one kind of list it is none of the other.
        assert!(decode::<Position>(query, &span_cursor).is_err());
        assert!(decode::<SpanPosition>(query, &cursor).is_err());
    }

    #[test]
    fn texts_that_are_no_cursors_are_refused() {
        let query = QueryHash::of("one");
        let good = encode(
            query,
            &Position {
                order_value: 1,
                trace_id: TraceId([1; 16]),
            },
        );
        let other_version = format!("Ag{}", good.get(2..).unwrap());
        for bad in [
            "",
            "!",
            "AQ",
            good.get(1..).unwrap(),
            &format!("{good}AA"),
            &other_version,
        ] {
            assert!(
                matches!(decode::<Position>(query, bad), Err(Error::BadCursor { .. })),
                "{bad}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_cursor_or_refused_without_a_panic(
            text in proptest::prop_oneof!["[A-Za-z0-9_-]{0,80}", ".{0,80}"],
        ) {
            let _read = decode::<Position>(QueryHash::of("q"), &text);
            let _read = decode::<SpanPosition>(QueryHash::of("q"), &text);
        }
    }
}
