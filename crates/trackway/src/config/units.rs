//! The kinds of value that a configuration key can have: how each is read from text and printed again.
//!
//! Promises: what [`Setting::print`] prints, [`Setting::parse`] reads as the same value; every refusal says what would
//! be right, with an example.
//! Refuses: numbers without a unit where there are several units to choose from.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// A value that a configuration key can have.
pub(crate) trait Setting: Sized {
    /// What may be written, in a few words, for the reference.
    const VALUES: &'static str;
    /// The same where the value can be switched off.
    const VALUES_OR_OFF: &'static str = Self::VALUES;
    /// Whether the value is a list: of a file it is given as JSON, elsewhere it may be YAML.
    const IS_LIST: bool = false;

    /// Reads the value; the error says what would be right.
    fn parse(text: &str) -> Result<Self, String>;

    /// Prints the value as it may be written.
    fn print(&self) -> String;
}

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ByteCount(pub u64);

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const TIB: u64 = 1 << 40;

/// Units of size, the largest first; binary ones first, because those are printed.
const SIZE_UNITS: [(&str, u64); 9] = [
    ("TiB", TIB),
    ("GiB", GIB),
    ("MiB", MIB),
    ("KiB", KIB),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

impl ByteCount {
    /// So many MiB.
    pub(crate) const fn mib(count: u64) -> Self {
        Self(count * MIB)
    }
}

impl Setting for ByteCount {
    const VALUES: &'static str = "size such as `64MiB`";
    const VALUES_OR_OFF: &'static str = "size such as `64MiB`, or `off`";

    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "{text:?} is not a size; write a number and a unit, such as 64MiB, 1.5GiB or 500MB"
            )
        };
        let (number, unit) = split_unit(text.trim());
        let factor = SIZE_UNITS
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(unit))
            .map(|(_, factor)| *factor);
        match (factor, unit) {
            (Some(factor), _) => scaled(number, factor).map(Self).ok_or_else(wrong),
            (None, "") if number == "0" => Ok(Self(0)),
            (None, "") if !number.is_empty() => Err(format!(
                "{text:?} has no unit; write {number}MiB or {number}B"
            )),
            (None, _) => Err(wrong()),
        }
    }

    fn print(&self) -> String {
        let fits = |(_, factor): &&(&str, u64)| self.0 != 0 && self.0.is_multiple_of(*factor);
        let (unit, factor) = SIZE_UNITS.iter().find(fits).unwrap_or(&("B", 1));
        format!("{}{unit}", self.0 / factor)
    }
}

/// Units of time in nanoseconds, the largest first; the spellings that are only read come last.
const TIME_UNITS: [(&str, u64); 11] = [
    ("w", 604_800_000_000_000),
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
    ("min", 60_000_000_000),
    ("µs", 1_000),
    ("μs", 1_000),
];
/// Weeks are read, but days are printed: `14d` is plainer than `2w`.
const PRINTED_TIME_UNITS: std::ops::Range<usize> = 1..8;

impl Setting for Duration {
    const VALUES: &'static str = "duration such as `30s`, `1h30m` or `7d`";
    const VALUES_OR_OFF: &'static str = "duration such as `36h` or `7d`, or `off`";

    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "{text:?} is not a duration; write numbers with units, such as 30s, 1h30m, 500ms or 7d"
            )
        };
        let mut rest = text.trim();
        let mut nanos: u64 = 0;
        if rest.is_empty() {
            return Err(wrong());
        }
        while !rest.is_empty() {
            let (number, behind) = split_unit(rest);
            let unit_bytes = behind
                .find(|c: char| c.is_ascii_digit())
                .unwrap_or(behind.len());
            let (unit, next) = behind.split_at(unit_bytes);
            if unit.is_empty() && !number.is_empty() && number.parse::<u64>() != Ok(0) {
                return Err(format!(
                    "{text:?} has no unit; write {number}s or {number}m"
                ));
            }
            let factor = match unit {
                "" => 1,
                _ => TIME_UNITS
                    .iter()
                    .find(|(name, _)| *name == unit)
                    .map(|(_, factor)| *factor)
                    .ok_or_else(wrong)?,
            };
            let part = scaled(number, factor).ok_or_else(wrong)?;
            nanos = nanos.checked_add(part).ok_or_else(wrong)?;
            rest = next;
        }
        Ok(Self::from_nanos(nanos))
    }

    fn print(&self) -> String {
        let mut left = u64::try_from(self.as_nanos()).unwrap_or(u64::MAX);
        let mut text = String::new();
        for (unit, factor) in TIME_UNITS.get(PRINTED_TIME_UNITS).unwrap_or_default() {
            if left >= *factor {
                text.push_str(&format!("{}{unit}", left / factor));
                left %= factor;
            }
        }
        if text.is_empty() {
            "0s".to_owned()
        } else {
            text
        }
    }
}

/// Splits text behind its leading number.
fn split_unit(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '_'))
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    (number, unit.trim())
}

/// A decimal number times a factor, cut to a whole; `None` when it is no number or too large.
fn scaled(number: &str, factor: u64) -> Option<u64> {
    /// More digits behind the point than the largest factor has could not matter.
    const FRACTION_DIGITS_MAX: usize = 15;
    let number = number.replace('_', "");
    let (whole, fraction) = number.split_once('.').unwrap_or((&number, ""));
    if fraction.len() > FRACTION_DIGITS_MAX || (number.contains('.') && fraction.is_empty()) {
        return None;
    }
    let mut total = u128::from(whole.parse::<u64>().ok()?) * u128::from(factor);
    if !fraction.is_empty() {
        let scale = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
        total += u128::from(fraction.parse::<u64>().ok()?) * u128::from(factor) / scale;
    }
    u64::try_from(total).ok()
}

/// A value that can be switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OrOff<T> {
    /// Not in force.
    Off,
    /// In force.
    On(T),
}

impl<T> OrOff<T> {
    /// The value, where it is in force.
    pub(crate) fn on(self) -> Option<T> {
        match self {
            Self::Off => None,
            Self::On(value) => Some(value),
        }
    }
}

impl<T: Setting> Setting for OrOff<T> {
    const VALUES: &'static str = T::VALUES_OR_OFF;

    fn parse(text: &str) -> Result<Self, String> {
        if is_off(text) {
            return Ok(Self::Off);
        }
        T::parse(text)
            .map(Self::On)
            .map_err(|why| format!("{why}; or off"))
    }

    fn print(&self) -> String {
        match self {
            Self::Off => "off".to_owned(),
            Self::On(value) => value.print(),
        }
    }
}

/// What stands between commas.
pub(crate) fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
}

/// Older YAML readers turn `off` into `false`; both mean the same here.
fn is_off(text: &str) -> bool {
    matches!(text.trim(), "off" | "false" | "none" | "never")
}

/// A number of bytes, or a share of the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SizeOrShare {
    /// So many bytes.
    Bytes(ByteCount),
    /// So many percent of the disk, 1 to 100.
    Percent(u8),
}

impl Setting for SizeOrShare {
    const VALUES: &'static str = "size such as `100GiB`, or a share of the disk such as `80%`";
    const VALUES_OR_OFF: &'static str =
        "size such as `100GiB`, a share of the disk such as `80%`, or `off`";

    fn parse(text: &str) -> Result<Self, String> {
        let Some(percent) = text.trim().strip_suffix('%') else {
            return ByteCount::parse(text)
                .map(Self::Bytes)
                .map_err(|why| format!("{why}, or a share such as 80%"));
        };
        match percent.trim().parse() {
            Ok(percent @ 1..=100) => Ok(Self::Percent(percent)),
            _ => Err(format!(
                "{text:?} is not a share of the disk; write 1% to 100%"
            )),
        }
    }

    fn print(&self) -> String {
        match self {
            Self::Bytes(bytes) => bytes.print(),
            Self::Percent(percent) => format!("{percent}%"),
        }
    }
}

/// A size that the program finds by itself unless it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SizeOrAuto {
    /// Found at start.
    Auto,
    /// Given.
    Bytes(ByteCount),
}

impl Setting for SizeOrAuto {
    const VALUES: &'static str = "size such as `512MiB`, or `auto`";

    fn parse(text: &str) -> Result<Self, String> {
        match text.trim() {
            "auto" => Ok(Self::Auto),
            size => ByteCount::parse(size)
                .map(Self::Bytes)
                .map_err(|why| format!("{why}; or auto")),
        }
    }

    fn print(&self) -> String {
        match self {
            Self::Auto => "auto".to_owned(),
            Self::Bytes(bytes) => bytes.print(),
        }
    }
}

macro_rules! whole_number {
    ($($number:ty),+) => { $(
        impl Setting for $number {
            const VALUES: &'static str = "whole number";

            fn parse(text: &str) -> Result<Self, String> {
                let digits = text.trim().replace('_', "");
                digits.parse().map_err(|_| format!("{text:?} is not a whole number between 0 and {}", <$number>::MAX))
            }

            fn print(&self) -> String {
                self.to_string()
            }
        }
    )+ };
}
whole_number!(u32, u64, usize);

impl Setting for PathBuf {
    const VALUES: &'static str = "path";
    const VALUES_OR_OFF: &'static str = "path, or `off`";

    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("the path is empty; write . for the current directory".to_owned());
        }
        Ok(Self::from(text))
    }

    fn print(&self) -> String {
        self.display().to_string()
    }
}

/// Where listeners listen that name only a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Host {
    /// 127.0.0.1 and, where the machine has it, ::1.
    Loopback,
    /// This address alone.
    Ip(IpAddr),
}

impl Setting for Host {
    const VALUES: &'static str = "`localhost`, or an IP address such as `0.0.0.0` or `::`";

    fn parse(text: &str) -> Result<Self, String> {
        match text.trim() {
            "localhost" | "loopback" => Ok(Self::Loopback),
            ip => ip.trim_start_matches('[').trim_end_matches(']').parse().map(Self::Ip).map_err(|_| {
                format!("{text:?} is not an IP address; write localhost, 0.0.0.0 (all of v4), :: (all) or one address")
            }),
        }
    }

    fn print(&self) -> String {
        match self {
            Self::Loopback => "localhost".to_owned(),
            Self::Ip(ip) => ip.to_string(),
        }
    }
}

/// A probability.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Probability(pub f64);

impl Setting for Probability {
    const VALUES: &'static str = "number from 0 to 1, such as `0.1`";

    fn parse(text: &str) -> Result<Self, String> {
        let number = text.trim().parse().ok();
        let number = number.filter(|number| (0.0..=1.0).contains(number));
        number.map(Self).ok_or_else(|| {
            format!("{text:?} is no probability; write a number from 0 to 1, such as 0.1")
        })
    }

    fn print(&self) -> String {
        self.0.to_string()
    }
}

/// A name that people give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name(pub String);

impl Setting for Name {
    const VALUES: &'static str = "name of at most 256 bytes";

    fn parse(text: &str) -> Result<Self, String> {
        let name = text.trim();
        if name.is_empty() || name.len() > 256 {
            let bytes = name.len();
            return Err(format!(
                "a name has 1 to 256 bytes, and this one has {bytes}"
            ));
        }
        Ok(Self(name.to_owned()))
    }

    fn print(&self) -> String {
        self.0.clone()
    }
}

/// So many a second, over 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct PerSecond(pub f64);

impl Setting for PerSecond {
    const VALUES: &'static str = "number over 0, such as `0.5`";
    const VALUES_OR_OFF: &'static str = "number over 0, such as `0.5`, or `off`";

    fn parse(text: &str) -> Result<Self, String> {
        let number = text.trim().parse().ok();
        let number = number.filter(|number: &f64| *number > 0.0 && number.is_finite());
        number
            .map(Self)
            .ok_or_else(|| format!("{text:?} is no rate; write a number over 0, such as 0.5"))
    }

    fn print(&self) -> String {
        self.0.to_string()
    }
}

/// What a listener takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Connections.
    Tcp,
    /// Datagrams.
    Udp,
}

/// Where one listener listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Address {
    /// Nowhere.
    Off,
    /// On this port of `listen.host`; 0 is a free port.
    Port(u16),
    /// On this port of the loopback addresses, whatever `listen.host` says.
    Loopback(u16),
    /// Exactly here.
    Socket(SocketAddr),
}

impl Setting for Address {
    const VALUES: &'static str = "port such as `4318`, address such as `0.0.0.0:4318` or `[::1]:4318`, `0` for a free \
                                  port, or `off`";

    fn parse(text: &str) -> Result<Self, String> {
        let trimmed = text.trim();
        if is_off(trimmed) {
            return Ok(Self::Off);
        }
        let wrong = || {
            format!(
                "{text:?} is not an address; write a port (4318), an IP address and port (0.0.0.0:4318, \
                     [::1]:4318), 0 for a free port, or off"
            )
        };
        if let Some(port) = trimmed.strip_prefix("localhost:") {
            return port.parse().map(Self::Loopback).map_err(|_| wrong());
        }
        if let Ok(port) = trimmed.trim_start_matches(':').parse() {
            return Ok(Self::Port(port));
        }
        trimmed.parse().map(Self::Socket).map_err(|_| wrong())
    }

    fn print(&self) -> String {
        match self {
            Self::Off => "off".to_owned(),
            Self::Port(port) => port.to_string(),
            Self::Loopback(port) => format!("localhost:{port}"),
            Self::Socket(socket) => socket.to_string(),
        }
    }
}

/// Makes an enum whose values are written as fixed words.
macro_rules! words {
    ($(#[doc = $doc:literal])+
     pub(crate) enum $name:ident { $( $(#[doc = $about:literal])+ $variant:ident = $word:literal, )+ }
     values = $values:literal) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum $name { $( $(#[doc = $about])+ $variant, )+ }

        impl $crate::config::units::Setting for $name {
            const VALUES: &'static str = $values;

            fn parse(text: &str) -> Result<Self, String> {
                let given = text.trim();
                // Helm and other readers of YAML turn `on` and `off` into these.
                let word = match given {
                    "true" => "on",
                    "false" => "off",
                    other => other,
                };
                match word {
                    $( $word => Ok(Self::$variant), )+
                    _ => Err(format!("{given:?} is none of {}", [$($word),+].join(", "))),
                }
            }

            fn print(&self) -> String {
                match self { $( Self::$variant => $word, )+ }.to_owned()
            }
        }
    };
}
pub(crate) use words;

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> Result<Duration, String> {
        Duration::parse(text)
    }

    #[test]
    fn a_word_that_is_none_is_told_as_it_was_written() {
        let said = crate::config::BackendKind::parse(" true ").unwrap_err();
        assert!(said.starts_with("\"true\" is none of embedded, "), "{said}");
    }

    #[test]
    fn reads_durations_with_several_units_and_prints_them_the_same() {
        assert_eq!(seconds("1h30m").unwrap(), Duration::from_secs(5400));
        assert_eq!(seconds("1.5s").unwrap(), Duration::from_millis(1500));
        assert_eq!(seconds("250µs").unwrap(), Duration::from_micros(250));
        assert_eq!(seconds("2w").unwrap().print(), "14d");
        assert_eq!(seconds("0").unwrap().print(), "0s");
        for text in ["7d", "1h30m", "500ms", "1s5ms", "3us"] {
            assert_eq!(seconds(text).unwrap().print(), text);
        }
    }

    #[test]
    fn refuses_durations_without_unit_sign_or_sense() {
        assert!(seconds("30").unwrap_err().contains("write 30s"));
        for text in ["", "s", "-5s", "5 parsecs", "1.s", "99999999999w", "1h30"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn reads_sizes_in_binary_and_decimal_units() {
        assert_eq!(ByteCount::parse("64MiB").unwrap(), ByteCount(64 << 20));
        assert_eq!(ByteCount::parse("1.5 GiB").unwrap(), ByteCount(3 << 29));
        assert_eq!(ByteCount::parse("500MB").unwrap(), ByteCount(500_000_000));
        assert_eq!(ByteCount(500_000_000).print(), "500MB");
        assert_eq!(ByteCount(1000).print(), "1kB");
        assert_eq!(ByteCount(1 << 30).print(), "1GiB");
        assert_eq!(ByteCount(0).print(), "0B");
        assert!(ByteCount::parse("64").unwrap_err().contains("64MiB"));
        for text in ["", "MiB", "-1MiB", "1 furlong", "99999999999TiB"] {
            assert!(ByteCount::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn reads_a_share_of_the_disk_only_from_1_to_100_percent() {
        assert_eq!(SizeOrShare::parse("80%").unwrap(), SizeOrShare::Percent(80));
        assert_eq!(OrOff::<SizeOrShare>::parse("off").unwrap(), OrOff::Off);
        assert!(SizeOrShare::parse("0%").is_err());
        assert!(SizeOrShare::parse("101%").is_err());
    }

    #[test]
    fn reads_every_form_of_address() {
        assert_eq!(Address::parse("4318").unwrap(), Address::Port(4318));
        assert_eq!(Address::parse(":4318").unwrap(), Address::Port(4318));
        assert_eq!(Address::parse("0").unwrap(), Address::Port(0));
        assert_eq!(Address::parse("off").unwrap(), Address::Off);
        assert_eq!(
            Address::parse("localhost:4318").unwrap(),
            Address::Loopback(4318)
        );
        assert_eq!(Address::parse("[::1]:4318").unwrap().print(), "[::1]:4318");
        for text in ["", "65536", "example.org:80", "0.0.0.0", "::1:x"] {
            assert!(Address::parse(text).is_err(), "{text}");
        }
        assert_eq!(Host::parse("[::]").unwrap().print(), "::");
        assert!(Host::parse("example.org").is_err());
    }
}
