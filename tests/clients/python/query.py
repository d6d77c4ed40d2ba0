"""Reads one trace over gRPC as clients of Jaeger's query service do, by both versions of the API.

    query.py ADDRESS TRACE_ID

Writes one JSON object: the names of the spans that each version gave, and what the health check says. The messages of
version 2 have no stock package for Python, so the names are picked out of their bytes.
"""

import json
import sys

import grpc
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

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


def main():
    address, trace_id = sys.argv[1:]
    with grpc.insecure_channel(address) as channel:

        def ask(method, request):
            call = channel.unary_stream(method, request_serializer=bytes, response_deserializer=bytes)
            return list(call(request, timeout=TIMEOUT_SECONDS))

        chunks = ask("/jaeger.api_v2.QueryService/GetTrace", text_field(1, bytes.fromhex(trace_id)))
        spans = [span for chunk in chunks for number, span in fields(chunk) if number == 1]
        v2 = [content.decode() for span in spans for number, content in fields(span) if number == 3]
        messages = ask("/jaeger.api_v3.QueryService/GetTrace", text_field(1, trace_id.encode()))
        traces = [TracesData.FromString(message) for message in messages]
        scopes = [scope for data in traces for resource in data.resource_spans for scope in resource.scope_spans]
        v3 = [span.name for scope in scopes for span in scope.spans]
        [health] = ask("/grpc.health.v1.Health/Check", text_field(1, b"jaeger.api_v3.QueryService"))
        try:
            ask("/jaeger.api_v2.QueryService/GetTrace", text_field(1, bytes([7]) * 16))
            absent = "OK"
        except grpc.RpcError as error:
            absent = f"{error.code().name}: {error.details()}"
    print(json.dumps({"v2": v2, "v3": v3, "health": health.hex(), "absent": absent}))


main()
