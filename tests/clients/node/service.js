// The service "prices" of the system tests: answers the shop's front, instrumented with the stock OpenTelemetry SDK.
//
// It answers GET /price (which asks the front for the stock in turn) and GET /flush (which returns once every span was
// exported). Everything it exports it also writes, as the SDK saw it, to the file of records: one span a line.
// The test compares those records with what Trackway returns.
//
//     service.js --transport grpc|http-protobuf|http-json --endpoint URL --records FILE
//
// The first line on standard output is its port. NODE_PATH names the folder of the installed packages.

"use strict";

const fs = require("node:fs");
const http = require("node:http");
const { parseArgs } = require("node:util");

const { context, propagation, SpanKind, SpanStatusCode, TraceFlags } = require("@opentelemetry/api");
const { ExportResultCode, W3CTraceContextPropagator } = require("@opentelemetry/core");
const { defaultResource, resourceFromAttributes } = require("@opentelemetry/resources");
const { BatchSpanProcessor, SimpleSpanProcessor } = require("@opentelemetry/sdk-trace-base");
const { NodeTracerProvider } = require("@opentelemetry/sdk-trace-node");

const TIMEOUT_MS = 30_000;
const EXPORTERS = {
  grpc: ["@opentelemetry/exporter-trace-otlp-grpc", ""],
  "http-protobuf": ["@opentelemetry/exporter-trace-otlp-proto", "/v1/traces"],
  "http-json": ["@opentelemetry/exporter-trace-otlp-http", "/v1/traces"],
};

const { values: flags } = parseArgs({
  options: { transport: { type: "string" }, endpoint: { type: "string" }, records: { type: "string" } },
});

function exporter() {
  const [module, path] = EXPORTERS[flags.transport];
  const { OTLPTraceExporter } = require(module);
  return new OTLPTraceExporter({ url: flags.endpoint + path, timeoutMillis: TIMEOUT_MS });
}

// Writes an attribute value with its type; numbers as text, so that no digit is lost on the way.
function value(native) {
  if (Array.isArray(native)) {
    return { type: "array", value: native.map(value) };
  }
  if (typeof native === "number") {
    return { type: Number.isInteger(native) ? "int64" : "float64", value: String(native) };
  }
  return { type: typeof native === "boolean" ? "bool" : "string", value: native };
}

function attributes(native) {
  return Object.entries(native ?? {}).map(([key, item]) => ({ key, ...value(item) }));
}

function nanos([seconds, rest]) {
  return String(BigInt(seconds) * 1_000_000_000n + BigInt(rest));
}

function record(span) {
  const own = span.spanContext();
  return {
    trace_id: own.traceId,
    span_id: own.spanId,
    parent_span_id: span.parentSpanContext?.spanId ?? null,
    trace_state: own.traceState?.serialize() ?? "",
    name: span.name,
    kind: SpanKind[span.kind].toLowerCase(),
    start_ns: nanos(span.startTime),
    end_ns: nanos(span.endTime),
    attributes: attributes(span.attributes),
    events: span.events.map((event) => ({
      name: event.name,
      time_ns: nanos(event.time),
      attributes: attributes(event.attributes),
    })),
    links: span.links.map((link) => ({ trace_id: link.context.traceId, span_id: link.context.spanId })),
    status: { code: SpanStatusCode[span.status.code].toLowerCase(), message: span.status.message ?? "" },
    resource: attributes(span.resource.attributes),
    scope: { name: span.instrumentationScope.name, version: span.instrumentationScope.version ?? "" },
  };
}

// A second exporter beside the stock one: keeps what the service sent.
class Recorder {
  export(spans, done) {
    fs.appendFileSync(flags.records, spans.map((span) => JSON.stringify(record(span)) + "\n").join(""));
    done({ code: ExportResultCode.SUCCESS });
  }
  async forceFlush() {}
  async shutdown() {}
}

const resource = defaultResource().merge(
  resourceFromAttributes({ "service.name": "prices", "service.instance.id": "prices-1", "shop.shard": 8 }),
);
const provider = new NodeTracerProvider({
  resource,
  spanProcessors: [new SimpleSpanProcessor(new Recorder()), new BatchSpanProcessor(exporter())],
});
provider.register({ propagator: new W3CTraceContextPropagator() });
const tracer = provider.getTracer("shop.prices", "2.0.0");

// Runs `work` in a span that is the current one, and ends it.
async function within(name, options, work) {
  return tracer.startActiveSpan(name, options, async (span) => {
    try {
      return await work(span);
    } finally {
      span.end();
    }
  });
}

// Asks another service, as a span of kind client whose context travels along.
function call(url) {
  return within("GET", { kind: SpanKind.CLIENT, attributes: { "url.full": url } }, async (span) => {
    const headers = {};
    propagation.inject(context.active(), headers);
    const answer = await fetch(url, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
    span.setAttribute("http.response.status_code", answer.status);
    return answer.json();
  });
}

async function price(other) {
  await within("look up price", {}, async (span) => {
    span.setAttributes({
      "price.cents": 1299,
      "price.negative": -5,
      "price.safe.max": Number.MAX_SAFE_INTEGER,
      "price.factor": 1.0625,
      "price.tiny": 1e-7,
      "price.cached": false,
      "price.currency": "€ – ¥ – 🪙",
      "price.rules": ["summer", "line\nbreak"],
      "price.steps": [1, 2, 3],
      "price.empty": "",
    });
    span.addEvent("cache miss", { "cache.key": "tea", "cache.size": 12, "cache.ratio": 0.5 });
    const earlier = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };
    span.addLink({ context: { ...earlier, traceFlags: TraceFlags.SAMPLED }, attributes: { why: "computed there" } });
    span.setStatus({ code: SpanStatusCode.OK });
  });
  await within("ask supplier", { kind: SpanKind.CLIENT }, async (span) => {
    span.recordException(new Error("supplier is closed"));
    span.setStatus({ code: SpanStatusCode.ERROR, message: "supplier is closed" });
  });
  return { cents: 1299, stock: await call(other + "/stock") };
}

async function answer(request, response) {
  const url = new URL(request.url, "http://localhost");
  let body;
  if (url.pathname === "/flush") {
    await provider.forceFlush();
    body = { ok: true };
  } else {
    const parent = propagation.extract(context.active(), request.headers);
    const start = { kind: SpanKind.SERVER, attributes: { "http.request.method": "GET", "url.path": url.pathname } };
    body = await context.with(parent, () =>
      within(`GET ${url.pathname}`, start, async (span) => {
        const result = await price(url.searchParams.get("other"));
        span.setAttribute("http.response.status_code", 200);
        return result;
      }),
    );
  }
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
}

const server = http.createServer((request, response) => {
  answer(request, response).catch((error) => response.writeHead(500).end(String(error?.stack ?? error)));
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
// The test holds the other end: when it is gone, so is this service.
process.stdin.resume().on("end", () => process.exit(0));
