//! A pipeline made of a text, with its surroundings.

use std::sync::Arc;

use model::contract::{BatchProcessor, Processed};
use model::{SpanBatch, TenantId, TraceId};
use plumbing::{ManualClock, Metrics};
use process::{Pipeline, Plan, Surroundings};
use serde_json::Value;

/// Steps, and what they see and show.
pub(crate) struct Bench {
    pub(crate) pipeline: Pipeline,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) metrics: Metrics,
}

/// The steps of a configuration in YAML, `process:` and all.
pub(crate) fn steps(yaml: &str) -> Vec<Value> {
    let config: Value = serde_saphyr::from_str(yaml).unwrap();
    config["process"].as_array().unwrap().clone()
}

impl Bench {
    pub(crate) fn of(yaml: &str) -> Self {
        let plan = Plan::read(&steps(yaml)).unwrap_or_else(|why| panic!("{yaml}\n{why:?}"));
        let (clock, metrics) = (Arc::new(ManualClock::at(1_000_000_000)), Metrics::new());
        let around = Surroundings {
            clock: Arc::clone(&clock) as Arc<dyn plumbing::Clock>,
            metrics: &metrics,
        };
        let pipeline = Pipeline::new(&plan, &around).unwrap();
        Self {
            pipeline,
            clock,
            metrics,
        }
    }

    pub(crate) fn process(&self, batch: &SpanBatch) -> Processed {
        self.process_forced(batch, &[])
    }

    pub(crate) fn process_forced(&self, batch: &SpanBatch, forced: &[TraceId]) -> Processed {
        let tenant = TenantId::default();
        self.pipeline.process(&tenant, batch.clone(), forced)
    }
}
