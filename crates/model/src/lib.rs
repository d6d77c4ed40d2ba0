//! What is carried through the house: ids, times, values, the batch of spans, questions and answers.
//!
//! Everything here is used by at least three rooms. There is no I/O, no clock and no protocol.
//!
//! Read next: [`batch`] for how spans are laid out, [`predicate`] for what can be asked of them,
//! [`evaluate`] for how one span is judged,
//! [`contract`] for the two traits between the way in and the way out.

pub mod batch;
pub mod capability;
pub mod contract;
mod count;
pub mod evaluate;
pub mod facts;
pub mod histogram;
mod id;
pub mod outline;
pub mod overview;
pub mod predicate;
pub mod rates;
pub mod recorded;
pub mod seen;
pub mod span_search;
mod structure;
mod tenant;
pub mod threshold;
pub mod throughput;
pub mod tree;
pub mod value;

pub use batch::{BatchBuilder, SpanBatch, Symbol};
pub use count::{CountAnswer, CountRequest};
pub use histogram::Histogram;
pub use id::{IdError, SpanId, TraceId};
pub use outline::{OutlineAnswer, TraceOutline};
pub use overview::{OverviewAnswer, OverviewOf, OverviewRequest};
pub use predicate::{Field, Literal, Operator, Place, Predicate};
pub use span_search::{SpanPosition, SpanSearchAnswer, SpanSearchRequest};
pub use structure::{Relation, Structure, StructureAnswer, StructureRequest};
pub use tenant::{TenantError, TenantId};
pub use value::{Value, ValueType};
