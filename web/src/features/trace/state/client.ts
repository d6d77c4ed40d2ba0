// The trace worker of this page: started once, when the page of traces is fetched. Tests give one that needs no worker.

import { startTraceWorker, type TraceClient } from '../../../worker/client.ts';

let start: () => TraceClient = startTraceWorker;
let client: TraceClient | null = null;

export function traceClient(): TraceClient {
  client ??= start();
  return client;
}

/** Starts it before the first question: that takes as long as a small trace does. */
export function warmTraceClient(): void {
  if (typeof Worker === 'function') traceClient();
}

/** A worker that fell over is started anew with the next question. */
export function dropTraceClient(): void {
  client?.close();
  client = null;
}

export function provideTraceClient(starter: () => TraceClient): void {
  client = null;
  start = starter;
}
