//! Numbers, ids, texts and bytes as OTLP/JSON writes them.
//!
//! Promises: 64-bit numbers are exact, as text or as number, with an exponent or a point where the value is whole;
//! what doesn't fit is refused, never rounded or wrapped. `null` and a missing field are the same: the default.
//!
//! Lenient on purpose, where the specification lets senders do one thing and some do another: enums by name
//! (`SPAN_KIND_SERVER`), bytes in either alphabet of base64 with or without padding.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::tape::{Kind, Node, number_length};

/// Says which field doesn't fit, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unfit {
    pub(crate) byte: usize,
    pub(crate) why: String,
}

impl Unfit {
    pub(crate) fn new(node: Node<'_>, name: &str, must_be: &str) -> Self {
        Self {
            byte: node.byte(),
            why: format!("{name} must be {must_be}"),
        }
    }
}

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// More digits than the largest number of 64 bits has.
const DIGITS_MAX: usize = 20;

/// So many digits always fit in 64 bits.
const PLAIN_DIGITS_MAX: usize = 19;

/// A whole number of up to 20 digits, written as JSON writes numbers.
fn whole_number(text: &[u8]) -> Option<i128> {
    if text.is_empty() || number_length(text) != text.len() {
        return None;
    }
    if plumbing::planted("codec-json-number-through-double") {
        #[allow(clippy::cast_possible_truncation, reason = "that is the fault")]
        return std::str::from_utf8(text)
            .ok()?
            .parse::<f64>()
            .ok()
            .map(|number| number as i128);
    }
    if text.len() <= PLAIN_DIGITS_MAX && text.iter().all(u8::is_ascii_digit) {
        let number = text.iter().fold(0, |number: u64, digit| {
            number * 10 + u64::from(digit - b'0')
        });
        return Some(number.into());
    }
    let (is_negative, unsigned) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, text),
    };
    let exponent_at = unsigned.iter().position(|byte| matches!(byte, b'e' | b'E'));
    let (mantissa, exponent) = unsigned.split_at(exponent_at.unwrap_or(unsigned.len()));
    let point_at = mantissa
        .iter()
        .position(|byte| *byte == b'.')
        .unwrap_or(mantissa.len());
    let fraction_length = mantissa.len().saturating_sub(point_at + 1);
    // The value is the digits × 10^shift.
    let digits: Vec<u8> = mantissa
        .iter()
        .copied()
        .filter(u8::is_ascii_digit)
        .collect();
    let Some(last) = digits.iter().rposition(|digit| *digit != b'0') else {
        return Some(0);
    };
    let trailing_zeros = digits.len() - 1 - last;
    let first = digits.iter().position(|digit| *digit != b'0').unwrap_or(0);
    let digits = digits.get(first..=last).unwrap_or_default();
    let exponent = match exponent {
        [] => 0,
        [_, exponent @ ..] => std::str::from_utf8(exponent).ok()?.parse::<i64>().ok()?,
    };
    let zeros = exponent.checked_sub(i64::try_from(fraction_length).ok()?)?;
    let zeros = usize::try_from(zeros.checked_add(i64::try_from(trailing_zeros).ok()?)?).ok()?;
    if digits.len().checked_add(zeros)? > DIGITS_MAX {
        return None;
    }
    let number = digits.iter().fold(0i128, |number, digit| {
        number * 10 + i128::from(digit - b'0')
    });
    let number = (0..zeros).fold(number, |number, _| number * 10);
    Some(if is_negative { -number } else { number })
}

/// A number of any integer type, given as a number or as text; the default when absent.
pub(crate) fn integer<T: TryFrom<i128> + Default>(
    node: Option<Node<'_>>,
    name: &str,
    must_be: &str,
) -> Result<T, Unfit> {
    let Some(node) = node else {
        return Ok(T::default());
    };
    let number = match node.kind() {
        Kind::Number => whole_number(node.raw()),
        Kind::Text | Kind::EscapedText => node.text().and_then(|(text, _)| whole_number(&text)),
        Kind::Null | Kind::True | Kind::False | Kind::Array | Kind::Object => None,
    };
    number
        .and_then(|number| T::try_from(number).ok())
        .ok_or_else(|| Unfit::new(node, name, must_be))
}

/// An unsigned number of 64 bits.
pub(crate) fn u64_of(node: Option<Node<'_>>, name: &str) -> Result<u64, Unfit> {
    integer(
        node,
        name,
        "a whole number from 0 to 18446744073709551615, or such a number as text",
    )
}

/// An unsigned number of 32 bits.
pub(crate) fn u32_of(node: Option<Node<'_>>, name: &str) -> Result<u32, Unfit> {
    integer(node, name, "a whole number from 0 to 4294967295")
}

/// The number of an enum, given as number or by name.
pub(crate) fn enum_of(node: Option<Node<'_>>, name: &str, names: &[&str]) -> Result<i32, Unfit> {
    if let Some(node) = node
        && let Some((text, _)) = node.text()
        && let Some(number) = names.iter().position(|known| known.as_bytes() == &*text)
    {
        return Ok(i32::try_from(number).unwrap_or(0));
    }
    integer(node, name, "the number of one of its values")
}

/// A floating-point number; numbers may be text, and some only can.
pub(crate) fn double_of(node: Node<'_>, name: &str) -> Result<f64, Unfit> {
    let unfit = || {
        Unfit::new(
            node,
            name,
            "a number of 64 bits, or NaN, Infinity or -Infinity as text",
        )
    };
    let text = match node.kind() {
        Kind::Number => node.raw().into(),
        _ => node.text().ok_or_else(unfit)?.0,
    };
    match &*text {
        b"NaN" => return Ok(f64::NAN),
        b"Infinity" => return Ok(f64::INFINITY),
        b"-Infinity" => return Ok(f64::NEG_INFINITY),
        _ => {}
    }
    let is_number = !text.is_empty() && number_length(&text) == text.len();
    let digits = std::str::from_utf8(&text).ok().filter(|_| is_number);
    let number = digits.and_then(|digits| digits.parse::<f64>().ok());
    number.filter(|number| number.is_finite()).ok_or_else(unfit)
}

/// True or false.
pub(crate) fn bool_of(node: Node<'_>, name: &str) -> Result<bool, Unfit> {
    match node.kind() {
        Kind::True => Ok(true),
        Kind::False => Ok(false),
        _ => Err(Unfit::new(node, name, "true or false")),
    }
}

/// Bytes, as base64 of either alphabet.
pub(crate) fn bytes_of(node: Node<'_>, name: &str) -> Result<Vec<u8>, Unfit> {
    let unfit = || Unfit::new(node, name, "bytes as base64");
    let (text, _) = node.text().ok_or_else(unfit)?;
    let is_url_safe = text.iter().any(|byte| matches!(byte, b'-' | b'_'));
    let engine = if is_url_safe { URL_SAFE } else { STANDARD };
    engine.decode(&*text).map_err(|_| unfit())
}

/// An id of `N` bytes, as hexadecimal text of any case; `Some(None)` when it is absent or empty, `None` when it is
/// anything else.
#[allow(
    clippy::option_option,
    reason = "absent and wrong are told apart, and what wrong means differs by caller"
)]
pub(crate) fn id_of<const N: usize>(node: Option<Node<'_>>) -> Option<Option<[u8; N]>> {
    let Some(node) = node else { return Some(None) };
    let (text, _) = node.text()?;
    if text.is_empty() {
        return Some(None);
    }
    if text.len() != 2 * N {
        return None;
    }
    let mut id = [0; N];
    for (byte, digits) in id.iter_mut().zip(text.chunks_exact(2)) {
        let [high, low] = digits else { return None };
        *byte = hex_digit(*high)? << 4 | hex_digit(*low)?;
    }
    Some(Some(id))
}

/// An id of up to `2 * N` hexadecimal digits; shorter ones have zeros before them. `None` for anything else.
pub(crate) fn id_of_text<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    if text.is_empty() || text.len() > 2 * N {
        return None;
    }
    let mut id = [0; N];
    for (byte, digits) in id.iter_mut().rev().zip(text.rchunks(2)) {
        *byte = digits
            .iter()
            .try_fold(0, |byte, digit| Some(byte << 4 | hex_digit(*digit)?))?;
    }
    Some(id)
}

/// The names and values of an object.
pub(crate) fn members<'a>(
    node: Node<'a>,
    what: &str,
) -> Result<impl Iterator<Item = (Cow<'a, [u8]>, Node<'a>)> + use<'a>, Unfit> {
    let members = node
        .members()
        .ok_or_else(|| Unfit::new(node, what, "an object"))?;
    Ok(members.filter_map(|(key, value)| Some((key.text()?.0, value))))
}

/// The values of an array.
pub(crate) fn elements<'a>(
    node: Node<'a>,
    what: &str,
) -> Result<impl Iterator<Item = Node<'a>> + use<'a>, Unfit> {
    node.elements()
        .ok_or_else(|| Unfit::new(node, what, "an array"))
}

pub(crate) fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_ids_are_padded_on_the_left_and_long_ones_refused() {
        assert_eq!(id_of_text(b"31ff"), Some([0, 0, 0, 0, 0, 0, 0x31, 0xff]));
        assert_eq!(id_of_text(b"fAb"), Some([0, 0, 0, 0, 0, 0, 0xf, 0xab]));
        assert_eq!(id_of_text(b"747261636b776179"), Some(*b"trackway"));
        for text in [&b""[..], b"xyz", b"0747261636b776179", b"-1", b" 1"] {
            assert_eq!(id_of_text::<8>(text), None, "{text:?}");
        }
    }

    #[test]
    fn whole_numbers_are_exact_in_every_form() {
        let cases: [(&str, Option<i128>); 24] = [
            ("0", Some(0)),
            ("-0", Some(0)),
            ("0.000", Some(0)),
            ("0e999999999", Some(0)),
            ("7", Some(7)),
            ("9223372036854775807", Some(i64::MAX.into())),
            ("-9223372036854775808", Some(i64::MIN.into())),
            ("18446744073709551615", Some(u64::MAX.into())),
            ("1e3", Some(1000)),
            ("1E+3", Some(1000)),
            ("1.5e1", Some(15)),
            ("1500e-2", Some(15)),
            ("15.00", Some(15)),
            ("1.76847120e18", Some(1_768_471_200_000_000_000)),
            ("1.5", None),
            ("15e-1", None),
            ("1e20", None),
            ("1e9999999999999999999999", None),
            ("1e-9999999999999999999999", None),
            ("", None),
            ("-", None),
            ("+1", None),
            ("0x10", None),
            (" 1", None),
        ];
        for (text, number) in cases {
            assert_eq!(whole_number(text.as_bytes()), number, "{text}");
        }
    }
}
