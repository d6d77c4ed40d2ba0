//! Jaeger's storage API over gRPC, played as a stock Jaeger plays it: what its own suite asks of every store, by
//! version 1 and by version 2, and by the query API of a second program that uses the first as its store; and the
//! contract suite, by that program's own client.
//!
//! What that suite also asks and gRPC has no call for: throughput and probabilities of adaptive sampling.

pub(crate) mod client;
mod contract;
mod fixtures;
mod second;
mod suite;
mod v1;
mod v2;
