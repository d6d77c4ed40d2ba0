"""Reads one trace over gRPC as clients of Jaeger's query service do, by both versions of the API.

    query.py ADDRESS TRACE_ID

Writes one JSON object: the names of the spans that each version gave, the spans with what is known of each under
"spans", and what the health check says. The messages of version 2 have no stock package for Python, so their fields
are picked out of their bytes.
"""

import json
import sys

import grpc
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status, TracesData

TIMEOUT_SECONDS = 30


def varint(data, at):
    number = shift = 0
    while True:
        byte = data[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number, at


def fields(data):
    """The fields of a message: number and content."""
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        if tag & 7 == 0:
            content, at = varint(data, at)
        else:
            length, at = (8, at) if tag & 7 == 1 else varint(data, at)
            content, at = data[at : at + length], at + length
        yield tag >> 3, content


def text_field(number, data):
    return bytes([number << 3 | 2, len(data)]) + data


def known(name, span_id, parent, service, kind, is_error):
    parent = parent.hex() if any(parent) else None
    return {"name": name, "id": span_id.hex(), "parent": parent, "service": service, "kind": kind, "error": is_error}


def of_version_2(data):
    """A span: 2 is its id, 3 its name, 4 its references, 8 its tags, 10 its process."""
    span = list(fields(data))
    of = {number: content for number, content in span}
    references = [dict(fields(content)) for number, content in span if number == 4]
    # Type 0, which is not written, is "child of".
    parents = [reference[2] for reference in references if reference.get(3, 0) == 0]
    tags = [dict(fields(content)) for number, content in span if number == 8]
    texts = {tag[1]: tag[3].decode() for tag in tags if 3 in tag}
    service = dict(fields(of[10]))[1].decode()
    is_error = texts.get(b"otel.status_code") == "ERROR"
    return known(of[3].decode(), of[2], b"".join(parents), service, texts.get(b"span.kind"), is_error)


def of_version_3(resource, span):
    services = [pair.value.string_value for pair in resource.attributes if pair.key == "service.name"]
    kind = Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower()
    is_error = span.status.code == Status.STATUS_CODE_ERROR
    return known(span.name, span.span_id, span.parent_span_id, "".join(services), kind, is_error)


def main():
    address, trace_id = sys.argv[1:]
    with grpc.insecure_channel(address) as channel:

        def ask(method, request):
            call = channel.unary_stream(method, request_serializer=bytes, response_deserializer=bytes)
            return list(call(request, timeout=TIMEOUT_SECONDS))

        chunks = ask("/jaeger.api_v2.QueryService/GetTrace", text_field(1, bytes.fromhex(trace_id)))
        spans = [span for chunk in chunks for number, span in fields(chunk) if number == 1]
        v2 = [of_version_2(span) for span in spans]
        messages = ask("/jaeger.api_v3.QueryService/GetTrace", text_field(1, trace_id.encode()))
        traces = [TracesData.FromString(message) for message in messages]
        resources = [resource for data in traces for resource in data.resource_spans]
        scopes = [(of.resource, scope) for of in resources for scope in of.scope_spans]
        v3 = [of_version_3(resource, span) for resource, scope in scopes for span in scope.spans]
        [health] = ask("/grpc.health.v1.Health/Check", text_field(1, b"jaeger.api_v3.QueryService"))
        try:
            ask("/jaeger.api_v2.QueryService/GetTrace", text_field(1, bytes([7]) * 16))
            absent = "OK"
        except grpc.RpcError as error:
            absent = f"{error.code().name}: {error.details()}"
    names = {"v2": [span["name"] for span in v2], "v3": [span["name"] for span in v3]}
    spans = {"v2": v2, "v3": v3}
    print(json.dumps({**names, "spans": spans, "health": health.hex(), "absent": absent}))


main()
