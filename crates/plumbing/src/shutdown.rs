//! One signal that tells everything to stop, and a way to wait for it.

use tokio_util::sync::CancellationToken;

/// A signal that is given once and seen by every clone.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    token: CancellationToken,
}

impl Shutdown {
    /// Makes a signal that has not been given.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives the signal.
    pub fn begin(&self) {
        self.token.cancel();
    }

    /// Tells whether the signal was given.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Waits until the signal is given.
    pub async fn begun(&self) {
        self.token.cancelled().await;
    }

    /// A signal that follows this one and can also be given alone.
    #[must_use]
    pub fn child(&self) -> Self {
        Self {
            token: self.token.child_token(),
        }
    }
}
