//! How a program is that has no store: the health ports ask it what only a store can answer.

use std::sync::Arc;

use model::contract::{Answer, PinError, PinnedTrace, Pins};
use model::{TenantId, TraceId};
use serve::Health;

use super::ProgramHealth;

/// How the program is.
#[derive(Debug)]
pub(super) struct StorelessHealth {
    pub(super) program: Arc<ProgramHealth>,
    /// What is said to who asks for a store.
    pub(super) no_store: &'static str,
}

impl Health for StorelessHealth {
    fn started(&self) -> Result<(), String> {
        self.program.started()
    }

    fn ready(&self) -> Result<(), String> {
        self.program.ready()
    }

    fn finalise(&self) -> Answer<'static, Result<(), String>> {
        Box::pin(std::future::ready(Err(self.no_store.to_owned())))
    }
}

impl StorelessHealth {
    fn no_pins<T: Send + 'static>(&self) -> Answer<'static, Result<T, PinError>> {
        let reason = self.no_store.to_owned();
        Box::pin(std::future::ready(Err(PinError::Unavailable { reason })))
    }
}

impl Pins for StorelessHealth {
    fn pin(&self, _: &TenantId, _: TraceId) -> Answer<'static, Result<bool, PinError>> {
        self.no_pins()
    }

    fn unpin(&self, _: &TenantId, _: TraceId) -> Answer<'static, Result<bool, PinError>> {
        self.no_pins()
    }

    fn pins(&self, _: &TenantId) -> Answer<'static, Result<Vec<PinnedTrace>, PinError>> {
        self.no_pins()
    }
}
