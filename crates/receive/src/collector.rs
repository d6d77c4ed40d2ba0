//! Prints the ledger as metrics, so that one scrape shows numbers that fit together.

use std::fmt::Error;
use std::sync::Arc;

use plumbing::{ByteBudget, Metrics};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use crate::ledger::{Counts, Flow, Ledger, Transport};
use crate::refusal::Reason;

#[derive(Debug)]
struct LedgerCollector {
    ledger: Arc<Ledger>,
    budget: ByteBudget,
}

/// A metric's name, its help, and where its number is.
type Series<T> = (&'static str, &'static str, fn(&T) -> u64);

/// Registers everything that the way in counts.
pub(crate) fn register(metrics: &Metrics, ledger: &Arc<Ledger>, budget: &ByteBudget) {
    let collector = LedgerCollector {
        ledger: Arc::clone(ledger),
        budget: budget.clone(),
    };
    metrics.register(|registry| registry.register_collector(Box::new(collector)));
}

impl Collector for LedgerCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let all: Vec<(Transport, Counts)> = Transport::ALL
            .into_iter()
            .map(|transport| (transport, self.ledger.counts(transport)))
            .collect();
        encode_flow(&mut encoder, "requests", &all, |counts| &counts.requests)?;
        encode_flow(&mut encoder, "spans", &all, |counts| &counts.spans)?;
        encode_flow(&mut encoder, "bytes", &all, |counts| &counts.bytes)?;
        encode_filtered(&mut encoder, &all)?;
        encode_outcomes(&mut encoder, &all)?;
        let counters: [Series<Counts>; 5] = [
            (
                "duplicate_spans",
                "Accepted spans that were stored before",
                |counts| counts.duplicate_spans,
            ),
            (
                "repaired_texts",
                "Texts that were not UTF-8 and were repaired",
                |counts| counts.repaired_texts,
            ),
            (
                "truncated_values",
                "Attribute values that were cut",
                |counts| counts.truncated_values,
            ),
            (
                "late_spans",
                "Received spans that came more than five minutes after their ends",
                |counts| counts.late_spans,
            ),
            (
                "connections_refused",
                "Connections closed as they came",
                |counts| counts.connections_refused,
            ),
        ];
        for (name, help, get) in counters {
            encode_counters(&mut encoder, name, help, &all, get)?;
        }
        encode_gauges(
            &mut encoder,
            "connections_open",
            "Connections that are open",
            &all,
            |counts| counts.connections,
        )?;
        self.encode_budget(&mut encoder)?;
        self.encode_durations(&mut encoder)
    }
}

impl LedgerCollector {
    fn encode_budget(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let gauges = [
            (
                "budget_used_bytes",
                "Memory reserved for requests under way",
                self.budget.used(),
            ),
            (
                "budget_limit_bytes",
                "The most memory that may be reserved",
                self.budget.limit(),
            ),
            (
                "budget_peak_bytes",
                "The most memory that was ever reserved",
                self.budget.peak(),
            ),
        ];
        for (name, help, value) in gauges {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            let name = format!("trackway_receive_{name}");
            gauge.encode(encoder.encode_descriptor(&name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }

    fn encode_durations(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), Error> {
        let Some(first) = self.ledger.duration(Transport::OtlpHttp) else {
            return Ok(());
        };
        let name = "trackway_receive_request_duration";
        let help = "Time from a request's headers to its answer";
        let mut metric =
            encoder.encode_descriptor(name, help, Some(&Unit::Seconds), first.metric_type())?;
        for transport in Transport::ALL {
            if let Some(duration) = self.ledger.duration(transport) {
                duration.encode(metric.encode_family(&[("transport", transport.label())])?)?;
            }
        }
        Ok(())
    }
}

/// Prints received, accepted, rejected, refused by reason, dropped and in flight of one kind.
fn encode_flow(
    encoder: &mut DescriptorEncoder<'_>,
    kind: &str,
    all: &[(Transport, Counts)],
    flow: fn(&Counts) -> &Flow,
) -> Result<(), Error> {
    let counters: [Series<Flow>; 4] = [
        ("received", "All that came", |flow| flow.received),
        ("accepted", "What was kept and acknowledged", |flow| {
            flow.accepted
        }),
        (
            "rejected",
            "What was left out of a request that was taken",
            |flow| flow.rejected,
        ),
        (
            "dropped",
            "What was given up because its client was gone",
            |flow| flow.dropped,
        ),
    ];
    for (word, help, get) in counters {
        // `requests_total` carries the outcome and is printed by itself.
        let name = match (kind, word) {
            ("requests", _) => continue,
            (_, "received") => kind.to_owned(),
            _ => format!("{kind}_{word}"),
        };
        encode_counters(encoder, &name, help, all, move |counts| get(flow(counts)))?;
    }
    let help = "What is under way";
    encode_gauges(
        encoder,
        &format!("{kind}_in_flight"),
        help,
        all,
        move |counts| flow(counts).in_flight,
    )?;
    if kind == "requests" {
        return Ok(());
    }
    let name = format!("trackway_receive_{kind}_refused");
    let counter = ConstCounter::new(0u64);
    let mut metric = encoder.encode_descriptor(
        &name,
        "What was answered with an error",
        None,
        counter.metric_type(),
    )?;
    for (transport, counts) in all {
        for (reason, count) in Reason::ALL.iter().zip(flow(counts).refused) {
            let labels = [("transport", transport.label()), ("reason", reason.label())];
            ConstCounter::new(count).encode(metric.encode_family(&labels)?)?;
        }
    }
    Ok(())
}

/// Prints the spans that steps left out. There is a series for each kind of step that left out any.
fn encode_filtered(
    encoder: &mut DescriptorEncoder<'_>,
    all: &[(Transport, Counts)],
) -> Result<(), Error> {
    let kind = ConstCounter::new(0u64).metric_type();
    let help = "Spans that a step of the configuration left out";
    let mut metric =
        encoder.encode_descriptor("trackway_receive_spans_filtered", help, None, kind)?;
    for (transport, counts) in all {
        for (reason, count) in &counts.spans.filtered {
            let labels = [("transport", transport.label()), ("reason", *reason)];
            ConstCounter::new(*count).encode(metric.encode_family(&labels)?)?;
        }
    }
    Ok(())
}

fn encode_outcomes(
    encoder: &mut DescriptorEncoder<'_>,
    all: &[(Transport, Counts)],
) -> Result<(), Error> {
    let kind = ConstCounter::new(0u64).metric_type();
    let mut metric = encoder.encode_descriptor(
        "trackway_receive_requests",
        "Requests by how they ended",
        None,
        kind,
    )?;
    for (transport, counts) in all {
        let flow = &counts.requests;
        let mut outcomes = vec![("accepted", flow.accepted), ("dropped", flow.dropped)];
        outcomes.extend(
            Reason::ALL
                .iter()
                .map(|reason| reason.label())
                .zip(flow.refused),
        );
        for (outcome, count) in outcomes {
            let labels = [("transport", transport.label()), ("outcome", outcome)];
            ConstCounter::new(count).encode(metric.encode_family(&labels)?)?;
        }
    }
    Ok(())
}

fn encode_counters(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    all: &[(Transport, Counts)],
    get: impl Fn(&Counts) -> u64,
) -> Result<(), Error> {
    let name = format!("trackway_receive_{name}");
    let mut metric =
        encoder.encode_descriptor(&name, help, None, ConstCounter::new(0u64).metric_type())?;
    for (transport, counts) in all {
        ConstCounter::new(get(counts))
            .encode(metric.encode_family(&[("transport", transport.label())])?)?;
    }
    Ok(())
}

fn encode_gauges(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    all: &[(Transport, Counts)],
    get: impl Fn(&Counts) -> u64,
) -> Result<(), Error> {
    let name = format!("trackway_receive_{name}");
    let mut metric =
        encoder.encode_descriptor(&name, help, None, ConstGauge::new(0i64).metric_type())?;
    for (transport, counts) in all {
        let gauge = ConstGauge::new(i64::try_from(get(counts)).unwrap_or(i64::MAX));
        gauge.encode(metric.encode_family(&[("transport", transport.label())])?)?;
    }
    Ok(())
}
