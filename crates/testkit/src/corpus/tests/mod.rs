//! Protects the bytes of both corpora, their truth, and the file format.

mod bytes;
mod naive;
mod record;

use super::{CorpusOptions, Profile};

/// The options of the golden sample, at a given size.
fn sample(profile: Profile, spans: u64) -> CorpusOptions {
    CorpusOptions {
        seed: 42,
        window_seconds: 600,
        ..CorpusOptions::new(profile, spans, 1_790_000_000)
    }
}
