//! The engine under every fault that files can have, compared with a store that is too simple to be wrong.
//!
//! - `simulation`: random lives from seeds, with crashes, full disks and failing files.
//! - `sweep`: one scenario, each of its file operations failed in turn.
//! - `damage`: flipped bits and cuts of every file of a data folder.
//! - `exactness`: random questions over random layouts.
//! - `filters`: filters that fit into no memory.
//! - `obstacles`: what stands in the way of merging.
//! - `pins`: traces that outlive retention.
//! - `rates`: counts over time, whatever the layout.
//! - `relations`: numbers of spans, kin of spans, the slowest traces, and what a question may cost.
//! - `rules`: one test for each thing that must not be got wrong.
//! - `crowd`: more operations than there is room for.
//! - `scrub`: bytes at rest that rot.
//! - `threads`: the store as the program opens it.
//!
//! All but `threads` are deterministic. A failing seed says the command that replays it.

mod crowd;
mod damage;
mod doubt;
mod exactness;
mod filters;
mod finalise;
mod machine;
mod obstacles;
mod pins;
mod questions;
mod rates;
mod relations;
mod rules;
mod scrub;
mod simulation;
mod sweep;
mod threads;
mod traffic;
mod truth;
