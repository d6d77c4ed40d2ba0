// Sends one trace by each way of Jaeger's own client for Node.js: datagrams with Thrift's binary protocol, and HTTP.
//
//     jaeger.js --binary PORT --http URL
//
// For each it prints a line of JSON: which client, the trace's id, and its spans as the client knows them (name, id,
// parent, kind). Each trace is a server span with a client span below it, which failed.
// NODE_PATH names the folder of the installed packages.

"use strict";

const { parseArgs } = require("node:util");

const { initTracer } = require("jaeger-client");

const PARENT = "GET /orders";
const CHILD = "SELECT orders";

const { values: flags } = parseArgs({ options: { binary: { type: "string" }, http: { type: "string" } } });

function hex(buffer, digits) {
  return buffer.toString("hex").padStart(digits, "0");
}

function send(service, reporter) {
  const config = {
    serviceName: service,
    sampler: { type: "const", param: 1 },
    reporter,
    traceId128bit: service.endsWith("http"),
  };
  const tracer = initTracer(config, {});
  const parent = tracer.startSpan(PARENT, { tags: { "span.kind": "server", "http.status_code": 200, ratio: 0.5 } });
  const tags = { "span.kind": "client", error: true, rows: 3 };
  const child = tracer.startSpan(CHILD, { childOf: parent, tags });
  child.log({ event: "retry", attempt: 2 });
  child.finish();
  parent.finish();
  const of = (span) => hex(span.context().spanId, 16);
  const spans = [
    { name: PARENT, id: of(parent), parent: null, kind: "server" },
    { name: CHILD, id: of(child), parent: of(parent), kind: "client", error: true },
  ];
  const line = { client: service, traceId: hex(parent.context().traceId, 32), service, spans };
  console.log(JSON.stringify(line));
  return new Promise((done) => tracer.close(done));
}

async function main() {
  await send("node-jaeger-binary", { agentHost: "127.0.0.1", agentPort: Number(flags.binary), flushIntervalMs: 50 });
  await send("node-jaeger-http", { collectorEndpoint: `${flags.http}/api/traces`, flushIntervalMs: 50 });
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
