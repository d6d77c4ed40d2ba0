//! The names of indices, as Jaeger gives them: one for each day, by the UTC day on which a span starts; for each
//! tenant its own.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::TenantId;
use model::contract::Window;

/// What stands between the parts of a date, unless it is said otherwise.
pub(super) const HYPHEN: char = '-';
const NANOS_PER_DAY: u64 = 86_400 * 1_000_000_000;
/// A search of more days asks for all indices: a request has room for so many names.
const DAYS_NAMED_MAX: u64 = 31;
/// A request line has 4,096 bytes, which other words need too.
const NAMES_BYTES_MAX: usize = 3_000;

/// Names with a prefix.
#[derive(Debug, Clone)]
pub(super) struct Indices {
    /// With the hyphen behind it, or empty.
    prefix: String,
    rotation: Rotation,
    /// What stands between the parts of a date.
    separator: char,
}

/// When a new index begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rotation {
    /// With every day on which spans start.
    #[default]
    Daily,
    /// When `trackway storage rollover` finds the one that is written to old or large enough: aliases say where to
    /// write and where to read.
    Rollover,
}

/// A day since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Day(u64);

impl Day {
    pub(super) fn of(unix_nanos: u64) -> Self {
        Self(unix_nanos / NANOS_PER_DAY)
    }

    /// As it stands in the name of an index: `2026-01-15`, or with something else between its parts.
    fn text(self, separator: char) -> String {
        let seconds = i64::try_from(self.0.saturating_mul(86_400)).unwrap_or(i64::MAX);
        let time = Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
        let date = TimeZone::UTC.to_datetime(time).date();
        date.to_string().replace(HYPHEN, &separator.to_string())
    }
}

impl Indices {
    /// The names of a tenant's indices: those of a Jaeger whose prefix is the tenant. The tenant that is there where
    /// none are told apart has the prefix alone.
    pub(super) fn new(prefix: &str, tenant: &TenantId) -> Self {
        let mut whole = prefix.to_owned();
        if *tenant != TenantId::default() {
            end_part(&mut whole);
            whole.push_str(&named(tenant.as_str(), whole.is_empty()));
        }
        end_part(&mut whole);
        Self {
            prefix: whole,
            rotation: Rotation::Daily,
            separator: HYPHEN,
        }
    }

    /// With something else between the parts of a date in the names of Jaeger's indices.
    pub(super) fn dated(self, separator: char) -> Self {
        Self { separator, ..self }
    }

    /// A date in those names, in which `d` is a digit.
    pub(super) fn form_of_date(&self) -> String {
        "dddd-dd-dd".replace(HYPHEN, &self.separator.to_string())
    }

    pub(super) fn rotated(self, rotation: Rotation) -> Self {
        Self { rotation, ..self }
    }

    pub(super) fn is_rolled(&self) -> bool {
        self.rotation == Rotation::Rollover
    }

    /// What every name begins with.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// What a template of one kind is called: `jaeger-span`.
    pub(super) fn template(&self, kind: &str) -> String {
        format!("{}jaeger-{kind}", self.prefix)
    }

    /// Where the spans of a day are written.
    pub(super) fn spans_of(&self, day: Day) -> String {
        self.written("span", day)
    }

    /// Where it is kept which services have which operations on a day.
    pub(super) fn services_of(&self, day: Day) -> String {
        self.written("service", day)
    }

    fn written(&self, kind: &str, day: Day) -> String {
        match self.rotation {
            Rotation::Daily => format!("{}-{}", self.template(kind), day.text(self.separator)),
            Rotation::Rollover => format!("{}-write", self.template(kind)),
        }
    }

    /// Where traces are written that somebody archived.
    pub(super) fn archive(&self) -> String {
        match self.rotation {
            Rotation::Daily => self.template("span-archive"),
            Rotation::Rollover => format!("{}-write", self.template("span-archive")),
        }
    }

    /// Where they are read.
    pub(super) fn archived(&self) -> String {
        match self.rotation {
            Rotation::Daily => self.template("span-archive"),
            Rotation::Rollover => format!("{}-read", self.template("span-archive")),
        }
    }

    /// All spans but those of the archive.
    pub(super) fn all_spans(&self) -> String {
        match self.rotation {
            Rotation::Daily => {
                let (spans, archive) = (self.template("span"), self.template("span-archive"));
                format!("{spans}-*,-{archive}*")
            }
            Rotation::Rollover => format!("{}-read", self.template("span")),
        }
    }

    pub(super) fn all_services(&self) -> String {
        self.all_of("service")
    }

    /// What Jaeger's job writes of calls between services.
    pub(super) fn all_dependencies(&self) -> String {
        self.all_of("dependencies")
    }

    fn all_of(&self, kind: &str) -> String {
        match self.rotation {
            Rotation::Daily => format!("{}-*", self.template(kind)),
            Rotation::Rollover => format!("{}-read", self.template(kind)),
        }
    }

    /// Where the spans are that start in a window.
    pub(super) fn spans_in(&self, window: Window) -> String {
        let (Day(first), Day(last)) = (Day::of(window.start), Day::of(window.end));
        if self.is_rolled() || last.saturating_sub(first) >= DAYS_NAMED_MAX {
            return self.all_spans();
        }
        // A Jaeger may begin an index with every hour.
        let days = (first..=last).map(|day| format!("{}*", self.spans_of(Day(day))));
        let names = days.collect::<Vec<_>>().join(",");
        if names.len() > NAMES_BYTES_MAX {
            return self.all_spans();
        }
        names
    }

    /// What the names of indices with counts by minute end with, before the day.
    pub(super) const SUMS: &str = "trackway-sums-";

    /// What the names of this tenant's begin with.
    pub(super) fn sums_prefix(&self) -> String {
        format!("{}{}", self.prefix, Self::SUMS)
    }

    /// Where the counts are kept of spans that start on a day.
    pub(super) fn sums_of(&self, day: Day) -> String {
        format!("{}{}", self.sums_prefix(), day.text(HYPHEN))
    }

    pub(super) fn all_sums(&self) -> String {
        format!("{}*", self.sums_prefix())
    }

    /// Where it is said who does what only one may do.
    pub(super) fn leases(&self) -> String {
        format!("{}trackway-leases", self.prefix)
    }

    /// Where documents are set aside that the server does not take.
    pub(super) fn set_aside(&self) -> String {
        format!("{}trackway-set-aside", self.prefix)
    }
}

/// Puts a hyphen behind a part of a name, unless there is one or nothing.
fn end_part(whole: &mut String) {
    if !whole.is_empty() && !whole.ends_with('-') {
        whole.push('-');
    }
}

/// A tenant in the name of an index, which has no capitals. No two tenants have one name, and no tenant's indices have
/// names that another's patterns match: what is not as it was has a plus before its number, which no tenant's name has.
fn named(tenant: &str, is_first: bool) -> String {
    let hides_a_pattern = tenant.contains("jaeger-") || tenant.contains("trackway-");
    let mut name = String::new();
    for letter in tenant.chars() {
        if letter.is_ascii_uppercase() || letter == '-' && hides_a_pattern {
            // Writing to a String can't fail.
            let _infallible = write!(name, "+{:02x}", u32::from(letter));
        } else {
            name.push(letter);
        }
    }
    // These may not come first.
    if is_first && name.starts_with(['+', '_', '-']) {
        name.insert_str(0, "t+");
    }
    name
}

/// The path of a request about indices.
pub(super) fn path_of(indices: &str, rest: &str) -> String {
    format!("/{}{rest}", indices.replace('+', "%2B"))
}

/// The path of a search. An answer of a part of the data is none: it would pass for all.
pub(super) fn search_path(indices: &str) -> String {
    path_of(
        indices,
        "/_search?ignore_unavailable=true&allow_partial_search_results=false",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(prefix: &str) -> Indices {
        Indices::new(prefix, &TenantId::default())
    }

    #[test]
    fn each_tenant_has_names_of_its_own() {
        let template = |prefix: &str, tenant: &str| {
            Indices::new(prefix, &TenantId::parse(tenant).unwrap()).template("span")
        };
        assert_eq!(template("", "default"), "jaeger-span");
        assert_eq!(template("", "acme"), "acme-jaeger-span");
        assert_eq!(template("x", "acme.eu-1"), "x-acme.eu-1-jaeger-span");
        assert_eq!(template("", "tA"), "t+41-jaeger-span");
        assert_eq!(template("", "A"), "t++41-jaeger-span");
        assert_eq!(template("x-", "A"), "x-+41-jaeger-span");
        assert_eq!(template("", "_a"), "t+_a-jaeger-span");
        // The pattern of all spans of the first, `jaeger-span-*`, matches none of the second's.
        assert_eq!(
            template("", "jaeger-span-x"),
            "jaeger+2dspan+2dx-jaeger-span"
        );
        assert_eq!(path_of("t+41-a,b", "/_search"), "/t%2B41-a,b/_search");
    }

    #[test]
    fn names_are_jaegers() {
        let plain = of("");
        let day = Day::of(1_768_471_200_000_000_000);
        assert_eq!(plain.spans_of(day), "jaeger-span-2026-01-15");
        assert_eq!(plain.services_of(day), "jaeger-service-2026-01-15");
        assert_eq!(plain.archive(), "jaeger-span-archive");
        for prefix in ["shop", "shop-"] {
            let indices = of(prefix);
            assert_eq!(indices.spans_of(day), "shop-jaeger-span-2026-01-15");
            assert_eq!(indices.template("span"), "shop-jaeger-span");
        }
        let dotted = of("shop").dated('.');
        assert_eq!(dotted.spans_of(day), "shop-jaeger-span-2026.01.15");
        assert_eq!(dotted.sums_of(day), "shop-trackway-sums-2026-01-15");
        assert_eq!(
            dotted.spans_in(Window { start: 0, end: 1 }),
            "shop-jaeger-span-1970.01.01*"
        );
        // The ends of what a span can say.
        assert_eq!(plain.spans_of(Day::of(0)), "jaeger-span-1970-01-01");
        assert_eq!(plain.spans_of(Day::of(u64::MAX)), "jaeger-span-2554-07-21");
    }

    #[test]
    fn what_is_rolled_over_has_aliases() {
        let rolled = of("shop").rotated(Rotation::Rollover);
        let day = Day::of(0);
        assert_eq!(rolled.spans_of(day), "shop-jaeger-span-write");
        assert_eq!(rolled.services_of(day), "shop-jaeger-service-write");
        assert_eq!(rolled.all_spans(), "shop-jaeger-span-read");
        assert_eq!(
            rolled.spans_in(Window { start: 0, end: 1 }),
            "shop-jaeger-span-read"
        );
        assert_eq!(rolled.all_services(), "shop-jaeger-service-read");
        assert_eq!(rolled.all_dependencies(), "shop-jaeger-dependencies-read");
        assert_eq!(rolled.archive(), "shop-jaeger-span-archive-write");
        assert_eq!(rolled.archived(), "shop-jaeger-span-archive-read");
    }

    #[test]
    fn a_window_names_its_days_and_a_long_one_all() {
        let indices = of("");
        let window = |first: u64, last: u64| Window {
            start: first * NANOS_PER_DAY + 5,
            end: last * NANOS_PER_DAY + 5,
        };
        assert_eq!(
            indices.spans_in(window(1, 2)),
            "jaeger-span-1970-01-02*,jaeger-span-1970-01-03*"
        );
        assert_eq!(indices.spans_in(window(0, 30)).split(',').count(), 31);
        assert_eq!(indices.spans_in(window(0, 31)), indices.all_spans());
        assert_eq!(indices.spans_in(Window::ALWAYS), indices.all_spans());
        let long = of(&"x".repeat(100));
        assert_eq!(long.spans_in(window(0, 30)), long.all_spans());
    }
}
