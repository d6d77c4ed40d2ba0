//! The real program from outside: it is started as a person would start it, and spoken to over its ports only.
//!
//! `agent`: the role beside an application, over outages and kills. `blowups`: what blows up stores, under a limit on
//! memory. `chart`: the Helm chart, rendered and judged. `clients`: stock SDKs send, Jaeger's API returns the same.
//! `cluster`: the chart and the images on a real Kubernetes. `commands`: those of the terminal. `crash`: `kill -9`
//! under load loses nothing acknowledged. `doctor`: what is broken is told. `elastic`: spans in a real OpenSearch.
//! `golden`: the answers of a recorded Jaeger. `image`: it is what it should be, and runs. `lifecycle`: stop, double
//! start, full disk, health.
//! `old_clients`: those of Jaeger and Zipkin. `own_spans`: what the program tells of itself. `processing`: what steps
//! took out is nowhere. `readers`: pyarrow and DuckDB read the segments. `sampling`: a stock sampler does as it is
//! told. `security`: TLS, passwords and tokens, tenants. `soak`: steady load takes no more the longer it lasts.
//! `storage_api`: a Jaeger keeps its spans here, and another Trackway does. `tail`: whole traces stay or leave.
//! `walkthrough`: the chart's files without a cluster.
//!
//! Every test that sends spans checks the `ledger` of the program: what came in has gone somewhere.
//!
//! Promises: free ports, folders of its own, no sleeping where a condition can be awaited; a test that cannot run on
//! this machine prints `SKIPPED name: reason`, which `.ci/run` counts; in CI (`CI` is set) it fails.
//!
//! The program is the one that `TRACKWAY_BIN` names, else it is built first.

#[cfg(test)]
mod cage;
#[cfg(test)]
mod folder;
#[cfg(test)]
mod http;
#[cfg(test)]
mod program;
#[cfg(test)]
mod ran;
#[cfg(test)]
mod small_disk;
#[cfg(test)]
mod wait;

#[cfg(test)]
mod expected;
#[cfg(test)]
mod jaeger;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod load;
#[cfg(test)]
mod outages;
#[cfg(test)]
#[path = "../servers/server.rs"]
mod server;

#[cfg(test)]
mod agent;
#[cfg(test)]
mod blowups;
#[cfg(test)]
mod chart;
#[cfg(test)]
mod clients;
#[cfg(test)]
mod cluster;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod elastic;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod image;
#[cfg(test)]
mod kafka;
#[cfg(test)]
mod lifecycle;
#[cfg(test)]
mod old_clients;
#[cfg(test)]
mod own_spans;
#[cfg(test)]
mod processing;
#[cfg(test)]
mod readers;
#[cfg(test)]
mod sampling;
#[cfg(test)]
mod security;
#[cfg(test)]
mod soak;
#[cfg(test)]
mod storage_api;
#[cfg(test)]
mod tail;
#[cfg(test)]
mod walkthrough;
