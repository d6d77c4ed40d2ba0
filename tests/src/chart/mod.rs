//! The Helm chart, rendered by the real Helm from every file of values in `ci/`, and from values of a test's own.
//!
//! Promises checked: what is rendered is what Kubernetes takes (its own schemas) and what the `restricted` standard
//! allows; names are Jaeger's; the program understands each configuration; values that are misspelt, or can't be, are
//! refused with what to write instead. How it runs is shown in `cluster`.

mod configured;
mod monitoring;
mod names;
pub(crate) mod pages;
mod planted;
mod policy;
pub(crate) mod render;
mod rendered;
mod values;
