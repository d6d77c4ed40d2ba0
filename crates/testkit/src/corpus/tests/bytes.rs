//! The bytes are frozen: figures taken years apart are of the same corpus.
//!
//! The digests are of the record format, taken from the first generator of these corpora. A digest that changes means
//! that every published figure is of another corpus: change the generator back.

use std::collections::BTreeMap;

use serde_json::Value;
use xxhash_rust::xxh3::Xxh3;

use super::sample;
use crate::corpus::{BATCH_SPANS_MAX, Corpus, CorpusOptions, Profile};

fn digest(options: CorpusOptions) -> (String, Value) {
    let mut corpus = Corpus::new(options).unwrap();
    let mut hasher = Xxh3::new();
    for request in &mut corpus {
        hasher.update(&u32::try_from(request.bytes.len()).unwrap().to_le_bytes());
        hasher.update(&request.bytes);
    }
    (
        format!("{:032x}", hasher.digest128()),
        serde_json::to_value(corpus.into_truth()).unwrap(),
    )
}

#[test]
fn the_kind_corpus_is_byte_for_byte_the_golden_sample_and_so_is_its_truth() {
    let (bytes, truth) = digest(sample(Profile::Kind, 100_000));
    assert_eq!(bytes, "e2404989e843a2b6cf135d81f4d7c161");
    let golden: BTreeMap<String, Value> =
        serde_json::from_str(include_str!("shop_100k.truth.json")).unwrap();
    assert_eq!(golden.len(), 14);
    for (key, mut expected) in golden {
        if key == "services" {
            // The golden list is of the whole catalogue; a system can only know the services that sent a span.
            expected
                .as_array_mut()
                .unwrap()
                .retain(|name| name != "images");
        }
        assert_eq!(truth[&key], expected, "{key}");
    }
}

#[test]
fn the_unkind_corpus_is_byte_for_byte_the_golden_one() {
    let (bytes, truth) = digest(sample(Profile::Unkind, 20_000));
    assert_eq!(bytes, "8e458ed4397e6d6e812737b68c08575b");
    assert_eq!(
        (&truth["spans"], &truth["traces"]),
        (&20_000.into(), &2650.into())
    );
}

#[test]
fn every_option_but_equal_ones_changes_the_bytes() {
    let base = sample(Profile::Kind, 2000);
    let (same, _) = digest(base.clone());
    assert_eq!(digest(base.clone()).0, same);
    let others = [
        CorpusOptions {
            seed: 43,
            ..base.clone()
        },
        CorpusOptions {
            spans: 3000,
            ..base.clone()
        },
        CorpusOptions {
            start_unix_seconds: 1_790_000_001,
            ..base.clone()
        },
        CorpusOptions {
            window_seconds: 601,
            ..base.clone()
        },
        CorpusOptions {
            batch_spans: 999,
            ..base.clone()
        },
        CorpusOptions {
            profile: Profile::Unkind,
            ..base
        },
    ];
    for options in others {
        assert_ne!(digest(options.clone()).0, same, "{options:?}");
    }
}

#[test]
fn requests_hold_a_batch_and_waiting_spans_stay_within_four() {
    for batch_spans in [1, 7, 1000] {
        let mut corpus = Corpus::new(CorpusOptions {
            batch_spans,
            ..sample(Profile::Kind, 5000)
        })
        .unwrap();
        let mut spans = 0;
        let mut sizes = Vec::new();
        while let Some(request) = corpus.next() {
            // The longest trace of the shop has some 150 spans.
            assert!(corpus.waiting.len() <= batch_spans * 4 + 200);
            spans += request.spans as u64;
            sizes.push(request.spans);
        }
        let last = sizes.pop().unwrap();
        assert!(sizes.iter().all(|size| *size == batch_spans) && last <= batch_spans);
        assert_eq!(corpus.into_truth().spans, spans);
    }
}

#[test]
fn an_empty_corpus_and_the_widest_options_are_no_trouble() {
    let empty = Corpus::new(sample(Profile::Kind, 0)).unwrap();
    assert_eq!(empty.into_truth().spans, 0);
    let wide = CorpusOptions {
        start_unix_seconds: 0,
        window_seconds: 16_725_225_600,
        batch_spans: BATCH_SPANS_MAX,
        ..sample(Profile::Unkind, 1)
    };
    assert_eq!(Corpus::new(wide).unwrap().into_truth().traces, 1);
}

#[test]
fn the_truth_is_of_the_whole_corpus_however_many_requests_were_taken() {
    let whole = Corpus::new(sample(Profile::Unkind, 3000))
        .unwrap()
        .into_truth();
    let mut corpus = Corpus::new(sample(Profile::Unkind, 3000)).unwrap();
    assert!(corpus.next().is_some());
    assert_eq!(corpus.into_truth(), whole);
}
