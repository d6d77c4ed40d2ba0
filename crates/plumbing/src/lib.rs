//! What every room needs and no span is in: time, randomness, tasks, byte budgets, shutdown, metrics.
//!
//! The seams [`Clock`], [`Random`] and [`Tasks`] are the only way to time, randomness and threads in the
//! domain crates, so that a whole store can be run from a seed.

mod budget;
mod clock;
mod complaints;
mod metrics;
mod planted;
pub mod query_string;
mod random;
mod reload;
mod shutdown;
mod tasks;
mod unread;

pub use budget::{BudgetExceeded, ByteBudget, Reservation};
pub use clock::{Clock, ManualClock, RealClock};
pub use complaints::Complaints;
pub use metrics::{Metrics, latency_buckets};
pub use planted::planted;
pub use random::{Random, RealRandom, SeededRandom};
pub use reload::{FileBytes, RELOAD_INTERVAL, Reloading};
pub use shutdown::Shutdown;
pub use tasks::{CpuPool, PoolError, Tasks, ThreadHandle};
pub use unread::why_unread;
