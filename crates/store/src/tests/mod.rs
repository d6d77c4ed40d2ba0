//! The engine under every fault that files can have, compared with a store that is too simple to be wrong.
//!
//! - `simulation`: random lives from seeds, with crashes, full disks and failing files.
//! - `sweep`: one scenario, each of its file operations failed in turn.
//! - `contract`: the suite that every store must pass.
//! - `damage`: flipped bits and cuts of every file of a data folder.
//! - `exactness`: random questions over random layouts.
//! - `first_spans`: spans in an order of their own.
//! - `figures`: what is told of the store and of services.
//! - `filters`: filters that fit into no memory.
//! - `obstacles`: what stands in the way of merging.
//! - `outline`: traces without attributes, of any size.
//! - `overview`: all that matches from afar.
//! - `pins`: traces that outlive retention.
//! - `rates`: counts over time, whatever the layout.
//! - `relations`: numbers of spans, kin of spans, the slowest traces, and what a question may cost.
//! - `crowd`: more operations than there is room for.
//! - `scrub`: bytes at rest that rot.
//! - `threads`: the store as the program opens it.
//! - `verdicts`: traces that a judge keeps or drops.
//!
//! One test for each thing that must not be got wrong, small enough to see why it fails:
//!
//! - `answers`: texts, pages, windows, calls, and what is too large to be shown.
//! - `freezing`: heads become segments, and the log is let go.
//! - `refusals`: memory, disks and syncs that are at their end.
//! - `resent`: what comes twice.
//! - `retention`: what is removed, and what is not.
//! - `starts`: folders that a start finds taken, unreadable or cut.
//!
//! All but `threads` are deterministic. A failing seed says the command that replays it.

mod answers;
mod contract;
mod crowd;
mod damage;
mod doubt;
mod exactness;
mod figures;
mod filters;
mod finalise;
mod first_spans;
mod freezing;
mod gates;
mod machine;
mod obstacles;
mod outline;
mod overview;
mod pins;
mod questions;
mod rates;
mod refusals;
mod relations;
mod resent;
mod retention;
mod scrub;
mod simulation;
mod starts;
mod sweep;
mod threads;
mod traffic;
mod truth;
mod verdicts;
