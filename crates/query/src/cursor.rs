//! Cursors: where a page of a search ended, as an opaque text.
//!
//! base64url of version (1 byte), hash of the query (8), order value (8), trace id (16). Stateless: any replica can
//! go on, and new data never repeats or hides a trace of a later page. Promises: a cursor that was made by another
//! query, and a text that is no cursor, are refused.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::TraceId;
use model::contract::Position;

use crate::Error;

const VERSION: u8 = 1;
const CURSOR_BYTES: usize = 1 + 8 + 8 + 16;
/// How much of a bad cursor an error quotes, in characters.
const QUOTED_CHARS_MAX: usize = 80;

/// A hash (FNV-1a, 64 bits) of the words that make a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QueryHash(u64);

impl QueryHash {
    pub(crate) fn of(words: &str) -> Self {
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self(words.bytes().fold(0xcbf2_9ce4_8422_2325, step))
    }
}

/// The cursor behind a position.
pub(crate) fn encode(query: QueryHash, position: Position) -> String {
    let mut bytes = Vec::with_capacity(CURSOR_BYTES);
    bytes.push(VERSION);
    bytes.extend_from_slice(&query.0.to_be_bytes());
    bytes.extend_from_slice(&position.order_value.to_be_bytes());
    bytes.extend_from_slice(&position.trace_id.0);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The position that a cursor of this query stands for.
pub(crate) fn decode(query: QueryHash, cursor: &str) -> Result<Position, Error> {
    let parts = URL_SAFE_NO_PAD
        .decode(cursor)
        .ok()
        .and_then(|bytes| split(&bytes));
    let Some((hash, position)) = parts else {
        let cursor = cursor.chars().take(QUOTED_CHARS_MAX).collect();
        return Err(Error::BadCursor { cursor });
    };
    if hash != query {
        return Err(Error::ForeignCursor);
    }
    Ok(position)
}

fn split(bytes: &[u8]) -> Option<(QueryHash, Position)> {
    let (version, rest) = bytes.split_first()?;
    let (hash, rest) = rest.split_first_chunk::<8>()?;
    let (order_value, rest) = rest.split_first_chunk::<8>()?;
    let trace_id: [u8; 16] = rest.try_into().ok()?;
    (*version == VERSION).then_some((
        QueryHash(u64::from_be_bytes(*hash)),
        Position {
            order_value: u64::from_be_bytes(*order_value),
            trace_id: TraceId(trace_id),
        },
    ))
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
        let cursor = encode(query, position);
        assert_eq!(cursor.len(), 44);
        assert_eq!(decode(query, &cursor), Ok(position));
        assert_eq!(
            decode(QueryHash::of("two"), &cursor),
            Err(Error::ForeignCursor)
        );
    }

    #[test]
    fn texts_that_are_no_cursors_are_refused() {
        let query = QueryHash::of("one");
        let good = encode(
            query,
            Position {
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
                matches!(decode(query, bad), Err(Error::BadCursor { .. })),
                "{bad}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_cursor_or_refused_without_a_panic(
            text in proptest::prop_oneof!["[A-Za-z0-9_-]{0,80}", ".{0,80}"],
        ) {
            let _read = decode(QueryHash::of("q"), &text);
        }
    }
}
