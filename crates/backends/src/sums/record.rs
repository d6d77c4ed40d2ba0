//! What is kept of what was counted: a record for each hour in which spans start, of each writer and each minute in
//! which they came; later one for the hour.
//!
//! Format: JSON, written and read by [`Record::text`] and [`Record::read`]. Durations are the histograms of
//! [`model::histogram`]: how many of zero and below, then pairs of a bucket and how many it has.

use std::collections::BTreeMap;

use model::{Histogram, SpanId, TenantId, TraceId};
use serde::{Deserialize, Serialize};

/// The writer of the record in which all of an hour are added up.
pub(crate) const WHOLE: &str = "all";
/// Minutes of an hour.
pub(crate) const HOUR_MINUTES: u64 = 60;

/// A span that stands for others: how long it takes, and its trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Example(
    pub(super) i64,
    #[serde(with = "trace_id")] pub(super) TraceId,
);

/// Spans of one series.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Sum {
    #[serde(rename = "n")]
    pub(super) spans: u64,
    #[serde(rename = "e")]
    pub(super) errors: u64,
    /// Modulo 2^64.
    #[serde(rename = "d")]
    pub(super) duration: i64,
    #[serde(rename = "h", with = "histogram")]
    pub(super) durations: Histogram,
    #[serde(rename = "s", skip_serializing_if = "Option::is_none")]
    pub(super) slowest: Option<Example>,
    #[serde(rename = "f", skip_serializing_if = "Option::is_none")]
    pub(super) failed: Option<Example>,
}

impl Sum {
    /// Counts a span so many times.
    pub(super) fn count(&mut self, duration: i64, is_error: bool, trace_id: TraceId, times: u64) {
        let example = Some(Example(duration, trace_id));
        self.spans = self.spans.saturating_add(times);
        self.duration = self
            .duration
            .wrapping_add(duration.wrapping_mul(times.cast_signed()));
        match model::histogram::bucket_of(duration) {
            Some(bucket) => self.durations.add_bucket(bucket, times),
            None => self.durations.zeros = self.durations.zeros.saturating_add(times),
        }
        self.slowest = slower(self.slowest, example);
        if is_error {
            self.errors = self.errors.saturating_add(times);
            self.failed = slower(self.failed, example);
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.spans = self.spans.saturating_add(other.spans);
        self.errors = self.errors.saturating_add(other.errors);
        self.duration = self.duration.wrapping_add(other.duration);
        self.durations.merge(&other.durations);
        self.slowest = slower(self.slowest, other.slowest);
        self.failed = slower(self.failed, other.failed);
    }
}

fn slower(one: Option<Example>, other: Option<Example>) -> Option<Example> {
    match (one, other) {
        (Some(one), Some(other)) => Some(if one.0 >= other.0 { one } else { other }),
        (one, other) => one.or(other),
    }
}

/// What a series counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    /// The service; of a call the called one.
    pub(super) service: String,
    /// The operation; of a call the service that calls.
    pub(super) other: String,
    /// OTLP's number of the kind.
    pub(super) kind: i32,
}

pub(super) type Series = BTreeMap<Key, Sum>;

/// Spans that start in one minute.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Minute {
    #[serde(with = "series")]
    pub(super) operations: Series,
    /// Spans whose parents are known, those of the same service among them.
    #[serde(with = "series")]
    pub(super) calls: Series,
}

impl Minute {
    pub(super) fn merge(&mut self, other: &Self) {
        for (ours, theirs) in [
            (&mut self.operations, &other.operations),
            (&mut self.calls, &other.calls),
        ] {
            for (key, sum) in theirs {
                match ours.get_mut(key) {
                    Some(known) => known.merge(sum),
                    None => {
                        ours.insert(key.clone(), sum.clone());
                    }
                }
            }
        }
    }
}

/// A span whose parent came to another writer, or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OpenCall {
    #[serde(rename = "t", with = "trace_id")]
    pub(super) trace_id: TraceId,
    #[serde(rename = "p", with = "span_id")]
    pub(super) parent: SpanId,
    #[serde(rename = "m")]
    pub(super) minute: u64,
    #[serde(rename = "s")]
    pub(super) service: String,
    #[serde(rename = "k")]
    pub(super) kind: i32,
    #[serde(rename = "e")]
    pub(super) is_error: bool,
    #[serde(rename = "d")]
    pub(super) duration: i64,
}

/// Which record it is. A tenant has one of each.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RecordId {
    /// The hour since the epoch in which the spans start.
    pub(crate) hour: u64,
    /// The minute since the epoch in which they came; 0: all of them.
    pub(crate) arrival: u64,
    /// Who counted; [`WHOLE`]: all.
    pub(crate) writer: String,
}

impl RecordId {
    /// The one in which all of an hour are added up.
    pub(super) fn whole(hour: u64) -> Self {
        Self {
            hour,
            arrival: 0,
            writer: WHOLE.to_owned(),
        }
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.writer == WHOLE
    }
}

/// Spans that start in one hour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub(crate) tenant: String,
    #[serde(flatten)]
    pub(crate) id: RecordId,
    /// By minute since the epoch.
    pub(super) minutes: BTreeMap<u64, Minute>,
    /// Calls whose callers are not known yet.
    #[serde(default)]
    pub(crate) open: Vec<OpenCall>,
    /// For how many calls each of those stands.
    #[serde(default = "one")]
    pub(super) weight: u64,
    /// Of the record of an hour: those that are added up in it and may still be there.
    #[serde(default)]
    pub(super) merged: Vec<RecordId>,
    /// Of the record of an hour: whether all its minutes are told as the first.
    #[serde(default)]
    pub(super) is_coarse: bool,
}

fn one() -> u64 {
    1
}

impl Record {
    pub(super) fn new(tenant: &TenantId, id: RecordId) -> Self {
        Self {
            tenant: tenant.as_str().to_owned(),
            id,
            minutes: BTreeMap::new(),
            open: Vec::new(),
            weight: 1,
            merged: Vec::new(),
            is_coarse: false,
        }
    }

    /// As it is kept.
    ///
    /// # Errors
    /// When it has no text, which can't be.
    pub(crate) fn text(&self) -> Result<String, String> {
        serde_json::to_string(self).map_err(|error| error.to_string())
    }

    /// Reads what [`Record::text`] wrote.
    ///
    /// # Errors
    /// When it is none.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (minute, counted) in &other.minutes {
            self.minutes.entry(*minute).or_default().merge(counted);
        }
    }

    /// Tells all minutes as the first one.
    pub(super) fn make_coarse(&mut self) {
        let mut all = Minute::default();
        for minute in std::mem::take(&mut self.minutes).into_values() {
            all.merge(&minute);
        }
        self.minutes.insert(self.id.hour * HOUR_MINUTES, all);
        self.is_coarse = true;
    }
}

/// The hour of a minute.
pub(super) fn hour_of(minute: u64) -> u64 {
    minute / HOUR_MINUTES
}

/// A list of series.
mod series {
    use serde::de::{SeqAccess, Visitor};
    use serde::{Deserializer, Serializer};

    use super::{Key, Series, Sum};

    pub(super) fn serialize<S: Serializer>(series: &Series, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(
            series
                .iter()
                .map(|(key, sum)| (&key.service, &key.other, key.kind, sum)),
        )
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Series, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Series;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a list of series")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Series, A::Error> {
                let mut series = Series::new();
                while let Some((service, other, kind, sum)) =
                    list.next_element::<(String, String, i32, Sum)>()?
                {
                    let key = Key {
                        service,
                        other,
                        kind,
                    };
                    series.insert(key, sum);
                }
                Ok(series)
            }
        }
        from.deserialize_seq(Read)
    }
}

/// Durations: zeros, and buckets.
mod histogram {
    use model::Histogram;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(
        durations: &Histogram,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        (durations.zeros, durations.buckets()).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Histogram, D::Error> {
        let (zeros, buckets): (u64, Vec<(u16, u64)>) = Deserialize::deserialize(from)?;
        let mut durations = Histogram::default();
        durations.zeros = zeros;
        for (bucket, count) in buckets {
            durations.add_bucket(bucket, count);
        }
        Ok(durations)
    }
}

/// The id of a trace in hexadecimal digits.
mod trace_id {
    use model::TraceId;
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(id: &TraceId, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(id)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<TraceId, D::Error> {
        let text = String::deserialize(from)?;
        TraceId::parse(&text).map_err(D::Error::custom)
    }
}

/// The id of a span in hexadecimal digits.
mod span_id {
    use model::SpanId;
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(id: &SpanId, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(id)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<SpanId, D::Error> {
        let text = String::deserialize(from)?;
        SpanId::parse(&text).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let id = RecordId {
            hour: 491_000,
            arrival: 29_460_001,
            writer: "4f".to_owned(),
        };
        let mut record = Record::new(&TenantId::default(), id);
        let mut sum = Sum::default();
        sum.count(-5, false, TraceId([1; 16]), 1);
        sum.count(1_000_000, true, TraceId([2; 16]), 1);
        sum.count(900_000, true, TraceId([3; 16]), 2);
        let key = Key {
            service: "shop \"x\"".to_owned(),
            other: "GET /".to_owned(),
            kind: 2,
        };
        let mut minute = Minute::default();
        minute.operations.insert(key.clone(), sum.clone());
        minute.calls.insert(key.clone(), sum);
        record.minutes.insert(29_460_000, minute);
        record.open.push(OpenCall {
            trace_id: TraceId([4; 16]),
            parent: SpanId([5; 8]),
            minute: 29_460_000,
            service: "cart".to_owned(),
            kind: 2,
            is_error: false,
            duration: 77,
        });
        record.merged.push(RecordId::whole(7));
        let read = Record::read(&record.text().unwrap()).unwrap();
        assert_eq!(read, record);
        let sum = &read.minutes[&29_460_000].operations[&key];
        assert_eq!((sum.spans, sum.errors, sum.duration), (4, 3, 2_799_995));
        assert_eq!(sum.durations.count(), 4);
        assert_eq!(sum.slowest, Some(Example(1_000_000, TraceId([2; 16]))));
        assert!(Record::read("{}").is_err());
    }

    #[test]
    fn an_hour_told_as_one_minute_has_all_that_its_minutes_had() {
        let key = Key {
            service: "a".to_owned(),
            other: "b".to_owned(),
            kind: 1,
        };
        let mut record = Record::new(&TenantId::default(), RecordId::whole(10));
        for minute in 600..660 {
            let sum = record.minutes.entry(minute).or_default();
            let sum = sum.operations.entry(key.clone()).or_default();
            sum.count(5, false, TraceId([1; 16]), 3);
        }
        record.make_coarse();
        assert!(record.is_coarse);
        assert_eq!(record.minutes.len(), 1);
        assert_eq!(record.minutes[&600].operations[&key].spans, 180);
    }
}
