//! Every page of a step in docs/process has an example that is true: what comes in goes through the steps that stand
//! there and is kept, or shown, as it stands there.

use std::path::Path;

use codec::otlp::{decode_json, encode_json};
use model::SpanBatch;

use crate::bench::Bench;

const PAGES: [&str; 6] = [
    "limit",
    "attributes",
    "redact",
    "filter",
    "sample",
    "metrics",
];

fn page(name: &str) -> String {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/process");
    std::fs::read_to_string(docs.join(format!("{name}.md"))).unwrap()
}

/// The text between fences of a language, behind a line.
fn fenced<'a>(page: &'a str, behind: &str, language: &str) -> Option<&'a str> {
    let (_, rest) = page.split_once(behind)?;
    let (_, rest) = rest.split_once(&format!("```{language}\n"))?;
    Some(rest.split_once("```")?.0)
}

fn batch(json: &str) -> SpanBatch {
    let decoded = decode_json(json.as_bytes()).unwrap();
    assert_eq!(decoded.rejected_spans, 0, "{json}");
    decoded.batch
}

#[test]
fn the_example_of_every_page_is_true() {
    for name in PAGES {
        let page = page(name);
        let bench = Bench::of(fenced(&page, "## Example", "yaml").unwrap());
        let coming = batch(fenced(&page, "Comes in:", "json").unwrap());
        let processed = bench.process(&coming);
        for act in processed.on_kept {
            act();
        }
        let kept = encode_json(&processed.batch);
        match fenced(&page, "Is kept:", "json") {
            Some(wanted) => {
                assert_eq!(kept, encode_json(&batch(wanted)), "{name}");
                assert!(processed.is_changed, "{name}");
            }
            None => assert_eq!(kept, encode_json(&coming), "{name}"),
        }
        if let Some(wanted) = fenced(&page, "Is shown:", "text") {
            let shown = bench.metrics.print().unwrap();
            for line in wanted.lines() {
                assert!(shown.lines().any(|one| one == line), "{line}\n{shown}");
            }
        }
        let filtered: u64 = processed.filtered.iter().map(|one| one.spans).sum();
        let gone = coming.len() - processed.batch.len();
        assert_eq!(filtered, gone as u64, "{name}");
    }
}

#[test]
fn the_page_about_all_steps_shows_steps_that_can_be_used() {
    let page = page("README");
    Bench::of(fenced(&page, "# Steps", "yaml").unwrap());
    for name in PAGES {
        assert!(page.contains(&format!("[`{name}`]({name}.md)")), "{name}");
    }
}
