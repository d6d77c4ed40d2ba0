//! The three calls that most of the shop consists of: a remote call, a database statement, a cache look-up.
//!
//! Each adds its spans, lets the called side do its part, and gives the nanosecond at which the caller goes on.

use opentelemetry_proto::tonic::common::v1::KeyValue;
use rand::Rng;

use super::{
    catalogue::Service,
    trace::{NewSpan, SpanId, TraceBuilder, kind},
};
use crate::attribute::attribute;

/// gRPC's status UNAVAILABLE.
const GRPC_UNAVAILABLE: i64 = 14;

/// A method of a service that others call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Method {
    to: Service,
    service: &'static str,
    name: &'static str,
    /// Median of the time the method itself takes.
    median_us: f64,
}

impl Method {
    pub(super) const fn new(
        to: Service,
        service: &'static str,
        name: &'static str,
        median_us: f64,
    ) -> Self {
        Self {
            to,
            service,
            name,
            median_us,
        }
    }
}

/// A database statement.
pub(super) struct Statement {
    pub(super) table: &'static str,
    pub(super) text: String,
    pub(super) median_us: f64,
}

/// The body of a method that calls nobody.
pub(super) fn returns_at_once(_: &mut TraceBuilder<'_>, _: SpanId, time_ns: u64) -> u64 {
    time_ns
}

impl TraceBuilder<'_> {
    /// A gRPC call: a client span at the caller, a server span at the called service, whose work is `body`.
    pub(super) fn call(
        &mut self,
        from: Service,
        parent: SpanId,
        method: Method,
        start_ns: u64,
        body: impl FnOnce(&mut Self, SpanId, u64) -> u64,
    ) -> u64 {
        let name = format!("{}/{}", method.service, method.name);
        let peer = format!(
            "10.{}.{}.{}",
            method.to.number(),
            self.user % 4,
            self.rng.random_range(2..40i32)
        );
        let code = if self.rng.random_bool(0.006) {
            GRPC_UNAVAILABLE
        } else {
            0
        };

        let client_place = self.next_place();
        let attributes = self.call_attributes(method, code, &peer);
        let client = self.push(NewSpan {
            service: from,
            parent: Some(parent),
            name: &name,
            kind: kind::CLIENT,
            start_ns,
            end_ns: start_ns + 1,
            attributes,
            error: None,
        });

        let server_place = self.next_place();
        let attributes = self.call_attributes(method, code, &peer);
        let network_ns = self.duration_ns(180.0);
        let server_start_ns = start_ns + network_ns;
        let own_ns = self.duration_ns(method.median_us);
        let server = self.push(NewSpan {
            service: method.to,
            parent: Some(client),
            name: &name,
            kind: kind::SERVER,
            start_ns: server_start_ns,
            end_ns: server_start_ns + own_ns.max(3000),
            attributes,
            error: (code != 0).then_some("14 UNAVAILABLE: connection refused"),
        });

        let done_ns =
            body(self, server, server_start_ns + own_ns / 4).max(server_start_ns + own_ns);
        self.end_span_at(server_place, done_ns);
        let end_ns = done_ns + network_ns;
        self.end_span_at(client_place, end_ns);
        end_ns
    }

    fn call_attributes(&mut self, method: Method, code: i64, peer: &str) -> Vec<KeyValue> {
        vec![
            attribute("rpc.system", "grpc"),
            attribute("rpc.service", method.service),
            attribute("rpc.method", method.name),
            attribute("rpc.grpc.status_code", code),
            attribute("network.peer.address", peer),
            attribute(
                "network.peer.port",
                self.rng.random_range(30_000..60_000i64),
            ),
            attribute("network.transport", "tcp"),
        ]
    }

    /// A statement sent to PostgreSQL.
    pub(super) fn database(
        &mut self,
        at: Service,
        parent: SpanId,
        statement: Statement,
        start_ns: u64,
    ) -> u64 {
        let end_ns = start_ns + self.duration_ns(statement.median_us);
        let operation = statement
            .text
            .split(' ')
            .next()
            .unwrap_or("SELECT")
            .to_owned();
        let name = format!("{operation} shop.{}", statement.table);
        let attributes = vec![
            attribute("db.system.name", "postgresql"),
            attribute("db.namespace", "shop"),
            attribute("db.collection.name", statement.table),
            attribute("db.operation.name", operation),
            attribute("db.query.text", statement.text),
            attribute(
                "server.address",
                "postgresql-primary.data.svc.cluster.local",
            ),
            attribute("server.port", 5432i64),
            attribute("db.response.returned_rows", self.rng.random_range(0..60i64)),
        ];
        self.leaf(
            at,
            parent,
            &name,
            kind::CLIENT,
            (start_ns, end_ns),
            attributes,
        );
        end_ns
    }

    /// A look-up of the user's cart in the cache.
    pub(super) fn cache(&mut self, at: Service, parent: SpanId, start_ns: u64) -> u64 {
        let end_ns = start_ns + self.duration_ns(350.0);
        let attributes = vec![
            attribute("db.system.name", "redis"),
            attribute("db.operation.name", "HGETALL"),
            attribute("db.query.text", format!("HGETALL cart:{}", self.user)),
            attribute("server.address", "valkey.data.svc.cluster.local"),
            attribute("server.port", 6379i64),
            attribute("cache.hit", self.rng.random_bool(0.9)),
        ];
        self.leaf(
            at,
            parent,
            "HGETALL",
            kind::CLIENT,
            (start_ns, end_ns),
            attributes,
        );
        end_ns
    }

    /// Adds a span without error below a parent; `period_ns` is its start and end.
    pub(super) fn leaf(
        &mut self,
        service: Service,
        parent: SpanId,
        name: &str,
        kind: i32,
        period_ns: (u64, u64),
        attributes: Vec<KeyValue>,
    ) -> SpanId {
        let (start_ns, end_ns) = period_ns;
        self.push(NewSpan {
            service,
            parent: Some(parent),
            name,
            kind,
            start_ns,
            end_ns,
            attributes,
            error: None,
        })
    }
}
