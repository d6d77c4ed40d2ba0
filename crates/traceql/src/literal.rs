//! Values as text: durations, quoted strings, quoted parts of names.
//!
//! Promises: what is printed here reads back as the same value; durations are computed in whole nanoseconds, so `0.1s`
//! is exactly 100 ms.
//! Refuses: escapes that Go does not know, and strings that are no UTF-8 once their escapes are resolved.

/// The units of durations in nanoseconds, as they are written.
pub(crate) const UNITS: [(&str, u64); 11] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", SECOND),
    ("m", 60 * SECOND),
    ("h", 3_600 * SECOND),
    ("d", 24 * 3_600 * SECOND),
    ("w", 7 * 24 * 3_600 * SECOND),
    ("y", 365 * 24 * 3_600 * SECOND),
];

const SECOND: u64 = 1_000_000_000;
/// Digits behind the point that can matter: a nanosecond of a year has 17.
const FRACTION_DIGITS_MAX: usize = 18;

/// The nanoseconds of a duration without sign (`1m30s`, `1.5s`); `None` where it is none, or longer than 292 years.
pub(crate) fn duration_nanos(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut nanos: u128 = 0;
    while !rest.is_empty() {
        let digits_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, behind) = rest.split_at_checked(digits_end)?;
        let unit_end = behind
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(behind.len());
        let (unit, next) = behind.split_at_checked(unit_end)?;
        let (_, unit_nanos) = UNITS.iter().find(|(name, _)| *name == unit)?;
        nanos = nanos.checked_add(part_nanos(number, *unit_nanos)?)?;
        rest = next;
    }
    let nanos = u64::try_from(nanos).ok()?;
    // One more than fits is allowed, for the least duration of all, which has a minus before it.
    (nanos <= i64::MAX.unsigned_abs() + 1 && !text.is_empty()).then_some(nanos)
}

fn part_nanos(number: &str, unit_nanos: u64) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let whole: u128 = if whole.is_empty() {
        0
    } else {
        whole.parse::<u64>().ok()?.into()
    };
    let mut nanos = whole.checked_mul(unit_nanos.into())?;
    let kept = fraction.get(..fraction.len().min(FRACTION_DIGITS_MAX))?;
    if !kept.is_empty() {
        let digits: u128 = kept.parse::<u64>().ok()?.into();
        let scale = 10u128.checked_pow(u32::try_from(kept.len()).ok()?)?;
        nanos = nanos.checked_add(digits.checked_mul(unit_nanos.into())? / scale)?;
    }
    Some(nanos)
}

/// A duration as it is printed: `1h2m`, `1.5s`, `250ms`.
#[must_use]
pub fn duration_text(nanos: i64) -> String {
    let mut text = String::new();
    let mut rest = nanos.unsigned_abs();
    if nanos < 0 {
        text.push('-');
    }
    for (unit, unit_nanos) in [("h", 3_600 * SECOND), ("m", 60 * SECOND)] {
        if rest >= unit_nanos {
            text.push_str(&(rest / unit_nanos).to_string());
            text.push_str(unit);
            rest %= unit_nanos;
        }
    }
    let is_whole = rest == 0 && nanos != 0;
    let (unit, unit_nanos) = match rest {
        _ if is_whole => return text,
        0 => ("s", SECOND),
        1..1_000 => ("ns", 1),
        1_000..1_000_000 => ("µs", 1_000),
        1_000_000..SECOND => ("ms", 1_000_000),
        _ => ("s", SECOND),
    };
    text.push_str(&(rest / unit_nanos).to_string());
    let fraction = rest % unit_nanos;
    if fraction > 0 {
        let width = unit_nanos.ilog10() as usize;
        let digits = format!("{fraction:0width$}");
        text.push('.');
        text.push_str(digits.trim_end_matches('0'));
    }
    text.push_str(unit);
    text
}

/// A string in double quotes.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// What a string in double quotes means, given what stands between them; or where the bad escape is, and why.
pub(crate) fn unquoted(inner: &str) -> Result<String, (std::ops::Range<usize>, String)> {
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        let (before, from) = rest.split_at_checked(at).unwrap_or((rest, ""));
        bytes.extend_from_slice(before.as_bytes());
        let start = inner.len() - from.len();
        let (length, is_known) = escape(from, &mut bytes);
        let end = start + length.min(from.len());
        if !is_known {
            let shown = inner.get(start..end).unwrap_or_default();
            let message = format!("{shown:?} is no escape; a backslash is written \\\\");
            return Err((start..end, message));
        }
        rest = inner.get(end..).unwrap_or_default();
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).map_err(|_| {
        let message = "the escapes of this string make no UTF-8".to_owned();
        (0..inner.len(), message)
    })
}

/// Resolves the escape that a text begins with: its length in bytes, and whether it is one.
fn escape(text: &str, out: &mut Vec<u8>) -> (usize, bool) {
    let mut chars = text.chars().skip(1);
    let Some(c) = chars.next() else {
        return (1, false);
    };
    let simple = match c {
        'a' => Some(7),
        'b' => Some(8),
        'f' => Some(12),
        'n' => Some(b'\n'),
        'r' => Some(b'\r'),
        't' => Some(b'\t'),
        'v' => Some(11),
        '\\' => Some(b'\\'),
        '"' => Some(b'"'),
        _ => None,
    };
    if let Some(byte) = simple {
        out.push(byte);
        return (2, true);
    }
    let (digits_at, digits, radix) = match c {
        'x' => (2, 2, 16),
        'u' => (2, 4, 16),
        'U' => (2, 8, 16),
        '0'..='7' => (1, 3, 8),
        _ => return (1 + c.len_utf8(), false),
    };
    let number = text
        .get(digits_at..digits_at + digits)
        .filter(|digits| digits.chars().all(|c| c.is_digit(radix)))
        .and_then(|digits| u32::from_str_radix(digits, radix).ok());
    let length = digits_at + digits;
    let Some(number) = number else {
        return (2, false);
    };
    if matches!(c, 'u' | 'U') {
        let Some(c) = char::from_u32(number) else {
            return (length, false);
        };
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        return (length, true);
    }
    u8::try_from(number).map_or((length, false), |byte| {
        out.push(byte);
        (length, true)
    })
}

/// Whether a character ends an attribute's name that is not quoted.
pub(crate) fn ends_name(c: char) -> bool {
    if plumbing::planted("traceql-minus-ends-names") && c == '-' {
        return true;
    }
    c.is_whitespace() || "{}()=~!<>&|^,".contains(c)
}

/// An attribute's key as it is written behind the dot.
pub(crate) fn key_text(key: &str) -> String {
    let is_plain = !key.is_empty() && !key.contains('"') && !key.chars().any(ends_name);
    if is_plain {
        return key.to_owned();
    }
    let mut out = String::with_capacity(key.len() + 2);
    out.push('"');
    for c in key.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_exact_in_all_units() {
        let cases = [
            ("7ns", 7),
            ("7us", 7_000),
            ("7µs", 7_000),
            ("7μs", 7_000),
            ("1.5ms", 1_500_000),
            ("0.1s", 100_000_000),
            ("1m30s", 90_000_000_000),
            ("2h", 7_200_000_000_000),
            ("1d", 86_400_000_000_000),
            ("1w", 604_800_000_000_000),
            ("1y", 31_536_000_000_000_000),
            ("1h1.5m", 3_690_000_000_000),
            ("0.0000000019s", 1),
        ];
        for (text, nanos) in cases {
            assert_eq!(duration_nanos(text), Some(nanos), "{text}");
        }
        for bad in ["", "5", "5x", "s", ".s", "5s5", "300y", "1.2.3s"] {
            assert_eq!(duration_nanos(bad), None, "{bad}");
        }
    }

    #[test]
    fn durations_read_back_as_they_were_printed() {
        let cases = [
            (0, "0s"),
            (1, "1ns"),
            (1_500, "1.5µs"),
            (250_000_000, "250ms"),
            (90_000_000_000, "1m30s"),
            (3_600_000_000_000, "1h"),
            (3_600_000_000_001, "1h1ns"),
            (-1_500_000_000, "-1.5s"),
            (i64::MIN, "-2562047h47m16.854775808s"),
        ];
        for (nanos, text) in cases {
            assert_eq!(duration_text(nanos), text);
            let unsigned = text.trim_start_matches('-');
            assert_eq!(duration_nanos(unsigned), Some(nanos.unsigned_abs()));
        }
    }

    #[test]
    fn strings_have_the_escapes_of_go() {
        let good = [
            (r#"a\"b\\c"#, "a\"b\\c"),
            (r"\a\b\f\n\r\t\v", "\u{7}\u{8}\u{c}\n\r\t\u{b}"),
            (r"\x41\101\u00e4\U0001F600", "AA\u{e4}\u{1F600}"),
            (r"\xc3\xa4", "\u{e4}"),
        ];
        for (text, meant) in good {
            assert_eq!(unquoted(text).unwrap(), meant);
        }
        for bad in [
            r"\q", r"\x4", r"\ud800", r"\400", r"\", r"\xff", r"\u+123", r"\'",
        ] {
            assert!(unquoted(bad).is_err(), "{bad}");
        }
        assert_eq!(unquoted(r"ab\qc").unwrap_err().0, 2..4);
    }
}
