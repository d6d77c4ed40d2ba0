//! What differs in words between a buffer before collectors and one before a store.

/// The words of a buffer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words {
    /// The section of its keys.
    pub(crate) section: &'static str,
    /// What the names of its metrics begin with, and those of the bytes that it holds.
    pub(crate) metrics: &'static str,
    pub(crate) metrics_bytes: &'static str,
    /// Who takes its spans.
    pub(crate) taker: &'static str,
    /// Whether batches can be set aside.
    pub(crate) sets_aside: bool,
    /// Why it has no room.
    pub(crate) full: &'static str,
    /// Why it takes nothing at the end.
    pub(crate) stopping: &'static str,
}

/// Of an agent.
pub(crate) const COLLECTORS: Words = Words {
    section: "agent.buffer",
    metrics: "trackway_sink_",
    metrics_bytes: "trackway_sink_buffer_",
    taker: "a collector",
    sets_aside: false,
    full: "the buffer is full (agent.buffer.bytes_max), for no collector takes its spans",
    stopping: "the agent is stopping",
};

/// Of who writes to a store of others.
pub(crate) const STORE: Words = Words {
    section: "backend.buffer",
    metrics: "trackway_backend_buffer_",
    metrics_bytes: "trackway_backend_buffer_",
    taker: "the store",
    sets_aside: true,
    full: "the buffer is full (backend.buffer.bytes_max), for the store behind it does not take its spans",
    stopping: "the program is stopping",
};
