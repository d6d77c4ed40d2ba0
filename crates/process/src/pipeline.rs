//! The steps made ready, and the way of a batch through them.
//!
//! Promises: steps run in their order; when no span is left the rest has nothing to do.

use std::fmt::Debug;
use std::sync::Arc;

use model::contract::{BatchProcessor, Processed};
use model::{BatchBuilder, SpanBatch, TenantId, TraceId};
use plumbing::{Clock, Metrics};

use crate::metrics::SpanMetrics;
use crate::plan::{Plan, StepOptions};
use crate::rewrite::{Rewrite, rewrite};
use crate::sample::Sample;

/// What steps need of the program.
#[derive(Debug)]
pub struct Surroundings<'a> {
    /// The time, for rates.
    pub clock: Arc<dyn Clock>,
    /// Where counts are shown.
    pub metrics: &'a Metrics,
}

/// One step.
pub(crate) trait Step: Send + Sync + Debug {
    /// Takes a batch through the step.
    fn apply(&self, with: &With<'_>, work: &mut Processed);
}

/// What is known of a batch besides its spans.
#[derive(Debug)]
pub(crate) struct With<'a> {
    /// Traces that samplers must keep.
    pub(crate) forced: &'a [TraceId],
}

/// All steps of a configuration.
#[derive(Debug)]
pub struct Pipeline {
    steps: Vec<Box<dyn Step>>,
}

impl Pipeline {
    /// Makes the steps ready; `None` where there is none.
    #[must_use]
    pub fn new(plan: &Plan, around: &Surroundings<'_>) -> Option<Self> {
        let steps = plan.steps.iter().map(|step| -> Box<dyn Step> {
            match step {
                StepOptions::Limit(options) => Box::new(options.clone()),
                StepOptions::Attributes(options) => Box::new(options.clone()),
                StepOptions::Redact(options) => Box::new(options.clone()),
                StepOptions::Filter(options) => Box::new(options.clone()),
                StepOptions::Sample(options) => {
                    Box::new(Sample::new(options.clone(), Arc::clone(&around.clock)))
                }
                StepOptions::Metrics(options) => {
                    Box::new(SpanMetrics::new(options.clone(), around.metrics))
                }
            }
        });
        let steps: Vec<_> = steps.collect();
        (!steps.is_empty()).then_some(Self { steps })
    }
}

impl BatchProcessor for Pipeline {
    fn process(&self, _tenant: &TenantId, batch: SpanBatch, forced: &[TraceId]) -> Processed {
        let with = With { forced };
        let mut work = Processed::untouched(batch);
        for step in &self.steps {
            if work.batch.is_empty() {
                break;
            }
            step.apply(&with, &mut work);
        }
        work
    }
}

/// Leaves out all spans but those of some rows, which are ascending; gives how many that are.
pub(crate) fn keep_rows(work: &mut Processed, rows: &[usize]) -> u64 {
    let gone = work.batch.len() - rows.len().min(work.batch.len());
    if gone > 0 {
        let mut builder = BatchBuilder::new();
        builder.append_rows(&work.batch, rows.iter().copied());
        work.batch = builder.finish();
        work.is_changed = true;
    }
    u64::try_from(gone).unwrap_or(u64::MAX)
}

/// Has a step change all spans.
pub(crate) fn apply_rewrite(work: &mut Processed, step: &dyn Rewrite) {
    let rows: Vec<usize> = (0..work.batch.len()).collect();
    if let Some(batch) = rewrite(&work.batch, &rows, step) {
        work.batch = batch;
        work.is_changed = true;
    }
}
