"""The service "front" of the system tests: a shop's front, instrumented with the stock OpenTelemetry SDK.

It answers GET /order (which asks the other service for a price), GET /stock (which the other service asks in turn)
and GET /flush (which returns once every span was exported). Everything it exports it also writes, as the SDK saw it,
to the file of records: one span a line. The test compares those records with what Trackway returns.

    service.py --transport grpc|http-protobuf|http-protobuf-gzip --endpoint URL --records FILE

The first line on standard output is its port.
"""

import argparse
import base64
import json
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from opentelemetry import context, trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

TIMEOUT_SECONDS = 30
PROPAGATOR = TraceContextTextMapPropagator()


def exporter(transport, endpoint):
    """Makes the stock exporter for a transport."""
    if transport == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

        return OTLPSpanExporter(endpoint=endpoint, insecure=True, timeout=TIMEOUT_SECONDS)
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    compression = Compression.Gzip if transport == "http-protobuf-gzip" else Compression.NoCompression
    url = endpoint + "/v1/traces"
    return OTLPSpanExporter(endpoint=url, timeout=TIMEOUT_SECONDS, compression=compression)


def value(native):
    """Writes an attribute value with its type; numbers as text, so that no digit is lost on the way."""
    if isinstance(native, bool):
        return {"type": "bool", "value": native}
    if isinstance(native, int):
        return {"type": "int64", "value": str(native)}
    if isinstance(native, float):
        return {"type": "float64", "value": repr(native)}
    if isinstance(native, bytes):
        return {"type": "binary", "value": base64.b64encode(native).decode()}
    if isinstance(native, (list, tuple)):
        return {"type": "array", "value": [value(item) for item in native]}
    return {"type": "string", "value": native}


def attributes(native):
    return [{"key": key, **value(item)} for key, item in (native or {}).items()]


def record(span):
    """Writes a finished span as the SDK holds it."""
    parent = span.parent
    return {
        "trace_id": format(span.context.trace_id, "032x"),
        "span_id": format(span.context.span_id, "016x"),
        "parent_span_id": format(parent.span_id, "016x") if parent else None,
        "trace_state": span.context.trace_state.to_header(),
        "name": span.name,
        "kind": span.kind.name.lower(),
        "start_ns": str(span.start_time),
        "end_ns": str(span.end_time),
        "attributes": attributes(span.attributes),
        "events": [
            {"name": event.name, "time_ns": str(event.timestamp), "attributes": attributes(event.attributes)}
            for event in span.events
        ],
        "links": [
            {"trace_id": format(link.context.trace_id, "032x"), "span_id": format(link.context.span_id, "016x")}
            for link in span.links
        ],
        "status": {"code": span.status.status_code.name.lower(), "message": span.status.description or ""},
        "resource": attributes(span.resource.attributes),
        "scope": {"name": span.instrumentation_scope.name, "version": span.instrumentation_scope.version or ""},
    }


class Recorder(SpanExporter):
    """A second exporter beside the stock one: keeps what the service sent."""

    def __init__(self, path):
        self.file = open(path, "a", encoding="utf-8")
        self.lock = threading.Lock()

    def export(self, spans):
        with self.lock:
            for span in spans:
                self.file.write(json.dumps(record(span)) + "\n")
            self.file.flush()
        return SpanExportResult.SUCCESS

    def shutdown(self):
        self.file.close()


def call(tracer, url):
    """Asks another service, as a span of kind client whose context travels along."""
    with tracer.start_as_current_span("GET", kind=SpanKind.CLIENT, attributes={"url.full": url}) as span:
        headers = {}
        PROPAGATOR.inject(headers)
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=TIMEOUT_SECONDS) as answer:
            span.set_attribute("http.response.status_code", answer.status)
            return json.load(answer)


def order(tracer, other, own):
    """Takes an order: one span of every kind, attributes of every type, events, links, both statuses."""
    with tracer.start_as_current_span("check basket") as span:
        span.set_attributes(
            {
                "basket.items": 3,
                "basket.items.max": 9007199254740993,
                "basket.id": -9223372036854775808,
                "basket.weight.kg": 2.75,
                "basket.discount": 0.1 + 0.2,
                "basket.tiny": 5e-324,
                "basket.whole": 4.0,
                "basket.gift": True,
                "basket.insured": False,
                "basket.note": "Grüße, 漢字, 🛒, \"quoted\"\n\tand a tab, <b>&amp;</b>",
                "basket.empty": "",
                "basket.long": "lorem ipsum " * 1000,
                "basket.names": ["tea", "milk \"2 %\"", ""],
                "basket.counts": [1, -2, 9007199254740993],
                "basket.prices": [0.5, 2.25],
                "basket.flags": [True, False],
                "basket.nothing": [],
                "key with blanks & <marks>": "kept",
            }
        )
        span.add_event("basket checked", {"checks": 4, "ok": True, "ratio": 0.25, "names": ["a", "b"]})
        span.add_event("nothing to say")
        span.add_event("named twice", {"event": "the attribute wins"})
        span.set_status(Status(StatusCode.OK))
    earlier = SpanContext(0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331, True, TraceFlags(1))
    other_link = SpanContext(0x0000000000000000A1B2C3D4E5F60718, 0x00F067AA0BA902B7, True, TraceFlags(0))
    links = [Link(earlier, {"why": "the same customer"}), Link(other_link)]
    with tracer.start_as_current_span("publish order", kind=SpanKind.PRODUCER, links=links) as span:
        span.set_attribute("messaging.system", "none")
    with tracer.start_as_current_span("take order", kind=SpanKind.CONSUMER, record_exception=False) as span:
        try:
            raise ValueError("card refused: \"4000\"")
        except ValueError as error:
            span.record_exception(error, {"attempt": 1})
            span.set_status(Status(StatusCode.ERROR, "card refused"))
    return {"price": call(tracer, other + "/price?other=" + own), "ok": True}


def handler(tracer, provider):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            url = urlsplit(self.path)
            if url.path == "/flush":
                return self.answer({"ok": provider.force_flush(TIMEOUT_SECONDS * 1000)})
            own = "http://%s:%d" % self.server.server_address[:2]
            other = parse_qs(url.query).get("other", [""])[0]
            token = context.attach(PROPAGATOR.extract(dict(self.headers.items()), getter=Headers()))
            try:
                name = "GET " + url.path
                start = {"http.request.method": "GET", "url.path": url.path}
                with tracer.start_as_current_span(name, kind=SpanKind.SERVER, attributes=start) as span:
                    body = order(tracer, other, own) if url.path == "/order" else {"stock": 12}
                    span.set_attribute("http.response.status_code", 200)
            finally:
                context.detach(token)
            return self.answer(body)

        def answer(self, body):
            body = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    return Handler


class Headers:
    """Reads headers without regard to case, as HTTP wants it."""

    def get(self, carrier, key):
        found = [value for name, value in carrier.items() if name.lower() == key.lower()]
        return found or None

    def keys(self, carrier):
        return list(carrier)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--transport", required=True)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--records", required=True)
    flags = parser.parse_args()
    resource = Resource.create(
        {"service.name": "front", "service.version": "1.2.3", "shop.shard": 7, "shop.regions": ["eu", "us"]}
    )
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(SimpleSpanProcessor(Recorder(flags.records)))
    provider.add_span_processor(BatchSpanProcessor(exporter(flags.transport, flags.endpoint)))
    tracer = provider.get_tracer("shop.front", "0.4.0", attributes={"scope.attribute": "lost by Jaeger's model"})
    trace.set_tracer_provider(provider)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(tracer, provider))
    server.daemon_threads = True
    print(server.server_address[1], flush=True)
    # The test holds the other end: when it is gone, so is this service.
    threading.Thread(target=lambda: (sys.stdin.read(), server.shutdown()), daemon=True).start()
    server.serve_forever()
    provider.shutdown()


if __name__ == "__main__":
    main()
