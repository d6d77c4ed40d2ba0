//! The chart and the images on a real Kubernetes of one node, whose pods are this very program.
//!
//! Promises checked: installed, ready under the restricted standard, tested, upgraded, rolled back and uninstalled by
//! the real Helm; spans outlive pods; with the names of the walk-through Elasticsearch is found, and sample
//! applications are traced; the page is followed command by command; what is broken says what to change.
//!
//! Runs where `tests/cluster` has started the node, which takes minutes (`make test-cluster`); elsewhere it says so.

mod broken;
mod elastic;
mod embedded;
mod node;
mod page;
