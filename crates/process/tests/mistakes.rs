//! What is wrong with a configuration is told with the number of the step and the key; secrets are never told.

use process::{Plan, without_secrets};

use crate::bench::steps;

fn mistakes(yaml: &str) -> Vec<String> {
    match Plan::read(&steps(&format!("process:\n{yaml}\n"))) {
        Ok(_) => panic!("nothing is wrong with {yaml}"),
        Err(mistakes) => mistakes,
    }
}

// tidy: long-function: a table of mistakes
#[test]
fn every_mistake_names_the_step_and_the_key() {
    let cases = [
        (
            "- filtre: {}",
            "step 1: unknown step filtre; there are limit, attributes, redact",
        ),
        ("- filter", "step 1 is no map with one key"),
        ("- {filter: {}, limit: {}}", "step 1 is no map with one key"),
        ("- filter: {}", "step 1: filter.drop: is missing"),
        (
            "- filter: {drop: '{ nmae = \"a\" }'}",
            "step 1: filter.drop: error at ",
        ),
        (
            "- filter: {drop: '{ rootName = \"a\" }'}",
            "asks for other spans of the trace",
        ),
        (
            "- filter: {drop: '{ }', keep: 1}",
            "step 1: filter: unknown key keep; it takes drop",
        ),
        ("- limit: {}", "step 1: limit asks for nothing"),
        (
            "- limit: {events_max: 1}\n- limit: {events_max: -1}",
            "step 2: limit.events_max: write a whole number",
        ),
        (
            "- limit: {events_max: many}",
            "step 1: limit.events_max: write a whole number",
        ),
        (
            "- attributes: {on: spam, delete: [a]}",
            "step 1: attributes.on: \"spam\" is none of resource",
        ),
        (
            "- attributes: {rename: {a: 1}}",
            "step 1: attributes.rename: a: write the new key",
        ),
        (
            "- attributes: {upsert: {a: null}}",
            "step 1: attributes.upsert: a: this is no value",
        ),
        (
            "- attributes: {insert: {a: LONG}}",
            "step 1: attributes.insert: takes 1503 bytes; at most 1024",
        ),
        (
            "- redact: {keys: [a], action: masq}",
            "step 1: redact.action: \"masq\" is none of remove, mask, hash",
        ),
        (
            "- redact: {keys: ['/(/']}",
            "step 1: redact.keys: /(/: unclosed group",
        ),
        (
            "- redact: {patterns: ['a*']}",
            "step 1: redact.patterns: \"a*\" also matches where nothing is",
        ),
        (
            "- redact: {patterns: ['(\\w{500}){500}']}",
            "it takes more than 1 MiB compiled",
        ),
        (
            "- redact: {keys: [a], action: hash}",
            "step 1: redact.salt: is missing",
        ),
        (
            "- redact: {keys: [a], action: hash, salt: short}",
            "step 1: redact.salt: write at least 16 bytes",
        ),
        (
            "- redact: {keys: [a], action: hash, salt: '***'}",
            "step 1: redact.salt: is hidden",
        ),
        (
            "- redact: {keys: [a], salt: not for a mask, really}",
            "step 1: redact.salt: is for the action hash",
        ),
        (
            "- sample: {probability: 1.5}",
            "step 1: sample.probability: write a number from 0 to 1",
        ),
        (
            "- sample: {spans_per_second: -1}",
            "step 1: sample.spans_per_second: write a number from 0 up",
        ),
        (
            "- sample: {services: {a: 2}}",
            "step 1: sample.services: a: write a number from 0 to 1",
        ),
        (
            "- sample: {services: {a: {rate: 2}}}",
            "step 1: sample.services.a: unknown key rate",
        ),
        (
            "- metrics: {dimensions: [service.name]}",
            "step 1: metrics.dimensions: \"service.name\" is a label already",
        ),
        (
            "- metrics: {buckets_ms: [2, 1]}",
            "step 1: metrics.buckets_ms: write up to 100 numbers",
        ),
        (
            "- metrics: {series_max: 0}",
            "step 1: metrics.series_max: write a whole number from 1",
        ),
        (
            "- metrics: {}\n- metrics: {}",
            "there are several steps metrics",
        ),
    ];
    for (yaml, wanted) in cases {
        let told = mistakes(&yaml.replace("LONG", &"x".repeat(1_500)));
        assert!(
            told.iter().any(|one| one.contains(wanted)),
            "{yaml}: {told:?}"
        );
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let told = mistakes("- redact: {action: masq, kyes: [a]}\n- filter: {}");
    assert_eq!(told.len(), 3, "{told:?}");
}

#[test]
fn a_salt_is_never_told() {
    let salt = "a salt of many bytes";
    let list = steps(&format!(
        "process:\n- redact: {{keys: [a], action: hash, salt: {salt}}}\n"
    ));
    let shown = serde_json::to_string(&without_secrets(&list)).unwrap();
    assert!(shown.contains("\"salt\":\"***\""), "{shown}");
    let plan = Plan::read(&list).unwrap();
    for text in [shown, format!("{plan:?}")] {
        assert!(!text.contains(salt), "{text}");
    }
    let told = mistakes("- redact: {keys: [a], action: hash, salt: [a secret in a list]}");
    assert!(!format!("{told:?}").contains("secret in"), "{told:?}");
}
