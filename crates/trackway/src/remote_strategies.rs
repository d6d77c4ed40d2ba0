//! Sampling strategies that a collector knows: asked for by service, kept, and told while no collector answers.
//!
//! Promises: a client is told what the collector said last about its service; one that nothing is known of gets an
//! error with the reason, never a guess. At most [`SERVICES_MAX`] services are kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use model::contract::Answer;
use plumbing::Clock;
use plumbing::query_string::pairs;
use sampling::{FileStrategies, Strategies, Strategy, proto_question, read_proto_answer};
use tokio::time::timeout;

/// The most services that are kept; the one that was asked for longest ago goes first.
const SERVICES_MAX: usize = 1_000;
/// A longer name is no service.
const SERVICE_BYTES_MAX: usize = 1024;
/// How long a client is kept waiting for a collector: its own patience is not much longer.
const ASK_TIMEOUT: Duration = Duration::from_secs(2);
/// The method that a collector answers.
const PATH: &str = "/jaeger.api_v2.SamplingManager/GetSamplingStrategy";

/// What a collector has said.
#[derive(Debug)]
pub(crate) struct RemoteStrategies {
    collectors: sink::Collectors,
    clock: Arc<dyn Clock>,
    refresh: Duration,
    known: Mutex<HashMap<String, Known>>,
    /// For a client that asks over a door where waiting is not possible.
    otherwise: FileStrategies,
}

#[derive(Debug, Clone)]
struct Known {
    strategy: Strategy,
    told_nanos: u64,
    wanted_nanos: u64,
}

impl RemoteStrategies {
    pub(crate) fn new(
        collectors: sink::Collectors,
        clock: Arc<dyn Clock>,
        refresh: Duration,
        default_probability: f64,
    ) -> Arc<Self> {
        Arc::new(Self {
            collectors,
            clock,
            refresh,
            known: Mutex::default(),
            otherwise: FileStrategies::without_file(default_probability),
        })
    }

    /// Sees that the strategy of a service is known, and fresh if a collector answers.
    async fn ensure(&self, service: &str) -> Result<(), String> {
        if service.len() > SERVICE_BYTES_MAX {
            return Err(format!(
                "a service's name has at most {SERVICE_BYTES_MAX} bytes"
            ));
        }
        let now = self.clock.monotonic_nanos();
        let age = self.want(service, now);
        if age.is_some_and(|age| Duration::from_nanos(age) < self.refresh) {
            return Ok(());
        }
        let question = proto_question(service);
        let asking = self.collectors.ask(PATH, &question);
        let answer = match timeout(ASK_TIMEOUT, asking).await {
            Ok(Ok(answer)) => read_proto_answer(&answer),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("no collector answered within {ASK_TIMEOUT:?}")),
        };
        match answer {
            Ok(strategy) => {
                self.put(service, strategy);
                Ok(())
            }
            Err(why) if age.is_some() => {
                tracing::debug!(service, why, "an older sampling strategy is told");
                Ok(())
            }
            Err(why) => Err(format!(
                "the strategy of this service is not known: {why}; ask again later"
            )),
        }
    }

    /// How old the strategy of a service is, if there is one; it is wanted now.
    fn want(&self, service: &str, now: u64) -> Option<u64> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.get_mut(service)?;
        found.wanted_nanos = now;
        Some(now.saturating_sub(found.told_nanos))
    }

    fn put(&self, service: &str, strategy: Strategy) {
        let now = self.clock.monotonic_nanos();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= SERVICES_MAX && !known.contains_key(service) {
            let oldest = known.iter().min_by_key(|(_, known)| known.wanted_nanos);
            if let Some(oldest) = oldest.map(|(service, _)| service.clone()) {
                known.remove(&oldest);
            }
        }
        let told = Known {
            strategy,
            told_nanos: now,
            wanted_nanos: now,
        };
        known.insert(service.to_owned(), told);
    }
}

impl Strategies for RemoteStrategies {
    fn strategy(&self, service: &str) -> Strategy {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match known.get(service) {
            Some(known) => known.strategy.clone(),
            None => self.otherwise.strategy(service),
        }
    }

    fn prepare<'a>(&'a self, service: &'a str) -> Answer<'a, Result<(), String>> {
        Box::pin(self.ensure(service))
    }
}

/// The routes of the sampling port: what is asked for is made known first.
pub(crate) fn router(strategies: &Arc<RemoteStrategies>) -> Router {
    let asked = Arc::clone(strategies);
    let answers = serve::sampling_router(Arc::clone(strategies) as Arc<dyn Strategies>);
    answers.layer(from_fn(move |request: Request, next: Next| {
        let asked = Arc::clone(&asked);
        async move { ensured(&asked, request, next).await }
    }))
}

async fn ensured(strategies: &RemoteStrategies, request: Request, next: Next) -> Response {
    let services: Vec<String> = pairs(request.uri().query())
        .filter(|(key, _)| key == "service")
        .map(|(_, service)| service)
        .collect();
    // Any other number of services is refused behind this.
    if let [service] = services.as_slice()
        && let Err(why) = strategies.prepare(service).await
    {
        return (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response();
    }
    next.run(request).await
}
