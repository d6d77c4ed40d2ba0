//! What must hold of any batch, step by step.

use codec::otlp::encode_proto;
use model::batch::{AttrValue, Attribute, PackedValue, ResourceRow, ScopeRow, SpanRef, SpanRow};
use model::contract::Processed;
use model::{BatchBuilder, SpanBatch, TraceId};

use crate::batches::{ROUNDS, SECRET, SECRET_NUMBER, SERVICES, batch};
use crate::bench::Bench;

/// All lists of attributes of a batch, with how many were dropped of each.
fn owners(batch: &SpanBatch) -> Vec<(Vec<Attribute<'_>>, u32)> {
    let mut all = Vec::new();
    for row in 0..batch.resources().len() {
        let resource = batch.resource(u32::try_from(row).unwrap());
        let dropped = resource.row().dropped_attributes;
        all.push((
            batch.attributes(resource.row().attributes).collect(),
            dropped,
        ));
    }
    for span in batch.iter() {
        all.push((span.attributes().collect(), span.dropped().0));
        for event in span.events() {
            all.push((
                batch.attributes(event.packed()).collect(),
                event.dropped_attributes(),
            ));
        }
        for link in span.links() {
            all.push((
                batch.attributes(link.packed()).collect(),
                link.dropped_attributes(),
            ));
        }
    }
    all
}

/// A second time through the same steps there is nothing left to do.
fn again(bench: &Bench, once: &Processed) {
    let twice = bench.process(&once.batch);
    assert!(!twice.is_changed && twice.filtered.is_empty());
    assert_eq!(encode_proto(&twice.batch), encode_proto(&once.batch));
}

#[test]
fn what_is_limited_fits_and_all_that_was_cut_is_counted() {
    let bench = Bench::of(
        "process: [limit: {attributes_max: 2, events_max: 1, links_max: 1, key_bytes_max: 9, value_bytes_max: 10}]",
    );
    for seed in 0..ROUNDS {
        let before = batch(seed);
        let after = bench.process(&before);
        for (attributes, _) in owners(&after.batch) {
            assert!(attributes.len() <= 2);
            for Attribute { key, value } in attributes {
                assert!(key.len() <= 9, "{key}");
                let len = match value {
                    AttrValue::String(text) => text.len(),
                    AttrValue::Bytes(raw) | AttrValue::Array(raw) | AttrValue::Map(raw) => {
                        raw.len()
                    }
                    _ => 0,
                };
                assert!(len <= 10, "{value:?}");
            }
        }
        for (old, new) in before.iter().zip(after.batch.iter()) {
            let all = |span: SpanRef<'_>| {
                let (attributes, events, links) = span.dropped();
                let counts = [
                    span.attributes().len(),
                    span.events().len(),
                    span.links().len(),
                ];
                let dropped = [attributes, events, links].map(|count| count as usize);
                [0, 1, 2].map(|at| counts[at] + dropped[at])
            };
            assert_eq!(all(old), all(new));
            assert!(new.name().len() <= 10 && old.name().starts_with(new.name()));
            assert_eq!((old.span_id(), old.start()), (new.span_id(), new.start()));
        }
        again(&bench, &after);
    }
}

#[test]
fn attributes_are_gone_renamed_and_there_as_said_and_the_others_are_as_they_were() {
    let bench = Bench::of(
        "process: [attributes: {on: [resource, span, event, link], delete: [internal.id], \
         rename: {http.method: http.request.method}, insert: {size: 1}, upsert: {note: x}}]",
    );
    for seed in 0..ROUNDS {
        let before = batch(seed);
        let after = bench.process(&before);
        let touched = [
            "internal.id",
            "http.method",
            "http.request.method",
            "size",
            "note",
        ];
        let values = |attributes: &[Attribute<'_>], key: &str| -> Vec<String> {
            let of_key = attributes.iter().filter(|one| one.key == key);
            of_key.map(|one| format!("{:?}", one.value)).collect()
        };
        let pairs = before.iter().zip(after.batch.iter());
        for (old, new) in pairs {
            let (old, new): (Vec<_>, Vec<_>) =
                (old.attributes().collect(), new.attributes().collect());
            assert!(
                values(&new, "internal.id").is_empty() && values(&new, "http.method").is_empty()
            );
            assert_eq!(
                values(&old, "http.method"),
                values(&new, "http.request.method")
            );
            assert_eq!(values(&new, "note"), ["String(\"x\")"]);
            match values(&old, "size") {
                none if none.is_empty() => assert_eq!(values(&new, "size"), ["Int(1)"]),
                some => assert_eq!(values(&new, "size"), some),
            }
            let rest = |attributes: &[Attribute<'_>]| -> Vec<String> {
                let rest = attributes.iter().filter(|one| !touched.contains(&one.key));
                rest.map(|one| format!("{one:?}")).collect()
            };
            assert_eq!(rest(&old), rest(&new));
        }
        again(&bench, &after);
    }
}

#[test]
fn a_secret_is_nowhere_in_what_is_kept_whatever_the_action() {
    let mut seen = 0;
    for (action, salt) in [
        ("mask", ""),
        ("remove", ""),
        ("hash", ", salt: a salt of many bytes"),
    ] {
        let bench = Bench::of(&format!(
            "process: [redact: {{keys: ['*.PASSWORD'], patterns: ['\\d{{16}}'], action: {action}{salt}}}]"
        ));
        for seed in 0..ROUNDS {
            let before = batch(seed);
            let has = |bytes: &[u8]| {
                let mut number = vec![0x18];
                let mut rest = SECRET_NUMBER.cast_unsigned();
                while rest > 0x7f {
                    number.push(u8::try_from(rest & 0x7f).unwrap() | 0x80);
                    rest >>= 7;
                }
                number.push(u8::try_from(rest).unwrap());
                let is_in = |part: &[u8]| bytes.windows(part.len()).any(|one| one == part);
                is_in(SECRET.as_bytes()) || is_in(&number)
            };
            let after = bench.process(&before);
            assert!(after.is_changed);
            seen += usize::from(has(&encode_proto(&before)));
            assert!(!has(&encode_proto(&after.batch)), "{action} {seed}");
            // What is written to segments is what is in the tables.
            let texts = (0..after.batch.strings().len()).map(|at| {
                let at = u32::try_from(at).unwrap();
                after.batch.strings().get(model::Symbol(at))
            });
            assert!(texts.into_iter().all(|text| !text.contains(SECRET)));
            for (attributes, _) in owners(&after.batch) {
                let of_key = attributes.iter().filter(|one| one.key == "user.password");
                for one in of_key {
                    let text = one.value.canonical_text();
                    let is_replaced = if action == "hash" {
                        text.len() == 32
                    } else {
                        text == "***"
                    };
                    assert!(is_replaced && action != "remove", "{action}: {text}");
                }
            }
            assert_eq!(before.len(), after.batch.len());
        }
    }
    assert!(seen > 100, "the batches hold too few secrets");
}

#[test]
fn a_filter_leaves_out_what_its_query_holds_for_and_nothing_else() {
    let bench = Bench::of(
        "process: [filter: {drop: '{ status = error || resource.service.name = \"cart\" }'}]",
    );
    for seed in 0..ROUNDS {
        let before = batch(seed);
        let after = bench.process(&before);
        let stays = |span: &SpanRef<'_>| span.status() != 2 && span.service() != "cart";
        let wanted: Vec<_> = before
            .iter()
            .filter(stays)
            .map(|span| span.span_id())
            .collect();
        let kept: Vec<_> = after.batch.iter().map(|span| span.span_id()).collect();
        assert_eq!(kept, wanted);
        again(&bench, &after);
    }
}

#[test]
fn a_greater_probability_keeps_all_that_a_smaller_one_keeps_and_weights_say_what_is_missing() {
    let bench = |probability: f64| {
        Bench::of(&format!(
            "process: [sample: {{probability: {probability}}}]"
        ))
    };
    let benches = [0.0, 0.05, 0.25, 0.6, 1.0].map(bench);
    let mut sums = [0.0; 5];
    let mut all = 0.0;
    for seed in 0..ROUNDS * 4 {
        let before = batch(seed);
        // What says that it was sampled is random here and need not be true.
        let is_fresh = |span: &SpanRef<'_>| !span.trace_state().contains("ot=");
        let fresh: Vec<_> = before
            .iter()
            .filter(is_fresh)
            .map(|span| span.span_id())
            .collect();
        let mut smaller: Vec<TraceId> = Vec::new();
        for (bench, sum) in benches.iter().zip(&mut sums) {
            let after = bench.process(&before);
            let kept: Vec<TraceId> = after.batch.iter().map(|span| span.trace_id()).collect();
            // Spans that were sampled more strictly before stay whatever is configured, but for nothing at all.
            assert!(smaller.iter().all(|id| kept.contains(id)), "{seed}");
            smaller = kept;
            let counted = after
                .batch
                .iter()
                .filter(|span| fresh.contains(&span.span_id()));
            *sum += counted.map(weight).sum::<f64>();
            again(bench, &after);
        }
        all += fresh.len() as f64;
    }
    for sum in sums.iter().skip(1) {
        assert!((sum / all - 1.0).abs() < 0.25, "{sums:?} {all}");
    }
}

/// A plain reading of `th`, to judge the weights by.
fn weight(span: SpanRef<'_>) -> f64 {
    let Some((_, rest)) = span.trace_state().split_once("th:") else {
        return 1.0;
    };
    let digits: String = rest.chars().take_while(char::is_ascii_hexdigit).collect();
    let threshold = u64::from_str_radix(&format!("{digits:0<14}"), 16).unwrap();
    let part = |of: u64| of as f64 / (1u64 << 56) as f64;
    1.0 / (1.0 - part(threshold))
}

#[test]
fn every_span_counts_in_some_series_however_few_there_may_be() {
    for series_max in [1, 3, 1000] {
        let bench = Bench::of(&format!(
            "process: [metrics: {{series_max: {series_max}, dimensions: [note]}}]"
        ));
        let mut all = 0.0;
        for seed in 0..ROUNDS / 3 {
            let before = batch(seed);
            let after = bench.process(&before);
            assert!(!after.is_changed);
            assert!(after.on_kept.len() == 1 && bench.metrics.print().is_ok());
            all += before.iter().map(weight).sum::<f64>();
            after.on_kept.into_iter().for_each(|act| act());
        }
        let shown = bench.metrics.print().unwrap();
        let lines = shown
            .lines()
            .filter(|line| line.starts_with("traces_span_metrics_calls_total"));
        let counts: Vec<f64> = lines
            .map(|line| line.rsplit_once(' ').unwrap().1.parse().unwrap())
            .collect();
        let (sum, count) = (counts.iter().sum::<f64>(), counts.len());
        assert!((sum - all).abs() <= 8.0 * count as f64, "{sum} {all}");
        // Beside its own series there is one for each kind and status.
        assert!(count <= series_max + 3, "{count}");
    }
}

#[test]
fn what_no_step_is_about_is_handed_on_as_it_came() {
    let bench = Bench::of(
        "process:\n- limit: {value_bytes_max: 100000}\n- attributes: {delete: [nothing]}\n\
         - filter: {drop: '{ name = \"no such\" }'}\n- sample: {probability: 1}\n",
    );
    for seed in 0..ROUNDS {
        let before = batch(seed);
        let after = bench.process(&before);
        assert!(!after.is_changed && after.filtered.is_empty());
        assert_eq!(encode_proto(&after.batch), encode_proto(&before));
    }
    assert!(SERVICES.len() > 1);
}

#[test]
fn what_redaction_does_not_see_is_not_kept_either() {
    // A text that came twice in an element of a list: the last is what is read, the bytes have both.
    let mut element = vec![0x0a, u8::try_from(SECRET.len()).unwrap()];
    element.extend_from_slice(SECRET.as_bytes());
    element.extend_from_slice(&[0x0a, 1, b'b']);
    let mut list = vec![0x0a, u8::try_from(element.len()).unwrap()];
    list.extend_from_slice(&element);
    let mut builder = BatchBuilder::new();
    let resource = builder.add_resource(ResourceRow::default());
    let scope = builder.add_scope(ScopeRow::default());
    let mut cursor = builder.begin_attributes();
    builder.push_attribute(&mut cursor, b"list", PackedValue::Array(&list));
    let attributes = builder.finish_attributes(cursor);
    builder.push_span(SpanRow {
        trace_id: TraceId([1; 16]),
        attributes,
        resource,
        scope,
        ..SpanRow::default()
    });
    let batch = builder.finish();
    let bench = Bench::of("process: [redact: {patterns: ['x{9}']}]");
    let after = bench.process(&batch);
    let bytes = encode_proto(&after.batch);
    let is_in = bytes
        .windows(SECRET.len())
        .any(|part| part == SECRET.as_bytes());
    assert!(after.is_changed && !is_in);
}
