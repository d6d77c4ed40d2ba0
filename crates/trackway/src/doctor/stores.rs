//! Stores of others, Kafka, and the collectors of an agent: the way to each of their servers, then what they say.

use std::cell::LazyCell;

use backends::{Finding, State};
use plumbing::{Clock as _, CpuPool, Metrics, RealClock};
use tls::{ClientFiles, ClientTls, TlsMetrics};

use super::network::{self, Peer};
use crate::backend::Backend;
use crate::config::{Config, Switch};
use crate::error::Error;

const NANOS_PER_MILLI: u64 = 1_000_000;
const POOL_QUEUE_JOBS_MAX: usize = 16;

/// Elasticsearch or OpenSearch.
pub(super) async fn elastic(config: &Config) -> Vec<Finding> {
    let chosen = &config.backend.elasticsearch;
    let files = chosen.tls_files();
    let peers = chosen.hosts.0.iter().map(|host| {
        let uri = host.parse::<http::Uri>().unwrap_or_default();
        let is_tls = uri.scheme_str() == Some("https");
        let name = uri
            .host()
            .unwrap_or_default()
            .trim_matches(['[', ']'])
            .to_owned();
        let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        (name, port, is_tls)
    });
    let found = ways(peers, "backend.elasticsearch.hosts", &files).await;
    then_asked(found, async |metrics, pool| {
        let tls = TlsMetrics::register(metrics);
        let elastic = Backend::elastic(config, pool, &tls, metrics)?;
        Ok(elastic
            .examine(RealClock::default().unix_nanos() / NANOS_PER_MILLI)
            .await)
    })
    .await
}

/// Cassandra.
pub(super) async fn cassandra(config: &Config) -> Vec<Finding> {
    let chosen = &config.backend.cassandra;
    let is_tls = chosen.tls.enabled == Switch::On;
    let files = chosen.tls_files();
    let addresses = chosen.addresses();
    let found = ways(
        split(&addresses, is_tls),
        "backend.cassandra.servers",
        &files,
    )
    .await;
    then_asked(found, async |metrics, pool| {
        let tls = TlsMetrics::register(metrics);
        let cassandra = Backend::cassandra(config, pool, &tls, metrics)?;
        Ok(cassandra.examine().await)
    })
    .await
}

/// A server of the storage API.
pub(super) async fn remote(config: &Config) -> Vec<Finding> {
    let chosen = &config.backend.remote;
    let addresses = [chosen.endpoint.authority().to_owned()];
    let peers = split(&addresses, chosen.endpoint.is_tls());
    let found = ways(peers, "backend.remote.endpoint", &chosen.tls_files()).await;
    then_asked(found, async |metrics, pool| {
        let remote = Backend::remote(config, pool, &TlsMetrics::register(metrics))?;
        Ok(remote.examine().await)
    })
    .await
}

/// Kafka.
pub(super) async fn kafka(config: &Config) -> Vec<Finding> {
    let chosen = &config.backend.kafka;
    let is_tls = chosen.tls.enabled == Switch::On;
    let peers = split(&chosen.brokers.0, is_tls);
    let found = ways(peers, "backend.kafka.brokers", &chosen.tls_files()).await;
    then_asked(found, async |metrics, pool| {
        let kafka = Backend::kafka(config, pool, metrics)?;
        Ok(kafka.examine().await)
    })
    .await
}

/// Where an agent delivers.
pub(super) async fn collectors(config: &Config) -> Vec<Finding> {
    let chosen = &config.agent;
    if chosen.collectors.0.is_empty() {
        let fix =
            "name them: agent.collectors, --collector, or the variable REPORTER_GRPC_HOST_PORT";
        return vec![Finding::wrong("collectors", "none is named", fix)];
    }
    let addresses: Vec<String> = chosen
        .collectors
        .0
        .iter()
        .map(sink::Target::authority)
        .collect();
    let is_tls = chosen.tls.enabled == Switch::On;
    ways(
        split(&addresses, is_tls),
        "agent.collectors",
        &chosen.tls_files(),
    )
    .await
}

/// `host:port` as a name, a port, and whether TLS is spoken.
fn split(addresses: &[String], is_tls: bool) -> impl Iterator<Item = (String, u16, bool)> + '_ {
    addresses.iter().map(move |address| {
        let (host, port) = address.rsplit_once(':').unwrap_or((address, ""));
        let host = host.trim_matches(['[', ']']).to_owned();
        (host, port.parse().unwrap_or(0), is_tls)
    })
}

/// The ways to some servers. One that is cut is worth a word, and all of them are wrong.
async fn ways(
    peers: impl Iterator<Item = (String, u16, bool)>,
    key: &str,
    files: &ClientFiles,
) -> Vec<Finding> {
    let section = key.rsplit_once('.').map_or(key, |(section, _)| section);
    // Their files are the same for all.
    let loaded = LazyCell::new(|| {
        ClientTls::load("doctor", files, &TlsMetrics::default())
            .map_err(|error| format!("{section}: {error}"))
    });
    let mut all = Vec::new();
    for (host, port, is_tls) in peers {
        let peer = Peer {
            host: &host,
            port,
            key,
            tls: is_tls.then(|| &*loaded),
        };
        all.push(network::examine(&peer).await);
    }
    if all.iter().any(|found| is_reached(found)) {
        // One that can't be reached is passed over by the program.
        let wrong = all
            .iter_mut()
            .flatten()
            .filter(|finding| finding.state == State::Wrong);
        wrong.for_each(|finding| finding.state = State::Doubtful);
    }
    all.into_iter().flatten().collect()
}

/// Whether there is anybody to be asked.
fn is_reached(found: &[Finding]) -> bool {
    found.iter().all(|finding| finding.state != State::Wrong)
}

/// What was found on the way, and where that leads to a store what it says: it is asked as the program does, and what
/// keeps it from asking is a finding.
async fn then_asked(
    mut found: Vec<Finding>,
    ask: impl AsyncFnOnce(&Metrics, CpuPool) -> Result<Vec<Finding>, Error>,
) -> Vec<Finding> {
    if !is_reached(&found) {
        return found;
    }
    match CpuPool::start("trackway-doctor", 1, POOL_QUEUE_JOBS_MAX) {
        Ok(pool) => match ask(&Metrics::new(), pool).await {
            Ok(told) => found.extend(told),
            Err(error) => found.push(Finding::wrong("store", error.line(), "")),
        },
        Err(error) => found.push(Finding::wrong("store", error.to_string(), "")),
    }
    found
}
