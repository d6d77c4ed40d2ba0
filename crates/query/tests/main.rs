//! Questions from outside, answered by the oracle: what is shown is found, and pages fit together.

mod pages;
mod search;
mod world;
