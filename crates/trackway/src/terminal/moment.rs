//! Times and durations as people read them.
//!
//! Promises: a time is local and bears its offset; a duration has three or four digits that count.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A time in microseconds since the epoch, in the zone, with its offset.
pub(crate) fn local_time(unix_micros: i64, zone: &TimeZone) -> String {
    match Timestamp::from_microsecond(unix_micros) {
        Ok(time) => time
            .to_zoned_datetime(zone.clone())
            .strftime("%Y-%m-%d %H:%M:%S%.6f %:z")
            .to_string(),
        // Senders may claim any time; one that no calendar has is shown as the number that it is.
        Err(_) => format!("{unix_micros} µs since 1970"),
    }
}

/// A duration in microseconds: `850µs`, `12.3ms`, `1.52s`, `3m05s`, `2h03m`.
pub(crate) fn duration_text(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let micros = micros.unsigned_abs();
    let text = match micros {
        0..1_000 => format!("{micros}µs"),
        1_000..1_000_000 => decimal(micros, 1_000, "ms"),
        1_000_000..60_000_000 => decimal(micros, 1_000_000, "s"),
        60_000_000..3_600_000_000 => {
            format!("{}m{:02}s", micros / 60_000_000, micros / 1_000_000 % 60)
        }
        _ => format!(
            "{}h{:02}m",
            micros / 3_600_000_000,
            micros / 60_000_000 % 60
        ),
    };
    format!("{sign}{text}")
}

/// A number of units with as many decimals as make three digits; cut, not rounded, so that it never reads 1000ms.
fn decimal(micros: u64, unit: u64, name: &str) -> String {
    let (whole, rest) = (micros / unit, micros % unit);
    match whole {
        0..10 => format!("{whole}.{:02}{name}", rest * 100 / unit),
        10..100 => format!("{whole}.{}{name}", rest * 10 / unit),
        _ => format!("{whole}{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_keep_the_digits_that_count() {
        let cases = [
            (0, "0µs"),
            (999, "999µs"),
            (1_000, "1.00ms"),
            (12_345, "12.3ms"),
            (999_999, "999ms"),
            (1_520_000, "1.52s"),
            (59_999_999, "59.9s"),
            (185_000_000, "3m05s"),
            (7_380_000_000, "2h03m"),
            (-1_500, "-1.50ms"),
        ];
        for (micros, text) in cases {
            assert_eq!(duration_text(micros), text);
        }
        assert!(duration_text(i64::MIN).starts_with("-2562047788h"));
    }

    #[test]
    fn a_time_bears_the_offset_of_its_zone() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        assert_eq!(
            local_time(1_790_000_000_123_456, &zone),
            "2026-09-21 16:13:20.123456 +02:00"
        );
        assert_eq!(
            local_time(i64::MAX, &zone),
            "9223372036854775807 µs since 1970"
        );
    }
}
