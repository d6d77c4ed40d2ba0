// A service with the stock OpenTelemetry SDK whose sampler asks Trackway what to record.
//
//     sampled.js --sampling URL --every MILLISECONDS
//
// For each line on standard input, the name of an operation, it begins a hundred traces of it and prints a line of
// JSON: how many of them it records, and how often it has asked so far what to record.
// NODE_PATH names the folder of the installed packages.

"use strict";

const readline = require("node:readline");
const { parseArgs } = require("node:util");

const { AlwaysOffSampler, NodeTracerProvider } = require("@opentelemetry/sdk-trace-node");
const { JaegerRemoteSampler } = require("@opentelemetry/sampler-jaeger-remote");

const TRACES = 100;

const { values: flags } = parseArgs({ options: { sampling: { type: "string" }, every: { type: "string" } } });

// Counts the answers that the sampler has taken: the next question begins only after that.
let asked = 0;
const plainFetch = globalThis.fetch;
globalThis.fetch = async (...request) => {
  asked += 1;
  return plainFetch(...request);
};

const sampler = new JaegerRemoteSampler({
  endpoint: flags.sampling,
  serviceName: "prices",
  initialSampler: new AlwaysOffSampler(),
  poolingInterval: Number(flags.every),
});
const tracer = new NodeTracerProvider({ sampler }).getTracer("shop.prices", "2.0.0");

readline.createInterface({ input: process.stdin }).on("line", (operation) => {
  let recorded = 0;
  for (let number = 0; number < TRACES; number += 1) {
    const span = tracer.startSpan(operation, { root: true });
    recorded += span.isRecording() ? 1 : 0;
    span.end();
  }
  console.log(JSON.stringify({ recorded, asked }));
}).on("close", () => process.exit(0));
