//! Times and durations as Go programs write them: Jaeger's warnings and health answers quote such texts.
//!
//! Promises: for every argument the same text as Go's `time.Duration.String` and `time.Time.String` (in UTC).

const NANOS_PER_SECOND: u64 = 1_000_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// A duration in nanoseconds as Go writes it: `1.5ms`, `-33.5ms`, `1h0m3.5s`, `0s`.
#[must_use]
pub fn duration_text(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let size = nanos.unsigned_abs();
    let text = match size {
        0 => "0s".to_owned(),
        1..1_000 => format!("{size}ns"),
        1_000..1_000_000 => format!("{}µs", decimal(size, 1_000)),
        1_000_000..NANOS_PER_SECOND => format!("{}ms", decimal(size, 1_000_000)),
        _ => {
            let minutes = size / (60 * NANOS_PER_SECOND);
            let seconds = decimal(size % (60 * NANOS_PER_SECOND), NANOS_PER_SECOND);
            match (minutes / 60, minutes % 60) {
                (0, 0) => format!("{seconds}s"),
                (0, minutes) => format!("{minutes}m{seconds}s"),
                (hours, minutes) => format!("{hours}h{minutes}m{seconds}s"),
            }
        }
    };
    format!("{sign}{text}")
}

/// `size / unit` with the digits of the rest behind a point, without zeros at the end.
fn decimal(size: u64, unit: u64) -> String {
    let (whole, rest) = (size / unit, size % unit);
    if rest == 0 {
        return whole.to_string();
    }
    let width = unit.ilog10() as usize;
    let digits = format!("{rest:0width$}");
    format!("{whole}.{}", digits.trim_end_matches('0'))
}

/// A moment in nanoseconds since the epoch as Go writes it in UTC: `2026-01-15 10:00:00.045 +0000 UTC`.
#[must_use]
pub fn timestamp_text(unix_nanos: u64) -> String {
    // Go keeps nanoseconds in 64 signed bits here: what is beyond lies before the epoch.
    let nanos = unix_nanos.cast_signed();
    let second = nanos.div_euclid(1_000_000_000);
    let fraction = nanos.rem_euclid(1_000_000_000).unsigned_abs();
    let (year, month, day) = civil(second.div_euclid(SECONDS_PER_DAY));
    let of_day = second.rem_euclid(SECONDS_PER_DAY);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    let seconds = if second < 10 { "0" } else { "" };
    let seconds = format!(
        "{seconds}{}",
        decimal(
            second.unsigned_abs() * NANOS_PER_SECOND + fraction,
            NANOS_PER_SECOND
        )
    );
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{seconds} +0000 UTC")
}

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar.
fn civil(day: i64) -> (i64, i64, i64) {
    // Years begin in March here, so that the leap day is a year's last; 719 468 days lie between 0000-03-01 and 1970.
    let day = day + 719_468;
    let (era, of_era) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, of_year - (153 * march_month + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_go_writes_them() {
        let cases = [
            (0, "0s"),
            (1, "1ns"),
            (1_500, "1.5µs"),
            (-33_500_000, "-33.5ms"),
            (225_000_000, "225ms"),
            (3_030_000_000, "3.03s"),
            (60_000_000_000, "1m0s"),
            (3_600_000_000_001, "1h0m0.000000001s"),
            (i64::MIN, "-2562047h47m16.854775808s"),
        ];
        for (nanos, text) in cases {
            assert_eq!(duration_text(nanos), text);
        }
    }

    #[test]
    fn moments_are_written_as_go_writes_them() {
        let cases = [
            (0, "1970-01-01 00:00:00 +0000 UTC"),
            (1, "1970-01-01 00:00:00.000000001 +0000 UTC"),
            (
                1_768_471_200_045_000_000,
                "2026-01-15 10:00:00.045 +0000 UTC",
            ),
            (951_782_400_000_000_000, "2000-02-29 00:00:00 +0000 UTC"),
            (
                4_107_542_399_123_456_789,
                "2100-02-28 23:59:59.123456789 +0000 UTC",
            ),
            (u64::MAX, "1969-12-31 23:59:59.999999999 +0000 UTC"),
        ];
        for (nanos, text) in cases {
            assert_eq!(timestamp_text(nanos), text);
        }
    }
}
