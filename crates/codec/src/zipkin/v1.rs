//! What annotations of version 1 mean: kind, endpoints and times, which version 2 has fields for.
//!
//! - The first of the core annotations (`cs`, `cr`, `sr`, `ss`, `ms`, `mr`) makes the kind. They are no events.
//! - The service is that of the first core annotation that names one, else of `lc`, of any other annotation, of any
//!   binary annotation; then the text of `lc` itself. The core annotation's addresses belong to the resource.
//! - `sa`, `ca` and `ma` are the remote endpoint; where there are several, the one that the kind calls for.
//! - Without a timestamp a span lasts from its first annotation to its last, unless it has a duration.

use super::span::{Annotation, Endpoint, Span, TagValue, Text};

/// The service of a span of which nobody says whose it is.
const UNKNOWN_SERVICE: &[u8] = b"unknown-service";
const SERVER: i32 = 2;
const CLIENT: i32 = 3;
const PRODUCER: i32 = 4;
const CONSUMER: i32 = 5;

/// What the annotations of a span have said so far.
#[derive(Debug, Default)]
pub(super) struct Annotations<'a> {
    kind: i32,
    /// The earliest and the latest time.
    times: Option<(u64, u64)>,
    /// Endpoints with a service, each the first of its sort: core annotation, `lc`, annotation, binary annotation.
    hosts: [Option<Endpoint<'a>>; 4],
    component: Text<'a>,
    /// What `sa`, `ca` and `ma` name.
    peers: [Option<Endpoint<'a>>; 3],
}

impl<'a> Annotations<'a> {
    /// Takes an annotation.
    pub(super) fn annotation(
        &mut self,
        span: &mut Span<'a>,
        annotation: Annotation<'a>,
        host: Option<Endpoint<'a>>,
    ) {
        let micros = annotation.micros;
        if micros > 0 {
            let (first, last) = self.times.unwrap_or((micros, micros));
            self.times = Some((first.min(micros), last.max(micros)));
        }
        let kind = match &*annotation.value {
            b"sr" | b"ss" => SERVER,
            b"cs" | b"cr" => CLIENT,
            b"ms" => PRODUCER,
            b"mr" => CONSUMER,
            _ => 0,
        };
        self.host(if kind == 0 { 2 } else { 0 }, host);
        if kind == 0 {
            span.push_annotation(annotation);
        } else if self.kind == 0 {
            self.kind = kind;
        }
    }

    /// Takes a binary annotation.
    pub(super) fn binary(
        &mut self,
        span: &mut Span<'a>,
        key: Text<'a>,
        value: TagValue<'a>,
        host: Option<Endpoint<'a>>,
    ) {
        let peer = match &*key {
            b"sa" => self.peers.get_mut(0),
            b"ca" => self.peers.get_mut(1),
            b"ma" => self.peers.get_mut(2),
            _ => None,
        };
        if let (Some(peer), Some(host)) = (peer, &host) {
            peer.get_or_insert_with(|| host.clone());
            if value == TagValue::Bool(true) {
                return;
            }
            span.push_tag(key, value);
            return;
        }
        if &*key == b"lc" {
            if let TagValue::Text(text) = &value {
                self.component = text.clone();
            }
            self.host(1, host);
            span.push_tag(Text::Borrowed(b"component"), value);
            return;
        }
        self.host(3, host);
        span.push_tag(key, value);
    }

    fn host(&mut self, sort: usize, host: Option<Endpoint<'a>>) {
        if let (Some(place @ None), Some(host)) = (self.hosts.get_mut(sort), host)
            && !host.service.is_empty()
        {
            *place = Some(host);
        }
    }

    /// Writes what they said into the span.
    pub(super) fn finish(self, span: &mut Span<'a>) {
        span.kind = self.kind;
        let [server, client, broker] = self.peers;
        let peer = if self.kind == SERVER {
            client.or(server)
        } else {
            server.or(client)
        };
        let is_message = matches!(self.kind, PRODUCER | CONSUMER);
        let peer = if is_message {
            broker.or(peer)
        } else {
            peer.or(broker)
        };
        span.remote = peer.unwrap_or_default();
        let [core, component, annotation, binary] = self.hosts;
        span.resource = core.unwrap_or_else(|| {
            let named = component.or(annotation).or(binary).map(|host| host.service);
            let fallback = if self.component.is_empty() {
                UNKNOWN_SERVICE.into()
            } else {
                self.component
            };
            Endpoint {
                service: named.unwrap_or(fallback),
                ..Endpoint::default()
            }
        });
        if let (0, Some((first, last))) = (span.start_micros, self.times) {
            span.start_micros = first;
            if span.duration_micros == 0 {
                span.duration_micros = last - first;
            }
        }
    }
}
