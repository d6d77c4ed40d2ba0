//! Trackway's own spans: each request of Jaeger's API becomes a span of a reserved service, kept like any other, and
//! the answer's header `traceresponse` says which.
//!
//! Promises
//! - Rate-limited: beyond so many spans a second requests are not recorded, and the header says so (its last bit).
//! - A caller's `traceparent` is gone on with: its trace, its span as the parent, and its wish not to be recorded.
//! - A span is of the tenant that asked.
//! - No loop: spans go to the writer directly, not through a door that would be counted or recorded itself; the web
//!   app's own questions, which it asks again and again, are not recorded.
//! - What can't be kept is given up: nobody waits for these spans.
//!
//! Source: W3C Trace Context, levels 1 and 2; names and attributes are those of OpenTelemetry's conventions for HTTP.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use model::batch::{BatchBuilder, PackedValue, ResourceRow, ScopeRow, SpanRow};
use model::contract::{IncomingBatch, SpanWriter};
use model::{SpanBatch, SpanId, TenantId, TraceId};
use plumbing::{Clock, Random, Shutdown};
use tokio::sync::mpsc;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACERESPONSE: HeaderName = HeaderName::from_static("traceresponse");
/// How long spans are gathered before they are written.
const GATHERED_FOR: Duration = Duration::from_secs(1);
/// Spans that may wait to be written; more are given up.
const WAITING_MAX: usize = 10_000;
/// A path is kept up to here.
const PATH_CHARS_MAX: usize = 512;
/// OTLP's number of the kind "server".
const KIND_SERVER: i32 = 2;
/// OTLP's number of the status "error".
const STATUS_ERROR: i32 = 2;

/// What may be chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnSpansOptions {
    /// The name of the service.
    pub service: String,
    /// Spans a second, at most.
    pub per_second: f64,
    /// Whose spans they are where a request is nobody's.
    pub tenant: TenantId,
}

/// Makes spans of requests.
#[derive(Debug)]
pub struct OwnSpans {
    /// Whose spans they are where a request is nobody's.
    tenant: TenantId,
    allowance: Mutex<Allowance>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    waiting: mpsc::Sender<OwnSpan>,
}

/// Writes them; see [`OwnSpansWriter::run`].
#[derive(Debug)]
pub struct OwnSpansWriter {
    service: String,
    writer: Arc<dyn SpanWriter>,
    waiting: mpsc::Receiver<OwnSpan>,
}

#[derive(Debug)]
struct OwnSpan {
    tenant: TenantId,
    context: Context,
    parent: SpanId,
    method: Method,
    route: String,
    path: String,
    status: u16,
    start: u64,
    end: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Context {
    trace_id: TraceId,
    span_id: SpanId,
    is_recorded: bool,
}

/// How many spans may still be made; grows with time.
#[derive(Debug)]
struct Allowance {
    per_second: f64,
    spans: f64,
    at_nanos: u64,
}

impl Allowance {
    fn take(&mut self, now_nanos: u64) -> bool {
        let passed = Duration::from_nanos(now_nanos.saturating_sub(self.at_nanos));
        self.at_nanos = now_nanos;
        let most = self.per_second.max(1.0);
        self.spans = (self.spans + passed.as_secs_f64() * self.per_second).min(most);
        let is_enough = self.spans >= 1.0;
        if is_enough {
            self.spans -= 1.0;
        }
        is_enough
    }
}

impl OwnSpans {
    /// Makes both ends: what makes spans, and what writes them.
    #[must_use]
    pub fn new(
        options: OwnSpansOptions,
        writer: Arc<dyn SpanWriter>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> (Arc<Self>, OwnSpansWriter) {
        let (sender, waiting) = mpsc::channel(WAITING_MAX);
        let allowance = Allowance {
            per_second: options.per_second,
            spans: options.per_second.max(1.0),
            at_nanos: clock.monotonic_nanos(),
        };
        let own = Self {
            tenant: options.tenant,
            allowance: Mutex::new(allowance),
            clock,
            random,
            waiting: sender,
        };
        let writer = OwnSpansWriter {
            service: options.service,
            writer,
            waiting,
        };
        (Arc::new(own), writer)
    }

    /// Makes spans of the requests that a router answers.
    pub fn over(self: &Arc<Self>, router: Router) -> Router {
        let own = Arc::clone(self);
        router.layer(axum::middleware::from_fn_with_state(own, record))
    }

    /// The context of a request, and the span that it comes from.
    fn begin(&self, headers: &HeaderMap) -> (Context, SpanId) {
        let span_id = SpanId::from_number(self.random.next_u64().max(1));
        let given = headers
            .get(TRACEPARENT)
            .and_then(|value| value.to_str().ok());
        let (trace_id, parent, is_wanted) = given.and_then(parse).unwrap_or_else(|| {
            let [high, low] = [self.random.next_u64(), self.random.next_u64().max(1)];
            let id = (u128::from(high) << 64) | u128::from(low);
            (TraceId(id.to_be_bytes()), SpanId::ZERO, true)
        });
        let is_recorded = is_wanted && {
            let mut allowance = self
                .allowance
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            allowance.take(self.clock.monotonic_nanos())
        };
        let context = Context {
            trace_id,
            span_id,
            is_recorded,
        };
        (context, parent)
    }
}

/// Reads a `traceparent`: the trace, the span, and whether it is recorded.
fn parse(text: &str) -> Option<(TraceId, SpanId, bool)> {
    let mut parts = text.split('-');
    let (version, trace, span, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_lower_hex = |part: &str, length: usize| {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        part.len() == length && part.bytes().all(is_digit)
    };
    let is_known = is_lower_hex(version, 2) && version != "ff";
    // The first version has four parts; later ones may have more.
    let is_whole = version != "00" || parts.next().is_none();
    if !is_known
        || !is_whole
        || !is_lower_hex(trace, 32)
        || !is_lower_hex(span, 16)
        || !is_lower_hex(flags, 2)
    {
        return None;
    }
    let (trace_id, span_id) = (TraceId::parse(trace).ok()?, SpanId::parse(span).ok()?);
    let flags = u8::from_str_radix(flags, 16).ok()?;
    (!trace_id.is_zero() && !span_id.is_zero()).then_some((trace_id, span_id, flags & 1 == 1))
}

/// Tells whether requests of a route become spans: those of Jaeger's API, not what the app asks or loads.
fn is_recorded(route: &str) -> bool {
    route.contains("/api/") && !route.contains("/api/ui/") && !route.contains('*')
}

/// Passes a request on and makes a span of it.
async fn record(
    State(own): State<Arc<OwnSpans>>,
    matched: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let Some(route) = matched.filter(|route| is_recorded(route.as_str())) else {
        return next.run(request).await;
    };
    let tenant = request.extensions().get::<TenantId>();
    let tenant = tenant.unwrap_or(&own.tenant).clone();
    let (context, parent) = own.begin(request.headers());
    let (method, start) = (request.method().clone(), own.clock.unix_nanos());
    let path: String = request.uri().path().chars().take(PATH_CHARS_MAX).collect();
    let mut response = next.run(request).await;
    let flags = u8::from(context.is_recorded);
    let header = format!("00-{}-{}-{flags:02x}", context.trace_id, context.span_id);
    if let Ok(value) = HeaderValue::from_str(&header) {
        response.headers_mut().insert(TRACERESPONSE, value);
    }
    if context.is_recorded {
        let span = OwnSpan {
            tenant,
            context,
            parent,
            method,
            route: route.as_str().to_owned(),
            path,
            status: response.status().as_u16(),
            start,
            end: own.clock.unix_nanos(),
        };
        // Full: the writer is behind, and these spans are the first to be given up.
        let _given_up = own.waiting.try_send(span);
    }
    response
}

impl OwnSpansWriter {
    /// Writes what comes, a second's spans at once, until the stop and what came before it.
    pub async fn run(mut self, stop: Shutdown) {
        loop {
            let is_stopping = tokio::time::timeout(GATHERED_FOR, stop.begun())
                .await
                .is_ok();
            let mut waiting: BTreeMap<TenantId, Vec<OwnSpan>> = BTreeMap::new();
            while let Ok(span) = self.waiting.try_recv() {
                waiting.entry(span.tenant.clone()).or_default().push(span);
            }
            for (tenant, spans) in waiting {
                self.write(tenant, &spans).await;
            }
            if is_stopping {
                return;
            }
        }
    }

    async fn write(&self, tenant: TenantId, spans: &[OwnSpan]) {
        let batch = batch(&self.service, spans);
        let otlp = Bytes::from(codec::otlp::encode_proto(&batch));
        let incoming = IncomingBatch {
            tenant,
            batch,
            otlp,
        };
        if let Err(error) = self.writer.write(incoming).await {
            tracing::debug!(%error, spans = spans.len(), "own spans were given up");
        }
    }
}

fn batch(service: &str, spans: &[OwnSpan]) -> SpanBatch {
    let mut builder = BatchBuilder::new();
    let version = env!("CARGO_PKG_VERSION").as_bytes();
    let mut cursor = builder.begin_attributes();
    let text = |text: &'static str| PackedValue::String(text.as_bytes());
    builder.push_attribute(
        &mut cursor,
        b"service.name",
        PackedValue::String(service.as_bytes()),
    );
    builder.push_attribute(
        &mut cursor,
        b"service.version",
        PackedValue::String(version),
    );
    builder.push_attribute(&mut cursor, b"telemetry.sdk.language", text("rust"));
    let attributes = builder.finish_attributes(cursor);
    let resource = builder.add_resource(ResourceRow {
        is_present: true,
        attributes,
        ..ResourceRow::default()
    });
    let (name, version) = (builder.intern(b"trackway.serve"), builder.intern(version));
    let scope = builder.add_scope(ScopeRow {
        is_present: true,
        name,
        version,
        ..ScopeRow::default()
    });
    for span in spans {
        let mut cursor = builder.begin_attributes();
        let method = span.method.as_str();
        builder.push_attribute(
            &mut cursor,
            b"http.request.method",
            PackedValue::String(method.as_bytes()),
        );
        builder.push_attribute(
            &mut cursor,
            b"url.path",
            PackedValue::String(span.path.as_bytes()),
        );
        builder.push_attribute(
            &mut cursor,
            b"http.route",
            PackedValue::String(span.route.as_bytes()),
        );
        let status = PackedValue::Int(i64::from(span.status));
        builder.push_attribute(&mut cursor, b"http.response.status_code", status);
        let attributes = builder.finish_attributes(cursor);
        let name = format!("{method} {}", span.route);
        let name = builder.intern(name.as_bytes());
        builder.push_span(SpanRow {
            trace_id: span.context.trace_id,
            span_id: span.context.span_id,
            parent_span_id: span.parent,
            name,
            kind: KIND_SERVER,
            start: span.start,
            end: span.end,
            status: if span.status >= 500 { STATUS_ERROR } else { 0 },
            flags: 1,
            resource,
            scope,
            attributes,
            ..SpanRow::default()
        });
    }
    builder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_is_read_as_w3c_says() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let (trace, span, is_recorded) = parse(good).unwrap();
        assert_eq!(trace.to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(
            (span.to_string().as_str(), is_recorded),
            ("b7ad6b7169203331", true)
        );
        let unsampled = good.replace("-01", "-fe");
        assert!(!parse(&unsampled).unwrap().2);
        assert!(parse(&good.replace("00-", "cc-")).is_some());
        assert!(parse(&format!("{}-more", good.replace("00-", "01-"))).is_some());
        for wrong in [
            "",
            "00",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01",
        ] {
            assert!(parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn no_more_spans_are_allowed_than_asked_for() {
        let mut allowance = Allowance {
            per_second: 2.0,
            spans: 2.0,
            at_nanos: 0,
        };
        let mut taken = 0;
        for tick in 0..1_000_u64 {
            taken += u32::from(allowance.take(tick * 10_000_000));
        }
        assert!((20..=22).contains(&taken), "{taken}");
        let mut seldom = Allowance {
            per_second: 0.1,
            spans: 1.0,
            at_nanos: 0,
        };
        assert!(seldom.take(0) && !seldom.take(5_000_000_000) && seldom.take(10_000_000_000));
    }
}
