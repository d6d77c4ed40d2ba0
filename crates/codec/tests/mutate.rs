//! Changes the inputs of a fuzzer's corpus for some seconds, and checks what the fuzzer checks; for the tests of every
//! crate that has a fuzz target.
//!
//! `TRACKWAY_MUTATION_SECONDS` says how long (`make test`: 20). Each run goes another way; a failure prints its input,
//! which becomes a file of the corpus once it is mended.

use std::hash::{BuildHasher as _, RandomState};
use std::path::Path;
use std::time::{Duration, Instant};

use testkit::mutation::Mutator;

/// An input that is printed when its check fails.
struct Shown<'a> {
    target: &'a str,
    input: &'a [u8],
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let hex: String = self
                .input
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            println!("fuzz/corpus/{}: {hex}", self.target);
        }
    }
}

/// Changes the inputs of a target and checks each.
pub(crate) fn mutate(target: &str, check: impl Fn(&[u8])) {
    let seconds = std::env::var("TRACKWAY_MUTATION_SECONDS");
    let seconds = seconds.ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    let files = std::fs::read_dir(folder.join(target)).expect("the corpus is there");
    let corpus = files.map(|file| std::fs::read(file.unwrap().path()).unwrap());
    // Of all that the standard library has, this differs from run to run.
    let seed = RandomState::new().hash_one(target);
    let mut mutator = Mutator::new(corpus.collect(), seed);
    let time = Duration::from_secs(seconds);
    #[allow(clippy::disallowed_methods, reason = "a box of time, not a figure")]
    let begin = Instant::now();
    let mut inputs = 0;
    while begin.elapsed() < time {
        let input = mutator.next_input();
        let shown = Shown {
            target,
            input: &input,
        };
        check(shown.input);
        inputs += 1;
    }
    println!("{target}: {inputs} inputs in {seconds} s");
    assert!(inputs > 100, "{inputs}");
}
