//! Answering: the HTTP servers behind which spans are found again.
//!
//! - [`jaeger_services`] speak Jaeger's query APIs over HTTP (v1 and v3) and gRPC.
//! - [`admin_router`] and [`health_router`] tell supervisors and Prometheus how the program is.
//! - [`sampling_router`] and [`sampling_grpc_router`] tell clients what to record.
//! - [`serve_http`] listens, with limits, and ends gracefully.
//!
//! - [`ui_router`] answers what the web app asks, below `/api/ui/v1`; the app itself is served by [`jaeger_router`].
//!
//! Every answer is made from what `query` says; errors are mapped to a status here, once for each API, in
//! `jaeger/envelope.rs` and `ui/error.rs`.
//! Refuses: touching the store. What is changed (pins, traces to try) goes through a contract.

mod admin;
mod app;
mod go_json;
mod go_moment;
mod go_text;
mod guard;
mod jaeger;
mod json_text;
mod kinds;
mod listen;
mod own_spans;
mod sampling;
mod ui;

pub use self::sampling::sampling_router;
pub use admin::{AdminState, Health, admin_router, health_router};
pub use app::{
    AppOptions, BasePath, BasePathError, Boot, Capabilities, Limits, LinkKind, LinkTemplate,
    MenuLink, ReceiverAddress, UI_CONFIG_BYTES_MAX, UiConfig, UiConfigError,
};
pub use guard::{Asks, Door};
pub use jaeger::{
    JaegerOptions, JaegerServices, ServeParts, jaeger_router, jaeger_services, sampling_grpc_router,
};
pub use listen::{HttpLimits, serve_http};
pub use own_spans::{OwnSpans, OwnSpansOptions, OwnSpansWriter};
pub use ui::{
    LastRefusal, LedgerStatus, Program, ProgramStatus, ReceiverStatus, RefusedStatus, StoreGrowth,
    StoreStatus, Tail, UiOptions, UiParts, ui_router,
};
