//! Makes new traces at new times out of an encoded request, in place: for loads that are longer than a corpus.
//!
//! The places of ids and times are found once. A stamp then changes the first eight bytes of each id (of traces, spans,
//! parents and links, so that all still fit together) by one number, and moves each time (of spans and events) by one
//! difference. The length of the request stays, and so does everything else in it.
//!
//! Promises: a request is stamped from any stamp to any other; the stamp [`Stamp::default`] is the request as it was.
//! Refuses: what is no `ExportTraceServiceRequest` with fixed-size times. Attributes stay, unique ones too: their
//! values come again with every stamp.

use anyhow::{Context as _, bail, ensure};

/// Where a request's traces are moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Stamp {
    /// Changes ids, by exclusive or.
    pub(crate) number: u64,
    /// Added to times, in nanoseconds; wraps, so that it can also lead back.
    pub(crate) delay: u64,
}

/// A request that can be stamped.
#[derive(Debug)]
pub(crate) struct Template {
    bytes: Vec<u8>,
    /// Where the first eight bytes of an id are, big-endian.
    ids: Vec<u32>,
    /// Where the eight bytes of a time are, little-endian.
    times: Vec<u32>,
    stamp: Stamp,
}

/// What is found behind the key of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wire {
    Number,
    Fixed64,
    Bytes,
    Fixed32,
}

/// A field of a message: its number, its form, and where its value lies.
#[derive(Debug, Clone, Copy)]
struct Field {
    number: u64,
    wire: Wire,
    begin: usize,
    end: usize,
}

impl Stamp {
    /// Gives the number of a round: other ids in each, and as they are in round 0. The lowest bit of an id's first byte
    /// stays, by which probes are told from the traces of a corpus.
    pub(crate) fn number_of(round: u64) -> u64 {
        const LOWEST_OF_FIRST_BYTE: u64 = 1 << 56;
        // SplitMix64, which leads 0 to 0 without its first step.
        let mut mixed = round;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) & !LOWEST_OF_FIRST_BYTE
    }

    /// Gives an id in hexadecimal as it is after the stamp; none for what is no trace id.
    pub(crate) fn trace_id(self, hex: &str) -> Option<String> {
        let id = u128::from_str_radix(hex, 16).ok()?;
        Some(format!("{:032x}", id ^ (u128::from(self.number) << 64)))
    }
}

impl Template {
    /// Finds the ids and times in a request.
    pub(crate) fn of(bytes: Vec<u8>) -> anyhow::Result<Self> {
        let mut template = Self {
            bytes: Vec::new(),
            ids: Vec::new(),
            times: Vec::new(),
            stamp: Stamp::default(),
        };
        // resource_spans, scope_spans, spans
        each_message(&bytes, 0..bytes.len(), 1, &mut |resource_spans| {
            each_message(&bytes, resource_spans, 2, &mut |scope_spans| {
                each_message(&bytes, scope_spans, 2, &mut |span| {
                    template.find_in_span(&bytes, span)
                })
            })
        })?;
        template.bytes = bytes;
        Ok(template)
    }

    /// Moves the request to a stamp, and gives its bytes.
    pub(crate) fn stamped(&mut self, stamp: Stamp) -> &[u8] {
        let number = self.stamp.number ^ stamp.number;
        let delay = stamp.delay.wrapping_sub(self.stamp.delay);
        if number != 0 {
            for at in &self.ids {
                change(&mut self.bytes, *at, |id| {
                    (u64::from_be_bytes(id) ^ number).to_be_bytes()
                });
            }
        }
        for at in &self.times {
            change(&mut self.bytes, *at, |time| {
                u64::from_le_bytes(time).wrapping_add(delay).to_le_bytes()
            });
        }
        self.stamp = stamp;
        &self.bytes
    }

    fn find_in_span(&mut self, bytes: &[u8], span: Part) -> anyhow::Result<()> {
        each_field(bytes, span, &mut |field| {
            match field.number {
                // trace_id, span_id, parent_span_id
                1 | 2 | 4 => self.add_id(field)?,
                // start_time_unix_nano, end_time_unix_nano
                7 | 8 => self.add_time(field)?,
                // events: time_unix_nano
                11 => each_field(
                    bytes,
                    field.begin..field.end,
                    &mut |inner| match inner.number {
                        1 => self.add_time(inner),
                        _ => Ok(()),
                    },
                )?,
                // links: trace_id, span_id
                13 => each_field(
                    bytes,
                    field.begin..field.end,
                    &mut |inner| match inner.number {
                        1 | 2 => self.add_id(inner),
                        _ => Ok(()),
                    },
                )?,
                _ => {}
            }
            Ok(())
        })
    }

    fn add_id(&mut self, field: Field) -> anyhow::Result<()> {
        let length = field.end - field.begin;
        // No id, which is what the parent of a root is, stays none.
        if length == 0 {
            return Ok(());
        }
        ensure!(
            field.wire == Wire::Bytes && (length == 8 || length == 16),
            "an id of {length} bytes"
        );
        self.ids.push(u32::try_from(field.begin)?);
        Ok(())
    }

    fn add_time(&mut self, field: Field) -> anyhow::Result<()> {
        ensure!(field.wire == Wire::Fixed64, "a time that is no fixed64");
        self.times.push(u32::try_from(field.begin)?);
        Ok(())
    }
}

type Part = std::ops::Range<usize>;

fn change(bytes: &mut [u8], at: u32, to: impl FnOnce([u8; 8]) -> [u8; 8]) {
    let rest = bytes.get_mut(at as usize..).unwrap_or_default();
    if let Some(place) = rest.first_chunk_mut() {
        *place = to(*place);
    }
}

/// Calls for each message in the field of this number.
fn each_message(
    bytes: &[u8],
    part: Part,
    number: u64,
    call: &mut dyn FnMut(Part) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    each_field(bytes, part, &mut |field| {
        if field.number == number && field.wire == Wire::Bytes {
            call(field.begin..field.end)?;
        }
        Ok(())
    })
}

fn each_field(
    bytes: &[u8],
    part: Part,
    call: &mut dyn FnMut(Field) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut at = part.start;
    while at < part.end {
        let key = varint(bytes, &mut at)?;
        let begin = at;
        let (wire, begin, length) = match key & 7 {
            0 => {
                varint(bytes, &mut at)?;
                (Wire::Number, begin, at - begin)
            }
            1 => (Wire::Fixed64, begin, 8),
            2 => {
                let length = usize::try_from(varint(bytes, &mut at)?)?;
                (Wire::Bytes, at, length)
            }
            5 => (Wire::Fixed32, begin, 4),
            form => bail!("a field of the unknown form {form}"),
        };
        let end = begin.checked_add(length).filter(|end| *end <= part.end);
        let end = end.context("a field that is longer than its message")?;
        call(Field {
            number: key >> 3,
            wire,
            begin,
            end,
        })?;
        at = end;
    }
    Ok(())
}

fn varint(bytes: &[u8], at: &mut usize) -> anyhow::Result<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = bytes.get(*at).context("a request that is cut short")?;
        *at += 1;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    bail!("a number of more than ten bytes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use opentelemetry_proto::tonic::trace::v1::Span;
    use prost::Message as _;
    use testkit::corpus::{Corpus, CorpusOptions, Profile};

    const STAMP: Stamp = Stamp {
        number: 0x1234_5678_9abc_def0,
        delay: 5_000_000_007,
    };

    fn decoded(bytes: &[u8]) -> ExportTraceServiceRequest {
        ExportTraceServiceRequest::decode(bytes).unwrap()
    }

    fn spans(request: &mut ExportTraceServiceRequest) -> impl Iterator<Item = &mut Span> {
        let scopes = request
            .resource_spans
            .iter_mut()
            .flat_map(|resource| &mut resource.scope_spans);
        scopes.flat_map(|scope| &mut scope.spans)
    }

    /// What a stamp means, by the official messages.
    fn stamped_by_hand(bytes: &[u8], stamp: Stamp) -> ExportTraceServiceRequest {
        let change = |id: &mut Vec<u8>| {
            let changes = stamp.number.to_be_bytes();
            id.iter_mut()
                .zip(changes)
                .for_each(|(byte, by)| *byte ^= by);
        };
        let mut request = decoded(bytes);
        for span in spans(&mut request) {
            change(&mut span.trace_id);
            change(&mut span.span_id);
            change(&mut span.parent_span_id);
            span.start_time_unix_nano += stamp.delay;
            span.end_time_unix_nano += stamp.delay;
            for event in &mut span.events {
                event.time_unix_nano += stamp.delay;
            }
            for link in &mut span.links {
                change(&mut link.trace_id);
                change(&mut link.span_id);
            }
        }
        request
    }

    #[test]
    fn stamps_every_id_and_time_and_nothing_else() {
        for profile in [Profile::Kind, Profile::Unkind] {
            let options = CorpusOptions::new(profile, 20_000, 1_790_000_000);
            let (mut events, mut links) = (0, 0);
            for request in Corpus::new(options).unwrap() {
                let expected = stamped_by_hand(&request.bytes, STAMP);
                let mut template = Template::of(request.bytes.clone()).unwrap();
                let stamped = template.stamped(STAMP);
                assert_eq!(stamped.len(), request.bytes.len());
                assert_eq!(decoded(stamped), expected);
                for span in spans(&mut decoded(stamped)) {
                    events += span.events.len();
                    links += span.links.len();
                }
                // From one stamp to the next, and back.
                let other = Stamp {
                    number: 3,
                    delay: 11,
                };
                let expected = stamped_by_hand(&request.bytes, other);
                assert_eq!(decoded(template.stamped(other)), expected);
                assert_eq!(template.stamped(Stamp::default()), request.bytes);
            }
            assert!(events > 0, "{profile:?} has no events to stamp");
            assert!(links > 0 || profile == Profile::Unkind);
        }
    }

    #[test]
    fn an_id_in_text_is_stamped_as_the_one_on_the_wire() {
        let (id, mut bytes) = (0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10_u128, Vec::new());
        let span = Span {
            trace_id: id.to_be_bytes().to_vec(),
            ..Span::default()
        };
        span.encode(&mut bytes).unwrap();
        let found = STAMP.trace_id(&format!("{id:032x}")).unwrap();
        let mut request = vec![10, 22, 18, 20, 18, 18];
        request.extend(&bytes);
        let mut template = Template::of(request).unwrap();
        let mut stamped = decoded(template.stamped(STAMP));
        let id = spans(&mut stamped).next().unwrap().trace_id.clone();
        assert_eq!(
            found,
            format!("{:032x}", u128::from_be_bytes(id.try_into().unwrap()))
        );
        assert_eq!(STAMP.trace_id("no id"), None);
    }

    #[test]
    fn every_round_has_a_number_of_its_own_that_keeps_first_bytes_odd() {
        let numbers: std::collections::BTreeSet<u64> = (0..10_000).map(Stamp::number_of).collect();
        assert_eq!(numbers.len(), 10_000);
        assert!(numbers.iter().all(|number| number >> 56 & 1 == 0));
        assert_eq!(Stamp::number_of(0), 0);
    }

    #[test]
    fn refuses_what_is_cut_short_or_no_request() {
        let options = CorpusOptions::new(Profile::Kind, 100, 1_790_000_000);
        let request = Corpus::new(options).unwrap().next().unwrap();
        let cut = &request.bytes[..request.bytes.len() - 1];
        assert!(Template::of(cut.to_vec()).is_err());
        assert!(Template::of(vec![0xff; 20]).is_err());
        // A trace id of three bytes.
        assert!(Template::of(vec![10, 9, 18, 7, 18, 5, 10, 3, 1, 2, 3]).is_err());
        assert!(Template::of(Vec::new()).is_ok());
    }
}
