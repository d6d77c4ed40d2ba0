"""Sends one span with OpenTelemetry's stock exporter, over TLS or not, and says whether it was taken.

    export.py grpc|http ENDPOINT SPAN_NAME [HEADER=VALUE ...]

The certificates are those of OpenTelemetry's own variables (OTEL_EXPORTER_OTLP_CERTIFICATE and its like).
Writes one JSON object: {"taken": true, "trace_id": "…"}.
"""

import json
import sys

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult, SimpleSpanProcessor

TIMEOUT_SECONDS = 10


def make_exporter(transport, endpoint, headers):
    if transport == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

        return OTLPSpanExporter(endpoint=endpoint, headers=tuple(headers.items()), timeout=TIMEOUT_SECONDS)
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter(endpoint=endpoint + "/v1/traces", headers=headers, timeout=TIMEOUT_SECONDS)


class Noting(SpanExporter):
    """Notes what the stock exporter answers."""

    def __init__(self, exporter):
        self.exporter = exporter
        self.results = []

    def export(self, spans):
        result = self.exporter.export(spans)
        self.results.append(result)
        return result

    def shutdown(self):
        self.exporter.shutdown()


def main():
    transport, endpoint, name, *pairs = sys.argv[1:]
    headers = dict(pair.split("=", 1) for pair in pairs)
    noting = Noting(make_exporter(transport, endpoint, headers))
    provider = TracerProvider(resource=Resource.create({"service.name": "secure-shop"}))
    provider.add_span_processor(SimpleSpanProcessor(noting))
    span = provider.get_tracer("secure").start_span(name)
    trace_id = format(span.get_span_context().trace_id, "032x")
    span.end()
    taken = noting.results == [SpanExportResult.SUCCESS]
    print(json.dumps({"taken": taken, "trace_id": trace_id}))


if __name__ == "__main__":
    main()
