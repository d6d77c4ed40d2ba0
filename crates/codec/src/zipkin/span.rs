//! A span as Zipkin's formats say it: what all decoders fill and the translation reads. Nothing is copied but texts
//! that were escaped; the vectors are used again for the next span.

use std::borrow::Cow;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::{ATTRIBUTES_PER_OWNER_MAX, EVENTS_PER_SPAN_MAX};

/// A text that came as it is, or that had to be written anew.
pub(super) type Text<'a> = Cow<'a, [u8]>;

/// Bytes of the longest address as text, with room to spare.
const ADDRESS_BYTES_MAX: usize = 64;

/// A span; what is absent is zero or empty.
#[derive(Debug, Default)]
pub(super) struct Span<'a> {
    pub(super) trace_id: [u8; 16],
    pub(super) span_id: [u8; 8],
    pub(super) parent_span_id: [u8; 8],
    /// OTLP's number.
    pub(super) kind: i32,
    pub(super) name: Text<'a>,
    pub(super) start_micros: u64,
    pub(super) duration_micros: u64,
    /// The service, and the addresses that are attributes of the resource.
    pub(super) resource: Endpoint<'a>,
    /// The addresses that are attributes of the span.
    pub(super) local: Endpoint<'a>,
    pub(super) remote: Endpoint<'a>,
    annotations: Vec<Annotation<'a>>,
    tags: Vec<(Text<'a>, TagValue<'a>)>,
    /// Annotations and tags that came after as many as a span may have. They are not held even for a moment: a tag
    /// of two bytes would take fifty.
    cut_off: (u32, u32),
}

impl<'a> Span<'a> {
    /// Adds an annotation.
    pub(super) fn push_annotation(&mut self, annotation: Annotation<'a>) {
        if self.annotations.len() < EVENTS_PER_SPAN_MAX {
            self.annotations.push(annotation);
        } else {
            self.cut_off.0 = self.cut_off.0.saturating_add(1);
        }
    }

    /// Adds a tag.
    pub(super) fn push_tag(&mut self, key: Text<'a>, value: TagValue<'a>) {
        if self.tags.len() < ATTRIBUTES_PER_OWNER_MAX {
            self.tags.push((key, value));
        } else {
            self.cut_off.1 = self.cut_off.1.saturating_add(1);
        }
    }

    /// Forgets the annotations, of which another list follows.
    pub(super) fn clear_annotations(&mut self) {
        self.annotations.clear();
        self.cut_off.0 = 0;
    }

    /// Forgets the tags, of which another list follows.
    pub(super) fn clear_tags(&mut self) {
        self.tags.clear();
        self.cut_off.1 = 0;
    }

    /// The annotations, and how many more there were.
    pub(super) fn annotations(&self) -> (&[Annotation<'a>], u32) {
        (&self.annotations, self.cut_off.0)
    }

    /// The tags, and how many more there were.
    pub(super) fn tags(&self) -> (&[(Text<'a>, TagValue<'a>)], u32) {
        (&self.tags, self.cut_off.1)
    }

    /// Makes room for the next span.
    pub(super) fn clear(&mut self) {
        let (mut annotations, mut tags) = (
            std::mem::take(&mut self.annotations),
            std::mem::take(&mut self.tags),
        );
        annotations.clear();
        tags.clear();
        *self = Self {
            annotations,
            tags,
            ..Self::default()
        };
    }
}

/// Something that happened at a moment.
#[derive(Debug)]
pub(super) struct Annotation<'a> {
    pub(super) micros: u64,
    pub(super) value: Text<'a>,
}

/// The value of a tag. Version 2 has texts only.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum TagValue<'a> {
    Text(Text<'a>),
    Bool(bool),
    Int(i64),
    Double(f64),
}

impl TagValue<'_> {
    /// The bytes of a text.
    pub(super) fn text(&self) -> Option<&[u8]> {
        match self {
            Self::Text(text) => Some(text),
            Self::Bool(_) | Self::Int(_) | Self::Double(_) => None,
        }
    }
}

/// A service at an address.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Endpoint<'a> {
    pub(super) service: Text<'a>,
    pub(super) ipv4: Address<'a>,
    pub(super) ipv6: Address<'a>,
    /// Above 0 when there is one.
    pub(super) port: i64,
}

impl<'a> Endpoint<'a> {
    /// The one address that is shown: the longer form, where there are both.
    pub(super) fn address(&self) -> &Address<'a> {
        if self.ipv6 == Address::None {
            &self.ipv4
        } else {
            &self.ipv6
        }
    }
}

/// An address, as bytes or as the text that was sent.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) enum Address<'a> {
    #[default]
    None,
    Ip(IpAddr),
    Text(Text<'a>),
}

impl<'a> Address<'a> {
    /// The address of so many bytes; none when there are neither 4 nor 16.
    pub(super) fn of_bytes(bytes: &[u8]) -> Self {
        if let Ok(bytes) = <[u8; 4]>::try_from(bytes) {
            return Self::Ip(Ipv4Addr::from(bytes).into());
        }
        <[u8; 16]>::try_from(bytes).map_or(Self::None, |bytes| {
            Self::Ip(Ipv6Addr::from(bytes).to_canonical())
        })
    }

    /// The address of a text, in its shortest form; what is no address stays as it is.
    pub(super) fn of_text(text: Text<'a>) -> Self {
        if text.is_empty() {
            return Self::None;
        }
        let long = text
            .contains(&b':')
            .then(|| std::str::from_utf8(&text).ok()?.parse::<Ipv6Addr>().ok());
        match long.flatten() {
            Some(ip) => Self::Ip(ip.to_canonical()),
            None => Self::Text(text),
        }
    }

    /// Gives the text of the address to `use_it`, if there is an address.
    pub(super) fn with_text(&self, use_it: impl FnOnce(&[u8])) {
        match self {
            Self::None => {}
            Self::Text(text) => use_it(text),
            Self::Ip(ip) => {
                let mut text = [0; ADDRESS_BYTES_MAX];
                let mut rest = &mut text[..];
                let written = write!(rest, "{ip}");
                let length = ADDRESS_BYTES_MAX - rest.len();
                if written.is_ok() {
                    use_it(text.get(..length).unwrap_or_default());
                }
            }
        }
    }
}

/// A trace id from its two halves, or from the lower one alone.
pub(super) fn trace_id_of_bytes(bytes: &[u8]) -> Option<[u8; 16]> {
    if let Ok(low) = <[u8; 8]>::try_from(bytes) {
        let low = u64::from_be_bytes(low);
        if plumbing::planted("codec-zipkin-short-id-on-the-left") {
            return Some((u128::from(low) << 64).to_be_bytes());
        }
        return Some(u128::from(low).to_be_bytes());
    }
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shown_in_their_shortest_form() {
        let shown = |address: Address<'_>| {
            let mut shown = String::new();
            address.with_text(|text| shown = String::from_utf8_lossy(text).into_owned());
            shown
        };
        let cases = [
            ("2001:0DB8::0001", "2001:db8::1"),
            ("::ffff:1.2.3.4", "1.2.3.4"),
            ("10.0.0.1", "10.0.0.1"),
            ("db:5432", "db:5432"),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(Address::of_text(text.as_bytes().into())), expected);
        }
        assert_eq!(shown(Address::of_bytes(&[127, 0, 0, 1])), "127.0.0.1");
        assert_eq!(
            shown(Address::of_bytes(&[0xff; 16])),
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
        );
        assert_eq!(shown(Address::of_bytes(&[1, 2, 3])), "");
    }
}
