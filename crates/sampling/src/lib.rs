//! Which traces clients record: what is decided for a service, and how it is told.
//!
//! Clients ask for their service's strategy about once a minute. What they are told comes from a file in Jaeger's
//! format ([`FileStrategies`]); without one it is one probability for all, or follows the traffic ([`Adaptive`]).
//!
//! Promises: asking takes no I/O and waits for nothing; a file that can't be read never takes the place of one that
//! could.
//!
//! Read next: `file.rs` for the file and its rules, `adaptive.rs` for how a probability is chosen, `answer.rs` for how
//! a question is read and answered.

mod adaptive;
mod answer;
mod file;

pub use adaptive::{Adaptive, AdaptiveOptions, Beginnings, CLIENT_REFRESH};
pub use answer::{
    NO_SERVICE, http_answer, proto_answer, proto_question, read_proto_answer, read_proto_question,
};
pub use codec::generated::jaeger::api_v2::SamplingStrategyResponse as Strategy;
pub use file::{FileStrategies, StrategiesError};

use model::contract::Answer;

/// Knows what each service is to record.
pub trait Strategies: Send + Sync + std::fmt::Debug {
    /// The strategy of a service; every service has one.
    fn strategy(&self, service: &str) -> Strategy;

    /// Sees that it can be told now, where it has to be asked for elsewhere; the error says why it can't.
    fn prepare<'a>(&'a self, _service: &'a str) -> Answer<'a, Result<(), String>> {
        Box::pin(std::future::ready(Ok(())))
    }
}
