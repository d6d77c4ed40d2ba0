"""Sends one trace by each of the clients that came before OpenTelemetry, and by OpenTelemetry's Zipkin exporters.

For each it prints a line of JSON: which client, the trace's id, and its spans as the client knows them (name, id,
parent, kind). Each trace is a server span with a client span below it, which failed.
"""

import argparse
import json
import multiprocessing
import time

PARENT, CHILD = "GET /orders", "SELECT orders"


def say(client, trace_id, service, spans):
    print(json.dumps({"client": client, "traceId": trace_id, "service": service, "spans": spans}), flush=True)


def failed(span_id, parent_id):
    return {"name": CHILD, "id": span_id, "parent": parent_id, "kind": "client", "error": True}


def jaeger(port, is_128):
    from jaeger_client import Config

    settings = {
        "sampler": {"type": "const", "param": 1},
        "local_agent": {"reporting_host": "127.0.0.1", "reporting_port": port},
        "generate_128bit_trace_id": is_128,
        "reporter_flush_interval": 0.1,
        "logging": False,
    }
    service = f"python-jaeger-{128 if is_128 else 64}"
    tracer = Config(config=settings, service_name=service, validate=True).new_tracer()
    parent = tracer.start_span(PARENT, tags={"span.kind": "server", "http.status_code": 200, "ratio": 0.5})
    child = tracer.start_span(CHILD, child_of=parent, tags={"span.kind": "client", "error": True, "rows": 3})
    child.log_kv({"event": "retry", "attempt": 2})
    child.finish()
    parent.finish()
    spans = [
        {"name": PARENT, "id": f"{parent.span_id:016x}", "parent": None, "kind": "server"},
        failed(f"{child.span_id:016x}", f"{parent.span_id:016x}"),
    ]
    say(service, f"{parent.trace_id:032x}", service, spans)
    tracer.close()
    time.sleep(0.5)


def py_zipkin(address, encoding):
    from py_zipkin import Encoding, Kind
    from py_zipkin.transport import SimpleHTTPTransport
    from py_zipkin.zipkin import zipkin_span

    host, port = address.rsplit(":", 1)
    service = f"py-zipkin-{encoding}"
    transport = SimpleHTTPTransport(host, int(port))
    known = []
    with zipkin_span(
        service_name=service,
        span_name=PARENT,
        transport_handler=transport,
        sample_rate=100.0,
        encoding=Encoding[encoding],
        kind=Kind.SERVER,
        use_128bit_trace_id=True,
    ) as parent:
        at = parent.zipkin_attrs
        tags = {"rows": "3", "error": "timeout"}
        with zipkin_span(
            service_name=service, span_name=CHILD, kind=Kind.CLIENT, binary_annotations=tags
        ) as child:
            inner = child.zipkin_attrs
        known.append({"name": PARENT, "id": at.span_id, "parent": None, "kind": "server"})
        known.append(failed(inner.span_id, at.span_id))
        trace_id = at.trace_id
    say(service, trace_id.rjust(32, "0"), service, known)


def opentelemetry(address, kind):
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.trace import SpanKind, Status, StatusCode

    endpoint = f"http://{address}/api/v2/spans"
    if kind == "json":
        from opentelemetry.exporter.zipkin.json import ZipkinExporter

        exporter = ZipkinExporter(endpoint=endpoint)
    else:
        from opentelemetry.exporter.zipkin.proto.http import ZipkinExporter

        exporter = ZipkinExporter(endpoint=endpoint)
    service = f"otel-zipkin-{kind}"
    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("orders", "1.0")
    with tracer.start_as_current_span(PARENT, kind=SpanKind.SERVER) as parent:
        with tracer.start_as_current_span(CHILD, kind=SpanKind.CLIENT, attributes={"rows": 3}) as child:
            child.add_event("retry", {"attempt": 2})
            child.set_status(Status(StatusCode.ERROR, "timeout"))
    outer, inner = parent.get_span_context(), child.get_span_context()
    spans = [
        {"name": PARENT, "id": f"{outer.span_id:016x}", "parent": None, "kind": "server"},
        failed(f"{inner.span_id:016x}", f"{outer.span_id:016x}"),
    ]
    say(service, f"{outer.trace_id:032x}", service, spans)
    provider.shutdown()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--compact", type=int, required=True, help="port of Jaeger's compact datagrams")
    parser.add_argument("--zipkin", required=True, help="address of the Zipkin port")
    given = parser.parse_args()
    jaeger(given.compact, False)
    jaeger(given.compact, True)
    for encoding in ("V1_JSON", "V2_JSON"):
        py_zipkin(given.zipkin, encoding)
    opentelemetry(given.zipkin, "json")
    # In a process of its own: py-zipkin has the same messages under the same names.
    alone = multiprocessing.get_context("spawn").Process(target=opentelemetry, args=(given.zipkin, "proto"))
    alone.start()
    alone.join()
    if alone.exitcode:
        raise SystemExit(alone.exitcode)


if __name__ == "__main__":
    main()
