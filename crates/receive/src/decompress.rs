//! Compressed bodies: which kinds we read, and reading them without ever holding more than the limit.
//!
//! Promises
//! - The limit is on decompressed bytes and is counted while they stream; the ratio is no criterion.
//! - A bomb that says what it unpacks to costs 2 MiB of memory, and one that lies no more than an honest body of its
//!   compressed size: what unpacks to much more is first counted, then read.
//! - Several gzip members or zstd frames in a row are one body; anything behind the last one is an error.
//!
//! Refuses: zstd windows over 8 MiB, dictionaries, several encodings on top of each other.

use std::io::{ErrorKind, Read};

use flate2::bufread::{MultiGzDecoder, ZlibDecoder};
use http::HeaderValue;
use plumbing::Reservation;

use crate::limits::ZSTD_WINDOW_LOG_MAX;
use crate::refusal::{Refusal, shorten_to};

/// The encodings that are taken, as a header value.
pub(crate) const ENCODINGS_ACCEPTED: &str = "identity, gzip, zstd, deflate";

/// Bodies that unpack to no more than this are decompressed in one go. For larger ones see [`Plan`].
const AT_ONCE_BYTES_MIN: usize = 2 * 1024 * 1024;
/// A body that does not say what it unpacks to is decompressed in one go up to so many times its size: spans of real
/// services are squeezed to a tenth or so, a bomb to a thousandth.
const RATIO_UNSAID_MAX: usize = 16;
/// A body that says what it unpacks to is believed up to so many times its size.
const RATIO_SAID_MAX: usize = 64;
/// How much is read at a time when only counting; also the first memory taken.
const STEP_BYTES: usize = 64 * 1024;

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    /// Not at all.
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
    /// RFC 1950, which HTTP calls deflate.
    Deflate,
}

impl Compression {
    /// Reads a `Content-Encoding` or `grpc-encoding`; none is [`Compression::Identity`].
    pub(crate) fn of_header(value: Option<&HeaderValue>) -> Result<Self, Refusal> {
        let Some(value) = value else {
            return Ok(Self::Identity);
        };
        let name = String::from_utf8_lossy(value.as_bytes());
        match name.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Ok(Self::Identity),
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            "zstd" => Ok(Self::Zstd),
            "deflate" | "zlib" => Ok(Self::Deflate),
            _ => Err(Refusal::UnknownEncoding {
                given: shorten_to(&name, 100),
                accepted: ENCODINGS_ACCEPTED,
            }),
        }
    }

    fn reader<'a>(self, compressed: &'a [u8]) -> std::io::Result<Box<dyn Read + 'a>> {
        Ok(match self {
            Self::Identity => Box::new(compressed),
            Self::Gzip => Box::new(MultiGzDecoder::new(compressed)),
            Self::Deflate => Box::new(Zlib(ZlibDecoder::new(compressed))),
            Self::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(compressed)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
                Box::new(decoder)
            }
        })
    }
}

/// A zlib stream with nothing behind it.
struct Zlib<'a>(ZlibDecoder<&'a [u8]>);

impl Read for Zlib<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.0.read(buffer)?;
        if read == 0 && !buffer.is_empty() && !self.0.get_ref().is_empty() {
            let text = "there are bytes behind the end of the stream";
            return Err(std::io::Error::new(ErrorKind::InvalidData, text));
        }
        Ok(read)
    }
}

/// Decompresses a body of at most `bytes_max` bytes, taking its memory from the reservation first.
pub(crate) fn decompress(
    compression: Compression,
    compressed: &[u8],
    bytes_max: u64,
    held: &mut Reservation,
) -> Result<Vec<u8>, Refusal> {
    let bytes_max = if plumbing::planted("receive-limit-after-decompression-missing") {
        u64::MAX
    } else {
        bytes_max
    };
    let too_large = || Refusal::TooLarge {
        what: "the decompressed request",
        bytes_max,
    };
    if compressed.is_empty() {
        return Ok(Vec::new());
    }
    let mut reader = compression
        .reader(compressed)
        .map_err(|error| malformed(&error))?;
    let mut plain = Vec::new();
    let plan = Plan::of(
        compression,
        compressed,
        usize::try_from(bytes_max).unwrap_or(usize::MAX),
    );
    if read_at_once(&mut *reader, &mut plain, &plan, held)? {
        return if exceeds(plain.len(), bytes_max) {
            Err(too_large())
        } else {
            Ok(plain)
        };
    }
    // What was read is let go before the rest is counted: it is read again, in one piece.
    let (already, freed) = (plain.len() + 1, plain.capacity());
    drop(plain);
    held.shrink_to(
        held.bytes()
            .saturating_sub(u64::try_from(freed).unwrap_or(u64::MAX)),
    );
    let bytes = count(&mut *reader, already, bytes_max)?.ok_or_else(too_large)?;
    grow(held, bytes)?;
    let mut plain = Vec::with_capacity(bytes);
    compression
        .reader(compressed)
        .and_then(|mut again| again.read_to_end(&mut plain))
        .map_err(|e| malformed(&e))?;
    Ok(plain)
}

/// How much of a body is decompressed without counting it first, and how much memory is taken to begin with.
#[derive(Debug)]
struct Plan {
    first_step: usize,
    at_once: usize,
}

impl Plan {
    fn of(compression: Compression, compressed: &[u8], bytes_max: usize) -> Self {
        let ratio = |ratio: usize| {
            compressed
                .len()
                .saturating_mul(ratio)
                .max(AT_ONCE_BYTES_MIN)
                .min(bytes_max)
        };
        match said_size(compression, compressed) {
            Some(said) if said <= ratio(RATIO_SAID_MAX) => Self {
                first_step: said,
                at_once: said,
            },
            Some(_) => Self {
                first_step: STEP_BYTES,
                at_once: AT_ONCE_BYTES_MIN.min(bytes_max),
            },
            None => Self {
                first_step: STEP_BYTES,
                at_once: ratio(RATIO_UNSAID_MAX),
            },
        }
    }
}

/// What a body says of its decompressed size: true of honest bodies of one member or frame, a guess of others.
fn said_size(compression: Compression, compressed: &[u8]) -> Option<usize> {
    let said = match compression {
        Compression::Identity | Compression::Deflate => None,
        Compression::Gzip => compressed
            .last_chunk::<4>()
            .map(|tail| u64::from(u32::from_le_bytes(*tail))),
        Compression::Zstd => zstd::zstd_safe::get_frame_content_size(compressed)
            .ok()
            .flatten(),
    };
    said.and_then(|said| usize::try_from(said).ok())
}

/// Reads as much as is planned; tells whether that was all. When it was not, one byte more was read and lost.
fn read_at_once(
    reader: &mut dyn Read,
    plain: &mut Vec<u8>,
    plan: &Plan,
    held: &mut Reservation,
) -> Result<bool, Refusal> {
    while plain.len() < plan.at_once {
        let step = if plain.capacity() == 0 {
            plan.first_step
        } else {
            plain.capacity()
        };
        let step = step.min(plan.at_once - plain.len());
        grow(held, step)?;
        plain.reserve_exact(step);
        let before = plain.len();
        let taken = u64::try_from(step).unwrap_or(0);
        (&mut *reader)
            .take(taken)
            .read_to_end(plain)
            .map_err(|error| malformed(&error))?;
        if plain.len() < before + step {
            return Ok(true);
        }
    }
    // The end must be read to be checked: sums of what was read stand there.
    let mut one_more = Vec::new();
    (&mut *reader)
        .take(1)
        .read_to_end(&mut one_more)
        .map_err(|error| malformed(&error))?;
    Ok(one_more.is_empty())
}

/// Reads to the end without keeping anything; gives the size of the whole, or nothing when it is over the limit.
fn count(reader: &mut dyn Read, already: usize, bytes_max: u64) -> Result<Option<usize>, Refusal> {
    let mut scratch = vec![0u8; STEP_BYTES];
    let mut bytes = already;
    loop {
        if exceeds(bytes, bytes_max) {
            return Ok(None);
        }
        match reader.read(&mut scratch) {
            Ok(0) => return Ok(Some(bytes)),
            Ok(read) => bytes += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(malformed(&error)),
        }
    }
}

/// Takes memory from the budget for bytes that are about to be held.
pub(crate) fn grow(held: &mut Reservation, bytes: usize) -> Result<(), Refusal> {
    if plumbing::planted("receive-budget-ignored") {
        return Ok(());
    }
    let before = held.bytes();
    let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
    held.grow(bytes)
        .map_err(|exceeded| Refusal::over_budget(before, &exceeded))
}

fn exceeds(bytes: usize, bytes_max: u64) -> bool {
    u64::try_from(bytes).map_or(true, |bytes| bytes > bytes_max)
}

fn malformed(error: &std::io::Error) -> Refusal {
    Refusal::Malformed {
        reason: format!("the body can't be decompressed: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    use plumbing::ByteBudget;

    const LIMIT: u64 = 64 * 1024 * 1024;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn read(
        compression: Compression,
        compressed: &[u8],
        bytes_max: u64,
    ) -> Result<Vec<u8>, Refusal> {
        let budget = ByteBudget::new(4 * LIMIT);
        let mut held = budget.reserve(0).unwrap();
        let plain = decompress(compression, compressed, bytes_max, &mut held)?;
        assert!(
            usize::try_from(held.bytes()).unwrap() >= plain.capacity(),
            "more memory than was reserved"
        );
        Ok(plain)
    }

    fn decompress_in(
        budget: &ByteBudget,
        compression: Compression,
        compressed: &[u8],
    ) -> Result<Vec<u8>, Refusal> {
        let mut held = budget.reserve(0).unwrap();
        decompress(compression, compressed, LIMIT, &mut held)
    }

    fn text(bytes: usize) -> Vec<u8> {
        (0..bytes)
            .map(|at| u8::try_from(at * at % 251).unwrap())
            .collect()
    }

    #[test]
    fn gives_back_what_was_compressed_at_every_size_around_the_steps() {
        let sizes = [
            0,
            1,
            STEP_BYTES - 1,
            STEP_BYTES,
            STEP_BYTES + 1,
            3 * STEP_BYTES,
        ];
        let large = [
            AT_ONCE_BYTES_MIN - 1,
            AT_ONCE_BYTES_MIN,
            AT_ONCE_BYTES_MIN + 1,
            3 * AT_ONCE_BYTES_MIN,
        ];
        for size in sizes.into_iter().chain(large) {
            let plain = text(size);
            assert!(
                read(Compression::Gzip, &gzip(&plain), LIMIT).unwrap() == plain,
                "gzip {size}"
            );
            // The first does not say its size, the second does.
            for squeezed in [
                zstd::encode_all(&plain[..], 1).unwrap(),
                zstd::bulk::compress(&plain, 1).unwrap(),
            ] {
                assert!(
                    read(Compression::Zstd, &squeezed, LIMIT).unwrap() == plain,
                    "zstd {size}"
                );
            }
        }
    }

    #[test]
    fn the_limit_is_on_decompressed_bytes_and_is_exact() {
        for size in [1000, 3 * AT_ONCE_BYTES_MIN + 1000] {
            let squeezed = gzip(&text(size));
            let size = u64::try_from(size).unwrap();
            assert!(read(Compression::Gzip, &squeezed, size).is_ok());
            assert!(matches!(
                read(Compression::Gzip, &squeezed, size - 1),
                Err(Refusal::TooLarge { .. })
            ));
        }
    }

    #[test]
    fn a_bomb_takes_no_more_memory_than_what_is_read_at_once() {
        let bomb = gzip(&vec![0; 300 * 1024 * 1024]);
        let budget = ByteBudget::new(4 * LIMIT);
        let mut held = budget.reserve(0).unwrap();
        let refused = decompress(Compression::Gzip, &bomb, LIMIT, &mut held);
        assert_eq!(
            refused,
            Err(Refusal::TooLarge {
                what: "the decompressed request",
                bytes_max: LIMIT
            })
        );
        assert!(
            budget.peak() <= u64::try_from(AT_ONCE_BYTES_MIN).unwrap(),
            "{} for {}",
            budget.peak(),
            bomb.len()
        );
    }

    #[test]
    fn an_honest_body_takes_no_more_than_its_size_and_a_lying_one_is_read_all_the_same() {
        let plain = text(5 * AT_ONCE_BYTES_MIN);
        let squeezed = gzip(&plain);
        let read = decompress_in(&ByteBudget::new(4 * LIMIT), Compression::Gzip, &squeezed);
        assert_eq!(read.as_ref().map(Vec::capacity), Ok(plain.len()));
        // A last member of one byte makes the whole say that it is one byte long.
        let lying = [squeezed, gzip(b"!")].concat();
        let read = decompress_in(&ByteBudget::new(4 * LIMIT), Compression::Gzip, &lying).unwrap();
        assert!(read[..plain.len()] == plain && read[plain.len()..] == b"!"[..]);
    }

    #[test]
    fn members_in_a_row_are_one_body_and_anything_else_behind_the_last_is_an_error() {
        let mut members = gzip(b"one");
        members.extend(gzip(b"two"));
        assert_eq!(read(Compression::Gzip, &members, LIMIT).unwrap(), b"onetwo");
        for rest in [&b"x"[..], &[0x1f], &[0; 8], &[0x1f, 0x8b, 8]] {
            let trailing = [&members[..], rest].concat();
            assert!(
                matches!(
                    read(Compression::Gzip, &trailing, LIMIT),
                    Err(Refusal::Malformed { .. })
                ),
                "{rest:?}"
            );
        }
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, b"one").unwrap();
        let stream = encoder.finish().unwrap();
        assert_eq!(read(Compression::Deflate, &stream, LIMIT).unwrap(), b"one");
        let trailing = [&stream[..], b"x"].concat();
        assert!(matches!(
            read(Compression::Deflate, &trailing, LIMIT),
            Err(Refusal::Malformed { .. })
        ));
        let frames = [
            zstd::encode_all(&b"one"[..], 1).unwrap(),
            zstd::encode_all(&b"two"[..], 1).unwrap(),
        ]
        .concat();
        assert_eq!(read(Compression::Zstd, &frames, LIMIT).unwrap(), b"onetwo");
        let trailing = [&frames[..], b"xyz"].concat();
        assert!(matches!(
            read(Compression::Zstd, &trailing, LIMIT),
            Err(Refusal::Malformed { .. })
        ));
    }

    #[test]
    fn a_body_cut_anywhere_is_an_error() {
        let plain = text(5000);
        let squeezed = [
            (Compression::Gzip, gzip(&plain)),
            (Compression::Zstd, zstd::encode_all(&plain[..], 1).unwrap()),
        ];
        for (compression, whole) in squeezed {
            for end in 1..whole.len() {
                let cut = read(compression, &whole[..end], LIMIT);
                assert!(
                    matches!(cut, Err(Refusal::Malformed { .. })),
                    "{compression:?} cut at {end}"
                );
            }
        }
    }

    #[test]
    fn a_zstd_frame_that_asks_for_a_huge_window_is_refused() {
        // Magic, descriptor without single segment, window descriptor 2^(10+17) = 128 MiB, one empty last block.
        let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 17 << 3, 0x01, 0x00, 0x00];
        assert!(matches!(
            read(Compression::Zstd, &frame, LIMIT),
            Err(Refusal::Malformed { .. })
        ));
        let allowed = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 13 << 3, 0x01, 0x00, 0x00];
        assert_eq!(read(Compression::Zstd, &allowed, LIMIT).unwrap(), b"");
    }

    #[test]
    fn without_budget_nothing_is_decompressed() {
        let squeezed = gzip(&text(1024 * 1024));
        let budget = ByteBudget::new(2 * 1024 * 1024);
        let _others = budget.reserve(1536 * 1024).unwrap();
        let mut held = budget.reserve(0).unwrap();
        let refused = decompress(Compression::Gzip, &squeezed, LIMIT, &mut held);
        assert!(
            matches!(refused, Err(Refusal::Overloaded { .. })),
            "{refused:?}"
        );
    }

    #[test]
    fn names_of_encodings_are_read_in_any_case_and_others_are_refused() {
        let of = |text: &'static str| Compression::of_header(Some(&HeaderValue::from_static(text)));
        assert_eq!(Compression::of_header(None), Ok(Compression::Identity));
        assert_eq!(of(" GZip "), Ok(Compression::Gzip));
        assert_eq!(
            (of("zstd"), of("identity")),
            (Ok(Compression::Zstd), Ok(Compression::Identity))
        );
        for unknown in ["br", "gzip, gzip", "compress", "snappy"] {
            assert!(
                matches!(of(unknown), Err(Refusal::UnknownEncoding { .. })),
                "{unknown}"
            );
        }
    }
}
