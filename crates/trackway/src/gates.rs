//! The ports by who is let in: those that take spans, those that answer questions, those of operation.
//!
//! Promises: every listener has its kind in one table; files that can't be used end the start, with the key's name; a
//! port that strangers can reach is told at the start.

use std::net::SocketAddr;

use access::{Access, AccessMetrics, Gate};
use plumbing::{Metrics, RELOAD_INTERVAL, Shutdown, Tasks};
use serve::{Asks, Door};
use tls::{ServerTls, TlsMetrics};

use crate::config::{Config, PortAccess};
use crate::error::Error;
use crate::listen::{Addresses, Listeners};

/// What supervisors ask at the admin port without credentials.
const FREE_PATHS: &[&str] = &["/", "/live", "/ready", "/started"];

/// A kind of ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ports {
    /// Those that take spans, and tell clients what to record.
    Receive,
    /// Those that answer questions about spans, or do both for a Jaeger.
    Query,
    /// Those of operation.
    Admin,
    /// Those that tell nothing of anybody.
    Free,
}

impl Ports {
    /// The kind of a listener.
    pub(crate) fn of(listener: &str) -> Self {
        match listener {
            "query_http" | "query_grpc" | "storage_grpc" => Self::Query,
            "admin" => Self::Admin,
            "health" => Self::Free,
            _ => Self::Receive,
        }
    }
}

/// Who is let in where.
#[derive(Debug, Clone)]
pub(crate) struct Gates {
    receive: Gate,
    query: Gate,
    admin: Gate,
    has_tenants: bool,
}

impl Gates {
    /// Lets everybody in everywhere.
    #[cfg(test)]
    pub(crate) fn open() -> Self {
        Self {
            receive: Gate::open(),
            query: Gate::open(),
            admin: Gate::open(),
            has_tenants: false,
        }
    }

    /// Reads all files. Blocks.
    pub(crate) fn load(
        config: &Config,
        metrics: &Metrics,
        tls: &TlsMetrics,
    ) -> Result<Self, Error> {
        let access = AccessMetrics::register(metrics);
        let load = |name: &'static str, ports: &PortAccess| {
            let failed = |why: String| Error::Usage(format!("access.{name}: {why}"));
            let files = ports.tls_files();
            let files = files.map_err(|why| Error::Usage(format!("access.{name}.tls: {why}")))?;
            let tls = match files {
                Some(files) => {
                    let loaded = ServerTls::load(name, &files, tls);
                    Some(loaded.map_err(|error| failed(format!("tls: {error}")))?)
                }
                None => None,
            };
            let options = ports.options(&config.access.tenants);
            let access = Access::load(name, options, &access);
            let access = access.map_err(|error| failed(error.to_string()))?;
            Ok::<Gate, Error>(Gate { tls, access })
        };
        Ok(Self {
            receive: load("receive", &config.access.receive)?,
            query: load("query", &config.access.query)?,
            admin: load("admin", &config.access.admin)?,
            has_tenants: config.access.tenants.tenancy().is_some(),
        })
    }

    /// Who is let in where spans are taken.
    pub(crate) fn receive(&self) -> Gate {
        self.receive.clone()
    }

    /// The door of a listener that answers.
    pub(crate) fn door(&self, listener: &str) -> Door {
        let Some(gate) = self.of(listener).cloned() else {
            return Door::open();
        };
        let asks = match Ports::of(listener) {
            Ports::Query => Asks::Tenant,
            Ports::Admin => Asks::Credentials {
                free_paths: FREE_PATHS,
            },
            // What is told to clients is the same for every tenant.
            Ports::Receive | Ports::Free => Asks::Credentials { free_paths: &[] },
        };
        Door { gate, asks }
    }

    /// Who is let in at a listener, where anybody is asked anything.
    fn of(&self, listener: &str) -> Option<&Gate> {
        match Ports::of(listener) {
            Ports::Receive => Some(&self.receive),
            Ports::Query => Some(&self.query),
            Ports::Admin => Some(&self.admin),
            Ports::Free => None,
        }
    }

    /// Tells whether a listener speaks TLS.
    pub(crate) fn speaks_tls(&self, listener: &str) -> bool {
        self.of(listener).is_some_and(|gate| gate.tls.is_some())
    }

    /// Looks at all files again and again until the stop.
    pub(crate) fn watch(&self, tasks: &Tasks, stop: &Shutdown) {
        for gate in [&self.receive, &self.query, &self.admin] {
            tasks.spawn(gate.clone().watch(RELOAD_INTERVAL, stop.clone()));
        }
    }

    /// Warns of what strangers can reach, and of what protects less than it seems to.
    pub(crate) fn warn(&self, listeners: &Listeners) {
        let reachable = listeners.open_to_others();
        let open: Addresses = reachable
            .iter()
            .filter(|(name, _)| self.is_open(listeners, name))
            .copied()
            .collect();
        if !open.is_empty() {
            let addresses = written(&open);
            tracing::warn!(
                addresses,
                "open to other machines without authentication; listen.host narrows it, and access.receive, \
                 access.query and access.admin ask for credentials"
            );
        }
        let plain: Addresses = reachable
            .into_iter()
            .filter(|(name, _)| self.sends_secrets_plainly(name))
            .collect();
        if !plain.is_empty() {
            let addresses = written(&plain);
            tracing::warn!(
                addresses,
                "passwords and tokens come to these addresses without TLS, so everybody on the way can read them; set \
                 tls.cert_file and tls.key_file, or let a proxy speak TLS"
            );
        }
        if self.has_tenants && listeners.has_datagrams() {
            tracing::info!(
                "datagrams have no header, so their spans are of the tenant access.tenants.fallback, or default"
            );
        }
    }

    fn is_open(&self, listeners: &Listeners, name: &str) -> bool {
        // Nobody says who sends a datagram.
        listeners.is_udp(name) || self.of(name).is_some_and(Gate::lets_strangers_in)
    }

    fn sends_secrets_plainly(&self, name: &str) -> bool {
        self.of(name)
            .is_some_and(|gate| gate.tls.is_none() && gate.access.asks_for_credentials())
    }
}

fn written(addresses: &[(&'static str, SocketAddr)]) -> String {
    let written: Vec<String> = addresses
        .iter()
        .map(|(name, address)| format!("{name} {address}"))
        .collect();
    written.join(", ")
}
