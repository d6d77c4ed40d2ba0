//! Moments as RFC 3339 has them, read as Go reads them and refused in its words.
//!
//! Promises: the same texts are accepted as by `time.Parse(time.RFC3339Nano, …)`, with the same message for others.

use crate::go_text::time_quote;

const LAYOUT: &str = "2006-01-02T15:04:05.999999999Z07:00";
const NANOS_PER_SECOND: i128 = 1_000_000_000;

/// Nanoseconds since the epoch; negative before it.
pub(crate) fn parse(text: &str) -> Result<i128, String> {
    let mut parser = Parser {
        whole: text,
        rest: text.as_bytes(),
        out_of_range: None,
    };
    let year = parser.number(4, "2006", 0..=9999, "year")?;
    parser.literal("-")?;
    let month = parser.number(2, "01", 1..=12, "month")?;
    parser.literal("-")?;
    let day = parser.number(2, "02", 0..=99, "day")?;
    parser.literal("T")?;
    let hour = parser.number(2, "15", 0..=23, "hour")?;
    parser.literal(":")?;
    let minute = parser.number(2, "04", 0..=59, "minute")?;
    parser.literal(":")?;
    let second = parser.number(2, "05", 0..=59, "second")?;
    let nanos = parser.fraction();
    let offset_seconds = parser.zone()?;
    if !parser.rest.is_empty() {
        let extra = time_quote(&parser.rest_text());
        return Err(format!(
            "parsing time {}: extra text: {extra}",
            time_quote(text)
        ));
    }
    if !(1..=days_in(year, month)).contains(&day) {
        parser.out_of_range.get_or_insert("day");
    }
    if let Some(what) = parser.out_of_range {
        return Err(format!(
            "parsing time {}: {what} out of range",
            time_quote(text)
        ));
    }
    let days = days_since_epoch(year, month, day);
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset_seconds;
    Ok(i128::from(seconds) * NANOS_PER_SECOND + i128::from(nanos))
}

struct Parser<'a> {
    whole: &'a str,
    rest: &'a [u8],
    /// The first field whose number is none that it may have; told when all else is right.
    out_of_range: Option<&'static str>,
}

impl Parser<'_> {
    fn rest_text(&self) -> String {
        String::from_utf8_lossy(self.rest).into_owned()
    }

    fn cannot(&self, element: &str) -> String {
        let (whole, rest) = (time_quote(self.whole), time_quote(&self.rest_text()));
        format!(
            "parsing time {whole} as {}: cannot parse {rest} as {}",
            time_quote(LAYOUT),
            time_quote(element)
        )
    }

    fn literal(&mut self, text: &str) -> Result<(), String> {
        match self.rest.strip_prefix(text.as_bytes()) {
            Some(rest) => {
                self.rest = rest;
                Ok(())
            }
            None => Err(self.cannot(text)),
        }
    }

    fn number(
        &mut self,
        digits: usize,
        element: &str,
        range: std::ops::RangeInclusive<i64>,
        what: &'static str,
    ) -> Result<i64, String> {
        let split = self.rest.split_at_checked(digits);
        let Some((text, rest)) = split.filter(|(text, _)| text.iter().all(u8::is_ascii_digit))
        else {
            return Err(self.cannot(element));
        };
        self.rest = rest;
        let number = text
            .iter()
            .fold(0, |number, digit| number * 10 + i64::from(digit - b'0'));
        if !range.contains(&number) {
            self.out_of_range.get_or_insert(what);
        }
        Ok(number)
    }

    /// The fraction of a second in nanoseconds; digits beyond the ninth are cut.
    fn fraction(&mut self) -> i64 {
        let [b'.' | b',', digits @ ..] = self.rest else {
            return 0;
        };
        let count = digits
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        if count == 0 {
            return 0;
        }
        let (digits, rest) = digits.split_at(count);
        self.rest = rest;
        let nine = digits
            .iter()
            .copied()
            .chain(std::iter::repeat(b'0'))
            .take(9);
        nine.fold(0, |number, digit| number * 10 + i64::from(digit - b'0'))
    }

    fn zone(&mut self) -> Result<i64, String> {
        const ELEMENT: &str = "Z07:00";
        if let Some(rest) = self.rest.strip_prefix(b"Z") {
            self.rest = rest;
            return Ok(0);
        }
        let &[sign @ (b'+' | b'-'), a, b, b':', c, d, ref rest @ ..] = self.rest else {
            return Err(self.cannot(ELEMENT));
        };
        if ![a, b, c, d].iter().all(u8::is_ascii_digit) {
            return Err(self.cannot(ELEMENT));
        }
        let two = |tens: u8, ones: u8| i64::from(tens - b'0') * 10 + i64::from(ones - b'0');
        let (hours, minutes) = (two(a, b), two(c, d));
        if hours > 24 {
            self.out_of_range.get_or_insert("time zone offset hour");
        }
        if minutes > 60 {
            self.out_of_range.get_or_insert("time zone offset minute");
        }
        self.rest = rest;
        let seconds = hours * 3_600 + minutes * 60;
        Ok(if sign == b'-' { -seconds } else { seconds })
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a day of the Gregorian calendar.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March here, so that the leap day is a year's last.
    let year = if month <= 2 { year - 1 } else { year };
    let of_era = year.rem_euclid(400);
    let march_month = (month + 9) % 12;
    let of_year = (153 * march_month + 2) / 5 + day - 1;
    let of_era_days = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    year.div_euclid(400) * 146_097 + of_era_days - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_with_fractions_and_zones() {
        let base = 1_768_471_200_000_000_000;
        for (text, nanos) in [
            ("2026-01-15T10:00:00Z", base),
            ("2026-01-15T11:00:00+01:00", base),
            ("2026-01-15T08:30:00-01:30", base),
            ("2026-01-15T10:00:00.000000001Z", base + 1),
            ("2026-01-15T10:00:00,5Z", base + 500_000_000),
            ("1970-01-01T00:00:00Z", 0),
            ("1969-12-31T23:59:59.9999999999Z", -1),
            ("2024-02-29T00:00:00Z", 1_709_164_800_000_000_000),
        ] {
            assert_eq!(parse(text), Ok(nanos), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_refused_in_go_s_words() {
        let cannot = |text: &str, rest: &str, element: &str| {
            format!(
                "parsing time \"{text}\" as \"{LAYOUT}\": cannot parse \"{rest}\" as \"{element}\""
            )
        };
        for (text, rest, element) in [
            ("", "", "2006"),
            ("x", "x", "2006"),
            ("1768471200000000", "471200000000", "-"),
            ("2026-1-15T10:00:00Z", "1-15T10:00:00Z", "01"),
            ("2026-01-15 10:00:00Z", " 10:00:00Z", "T"),
            ("2026-01-15T10:00:00", "", "Z07:00"),
            ("2026-01-15T10:00:00.Z", ".Z", "Z07:00"),
            ("2026-01-15T10:00:00+0100", "+0100", "Z07:00"),
        ] {
            assert_eq!(parse(text), Err(cannot(text, rest, element)), "{text}");
        }
        for (text, why) in [
            ("2026-13-15T10:00:00Z", "month out of range"),
            ("2026-02-29T10:00:00Z", "day out of range"),
            ("2026-01-15T24:00:00Z", "hour out of range"),
            ("2026-01-15T10:00:00Zx", "extra text: \"x\""),
        ] {
            assert_eq!(parse(text), Err(format!("parsing time \"{text}\": {why}")));
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused_without_a_panic(
            text in proptest::prop_oneof!["[-0-9T:.,Z+ä]{0,40}", ".{0,60}"],
        ) {
            let _read = parse(&text);
        }
    }
}
