//! The steps made ready, and the way of a batch through them.
//!
//! Promises: steps run in their order; when no span is left the rest has nothing to do.

use std::fmt::Debug;
use std::sync::Arc;

use model::contract::{BatchProcessor, FilteredSpans, Processed};
use model::{BatchBuilder, SpanBatch, TenantId};
use plumbing::{Clock, Metrics};

use crate::plan::{Plan, StepOptions};

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
    fn apply(&self, tenant: &TenantId, work: &mut Processed);
}

/// All steps of a configuration.
#[derive(Debug)]
pub struct Pipeline {
    steps: Vec<Box<dyn Step>>,
}

impl Pipeline {
    /// Makes the steps ready; `None` where there is none.
    #[must_use]
    pub fn new(plan: &Plan, _around: &Surroundings<'_>) -> Option<Self> {
        let steps = plan.steps.iter().map(|step| -> Box<dyn Step> {
            match step {
                StepOptions::Filter(options) => Box::new(options.clone()),
            }
        });
        let steps: Vec<_> = steps.collect();
        (!steps.is_empty()).then_some(Self { steps })
    }
}

impl BatchProcessor for Pipeline {
    fn process(&self, tenant: &TenantId, batch: SpanBatch) -> Processed {
        let mut work = Processed::untouched(batch);
        for step in &self.steps {
            if work.batch.is_empty() {
                break;
            }
            step.apply(tenant, &mut work);
        }
        work
    }
}

/// Leaves out all spans but those of some rows, which are ascending.
pub(crate) fn keep_rows(work: &mut Processed, rows: &[usize], reason: &'static str) {
    let gone = work.batch.len() - rows.len().min(work.batch.len());
    if gone == 0 {
        return;
    }
    let mut builder = BatchBuilder::new();
    builder.append_rows(&work.batch, rows.iter().copied());
    work.batch = builder.finish();
    work.is_changed = true;
    work.filtered.push(FilteredSpans {
        reason,
        spans: u64::try_from(gone).unwrap_or(u64::MAX),
    });
}
