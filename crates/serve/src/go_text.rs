//! Reads numbers, booleans, durations and trace ids as Go programs do, with Go's words for what is wrong.
//!
//! Jaeger hands these texts to its users, and scripts look at them. Promises: the same texts are accepted, and for
//! every refused one the message is Go's, letter for letter.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use model::TraceId;

const TRACE_ID_DIGITS_MAX: usize = 32;
/// The base64 text of 16 bytes with its padding.
const TRACE_ID_BASE64_CHARS_MAX: usize = 24;

/// A signed number in decimal digits, as `strconv.ParseInt(text, 10, 64)`.
pub(crate) fn parse_int(text: &str) -> Result<i64, String> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(number_error("ParseInt", text.as_bytes(), "invalid syntax"));
    }
    text.parse()
        .map_err(|_| number_error("ParseInt", text.as_bytes(), "value out of range"))
}

/// A signed number of 32 bits in decimal digits, as `strconv.ParseInt(text, 10, 32)`.
pub(crate) fn parse_int32(text: &str) -> Result<i32, String> {
    let number = parse_int(text)?;
    i32::try_from(number)
        .map_err(|_| number_error("ParseInt", text.as_bytes(), "value out of range"))
}

/// An unsigned number of up to 64 bits in hexadecimal digits, as `strconv.ParseUint(text, 16, 64)`.
fn parse_hex(text: &[u8]) -> Result<u64, String> {
    let invalid = || number_error("ParseUint", text, "invalid syntax");
    if text.is_empty() {
        return Err(invalid());
    }
    let mut number: u64 = 0;
    for byte in text {
        let digit = char::from(*byte).to_digit(16).ok_or_else(invalid)?;
        number = number
            .checked_mul(16)
            .map(|number| number | u64::from(digit))
            .ok_or_else(|| number_error("ParseUint", text, "value out of range"))?;
    }
    Ok(number)
}

/// A truth value, as `strconv.ParseBool`.
pub(crate) fn parse_bool(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err(number_error("ParseBool", text.as_bytes(), "invalid syntax")),
    }
}

/// A floating-point number, as `strconv.ParseFloat(text, 64)` but for hexadecimal ones.
pub(crate) fn parse_float(text: &str) -> Result<f64, String> {
    let number: Result<f64, _> = text.parse();
    match number {
        Ok(number) if number.is_infinite() && text.bytes().any(|byte| byte.is_ascii_digit()) => {
            Err(number_error(
                "ParseFloat",
                text.as_bytes(),
                "value out of range",
            ))
        }
        Ok(number) => Ok(number),
        Err(_) => Err(number_error(
            "ParseFloat",
            text.as_bytes(),
            "invalid syntax",
        )),
    }
}

fn number_error(function: &str, text: &[u8], what: &str) -> String {
    format!("strconv.{function}: parsing {}: {what}", quote(text))
}

/// A duration in nanoseconds, as `time.ParseDuration`.
pub(crate) fn parse_duration(text: &str) -> Result<i64, String> {
    let invalid = || format!("time: invalid duration {}", time_quote(text));
    let (is_negative, mut rest) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    if rest == b"0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (part, behind) = duration_part(text, rest)?;
        rest = behind;
        total = total
            .checked_add(part)
            .filter(|total| *total <= 1 << 63)
            .ok_or_else(invalid)?;
    }
    match (is_negative, i64::try_from(total)) {
        (true, Ok(total)) => Ok(-total),
        (true, Err(_)) => Ok(i64::MIN),
        (false, total) => total.map_err(|_| invalid()),
    }
}

/// One number with its unit, in nanoseconds, and what follows.
fn duration_part<'a>(whole: &str, text: &'a [u8]) -> Result<(u64, &'a [u8]), String> {
    let invalid = || format!("time: invalid duration {}", time_quote(whole));
    let (digits, rest) = split_digits(text);
    let (fraction, rest) = match rest {
        [b'.', rest @ ..] => split_digits(rest),
        _ => (&[][..], rest),
    };
    if digits.is_empty() && fraction.is_empty() {
        return Err(invalid());
    }
    let add =
        |number: u64, digit: &u8| number.checked_mul(10)?.checked_add(u64::from(digit - b'0'));
    let number = digits
        .iter()
        .try_fold(0u64, add)
        .filter(|number| *number <= 1 << 63);
    let number = number.ok_or_else(invalid)?;
    let is_of_unit = |byte: &u8| *byte != b'.' && !byte.is_ascii_digit();
    let unit_bytes = rest.iter().take_while(|byte| is_of_unit(byte)).count();
    let (unit, rest) = rest.split_at(unit_bytes);
    // The text was cut at ASCII characters only.
    let unit = std::str::from_utf8(unit).unwrap_or_default();
    if unit.is_empty() {
        return Err(format!(
            "time: missing unit in duration {}",
            time_quote(whole)
        ));
    }
    let nanos = unit_nanos(unit).ok_or_else(|| {
        let (unit, whole) = (time_quote(unit), time_quote(whole));
        format!("time: unknown unit {unit} in duration {whole}")
    })?;
    let size = number.checked_mul(nanos).ok_or_else(invalid)?;
    let size = size
        .checked_add(fraction_nanos(fraction, nanos))
        .filter(|size| *size <= 1 << 63);
    Ok((size.ok_or_else(invalid)?, rest))
}

fn split_digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|byte| byte.is_ascii_digit()).count())
}

fn unit_nanos(unit: &str) -> Option<u64> {
    Some(match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

/// The digits behind a point, in nanoseconds; digits beyond the 64th bit don't count.
fn fraction_nanos(digits: &[u8], unit_nanos: u64) -> u64 {
    #![allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "Go computes it so: a fraction of at most an hour, in doubles, cut"
    )]
    let (mut number, mut scale) = (0u64, 1.0f64);
    for digit in digits {
        let next = number
            .checked_mul(10)
            .and_then(|number| number.checked_add(u64::from(digit - b'0')));
        let Some(next) = next.filter(|next| *next <= 1 << 63) else {
            break;
        };
        number = next;
        scale *= 10.0;
    }
    (number as f64 * (unit_nanos as f64 / scale)) as u64
}

/// A trace id in 1 to 32 hexadecimal digits of any case.
pub(crate) fn parse_trace_id(text: &str) -> Result<TraceId, String> {
    let bytes = text.as_bytes();
    if bytes.len() > TRACE_ID_DIGITS_MAX {
        return Err(format!(
            "TraceID cannot be longer than 32 hex characters: {text}"
        ));
    }
    let (high, low) = bytes.split_at(bytes.len().saturating_sub(16));
    let high = if high.is_empty() { 0 } else { parse_hex(high)? };
    let low = parse_hex(low)?;
    Ok(TraceId(
        (u128::from(high) << 64 | u128::from(low)).to_be_bytes(),
    ))
}

/// A trace id in hexadecimal digits, or else in base64 of its 8 or 16 bytes in any of the common spellings.
pub(crate) fn parse_trace_id_of_path(text: &str) -> Result<TraceId, String> {
    let error = match parse_trace_id(text) {
        Ok(trace_id) => return Ok(trace_id),
        Err(error) => error,
    };
    if text.len() > TRACE_ID_BASE64_CHARS_MAX {
        return Err(error);
    }
    let Some(bytes) = decode_base64(text) else {
        return Err(error);
    };
    if let Ok(id) = <[u8; 16]>::try_from(bytes.as_slice()) {
        return Ok(TraceId(id));
    }
    let low = <[u8; 8]>::try_from(bytes.as_slice())
        .map_err(|_| "invalid length for TraceID".to_owned())?;
    Ok(TraceId(u128::from(u64::from_be_bytes(low)).to_be_bytes()))
}

fn decode_base64(text: &str) -> Option<Vec<u8>> {
    const ANY_PADDING: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, ANY_PADDING);
    const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, ANY_PADDING);
    STANDARD
        .decode(text)
        .or_else(|_| URL_SAFE.decode(text))
        .ok()
}

/// A text in quotes, as `strconv.Quote`.
pub(crate) fn quote(text: &[u8]) -> String {
    let mut quoted = String::from("\"");
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            push_quoted(&mut quoted, c, '"');
        }
        for byte in chunk.invalid() {
            quoted.push_str(&format!("\\x{byte:02x}"));
        }
    }
    quoted.push('"');
    quoted
}

/// One character as it stands between quotes.
pub(crate) fn push_quoted(quoted: &mut String, c: char, mark: char) {
    match c {
        '\\' => quoted.push_str("\\\\"),
        c if c == mark => quoted.extend(['\\', mark]),
        '\x07' => quoted.push_str("\\a"),
        '\x08' => quoted.push_str("\\b"),
        '\x0c' => quoted.push_str("\\f"),
        '\n' => quoted.push_str("\\n"),
        '\r' => quoted.push_str("\\r"),
        '\t' => quoted.push_str("\\t"),
        '\x0b' => quoted.push_str("\\v"),
        '\0'..'\x20' | '\x7f' => quoted.push_str(&format!("\\x{:02x}", u32::from(c))),
        c if is_printable(c) => quoted.push(c),
        c if u32::from(c) <= 0xffff => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
        c => quoted.push_str(&format!("\\U{:08x}", u32::from(c))),
    }
}

/// What Go calls printable, but for characters without a meaning yet.
fn is_printable(c: char) -> bool {
    let is_odd_blank = c.is_whitespace() && c != ' ';
    let is_format = matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}');
    !(c.is_control() || is_odd_blank || is_format)
}

/// A text in quotes, as Go's package `time` does it: every byte beyond ASCII on its own.
pub(crate) fn time_quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        if c.is_ascii() && c >= ' ' {
            if matches!(c, '"' | '\\') {
                quoted.push('\\');
            }
            quoted.push(c);
        } else {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                quoted.push_str(&format!("\\x{byte:02x}"));
            }
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_refused_in_go_s_words() {
        assert_eq!(parse_int("+5"), Ok(5));
        assert_eq!(parse_int("-9223372036854775808"), Ok(i64::MIN));
        let syntax = |text: &str| Err(format!("strconv.ParseInt: parsing {text}: invalid syntax"));
        assert_eq!(parse_int(""), syntax(r#""""#));
        assert_eq!(parse_int("+"), syntax(r#""+""#));
        assert_eq!(parse_int("1_0"), syntax(r#""1_0""#));
        assert_eq!(parse_int("ü\n\u{200b}"), syntax(r#""ü\n\u200b""#));
        let range = "strconv.ParseInt: parsing \"2147483648\": value out of range";
        assert_eq!(parse_int32("2147483648"), Err(range.to_owned()));
        assert_eq!(parse_bool("True"), Ok(true));
        let boolean = "strconv.ParseBool: parsing \"tRUE\": invalid syntax";
        assert_eq!(parse_bool("tRUE"), Err(boolean.to_owned()));
        assert_eq!(parse_float("0.95"), Ok(0.95));
        let float = "strconv.ParseFloat: parsing \"\": invalid syntax";
        assert_eq!(parse_float(""), Err(float.to_owned()));
    }

    #[test]
    fn durations_are_read_as_go_reads_them() {
        let cases = [
            ("0", 0),
            ("1.s", 1_000_000_000),
            (".5s", 500_000_000),
            ("1h2m3.000000004s", 3_723_000_000_004),
            ("-1.5us", -1_500),
            ("2500µs", 2_500_000),
            ("2500μs", 2_500_000),
            ("2562047h47m16.854775807s", i64::MAX),
            ("-2562047h47m16.854775808s", i64::MIN),
            ("0.33333333333333333333h", 1_200_000_000_000),
        ];
        for (text, nanos) in cases {
            assert_eq!(parse_duration(text), Ok(nanos), "{text}");
        }
        let refused = [
            ("", r#"time: invalid duration """#),
            ("-", r#"time: invalid duration "-""#),
            (".s", r#"time: invalid duration ".s""#),
            ("5", r#"time: missing unit in duration "5""#),
            ("1d", r#"time: unknown unit "d" in duration "1d""#),
            ("1 s", r#"time: unknown unit " s" in duration "1 s""#),
            (
                "1ü",
                r#"time: unknown unit "\xc3\xbc" in duration "1\xc3\xbc""#,
            ),
            ("9999999h", r#"time: invalid duration "9999999h""#),
            (
                "2562047h47m16.854775808s",
                r#"time: invalid duration "2562047h47m16.854775808s""#,
            ),
        ];
        for (text, message) in refused {
            assert_eq!(parse_duration(text), Err(message.to_owned()), "{text}");
        }
    }

    #[test]
    fn trace_ids_are_read_in_digits_and_in_paths_in_base64_too() {
        let id = |text: &str| TraceId::parse(text).unwrap();
        assert_eq!(parse_trace_id("AB1"), Ok(id("ab1")));
        assert_eq!(
            parse_trace_id_of_path("obLD1OX2Bxg="),
            Ok(id("a1b2c3d4e5f60718"))
        );
        let long = id("747261636b7761790000000000000001");
        assert_eq!(parse_trace_id_of_path("dHJhY2t3YXkAAAAAAAAAAQ"), Ok(long));
        let half = "strconv.ParseUint: parsing \"000000000000000z\": invalid syntax";
        assert_eq!(
            parse_trace_id("747261636b776179000000000000000z"),
            Err(half.to_owned())
        );
        assert_eq!(
            parse_trace_id_of_path("zzz"),
            Err("invalid length for TraceID".to_owned())
        );
        let cut = "strconv.ParseUint: parsing \"\\xc3\": invalid syntax";
        assert_eq!(parse_trace_id("ü234567890abcdef"), Err(cut.to_owned()));
    }
}
