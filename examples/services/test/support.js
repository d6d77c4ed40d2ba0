// Starts what the tests need: the two services and Trackway, all as real processes on free ports.
//
// Promises: what was started is ended with the test, by its own process id. Nothing waits for a guessed time; `until`
// waits for a condition and says which one did not come true.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const TEST = { timeout: 60_000 };
const HOME = dirname(dirname(fileURLToPath(import.meta.url)));
const WAIT_MS_MAX = 20_000;
const POLL_MS = 20;
const LISTENERS = [
  'otlp_grpc', 'otlp_http', 'jaeger_http', 'jaeger_grpc', 'jaeger_compact', 'jaeger_binary', 'zipkin', 'query_http',
  'query_grpc', 'sampling_http', 'sampling_grpc', 'admin', 'health',
];

export const TRACKWAY_BIN = process.env.TRACKWAY_BIN;
const IS_CI = !['', '0', 'false'].includes(process.env.CI ?? '');

/** A test that needs Trackway: without it skipped by name at home, and a failure in CI. */
export function testWithTrackway(name, body) {
  test(name, TEST, async (t) => {
    if (TRACKWAY_BIN) return body(t);
    const why = 'TRACKWAY_BIN does not say where the program is';
    if (IS_CI) throw new Error(why);
    console.log(`SKIPPED ${name}: ${why}`);
    t.skip(why);
  });
}

/** Waits until `look` gives something, and returns that. */
export async function until(what, look, msMax = WAIT_MS_MAX) {
  const deadline = performance.now() + msMax;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (performance.now() > deadline) throw new Error(`not after ${msMax} ms: ${what}`);
    await sleep(POLL_MS);
  }
}

/** The environment of a child: nothing of what the person who runs the tests has set for other programs. */
function environment(more) {
  const own = /^(OTEL_|TRACKWAY_|NODE_|SERVICE_B_URL$|PORT$|HOST$|LOG_LEVEL$)/;
  const kept = Object.entries(process.env).filter(([name]) => !own.test(name));
  return { ...Object.fromEntries(kept), ...more };
}

/** A process whose output is kept. */
class Program {
  constructor(command, flags, env = {}) {
    this.output = '';
    this.child = spawn(command, flags, { cwd: HOME, env: environment(env), stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        this.output += text;
      });
    }
    // "close" comes after "exit", when all of the output is there.
    this.ended = once(this.child, 'close').then(([code, signal]) => code ?? signal);
    this.ended.then((how) => {
      this.how = how;
    });
  }

  async untilItSays(what, look) {
    return until(what, () => {
      const found = look();
      if (!found && this.how !== undefined) throw new Error(`ended with ${this.how} before ${what}:\n${this.output}`);
      return found;
    });
  }

  /** Sends a signal and waits for the end: how it ended, and after how many milliseconds. */
  async end(signal = 'SIGKILL') {
    const begin = performance.now();
    if (this.how === undefined) this.child.kill(signal);
    const code = await this.ended;
    return { code, ms: performance.now() - begin };
  }
}

/** Service A or B. */
export class Service extends Program {
  static async start(name, env = {}, flags = ['--import', './tracing.js']) {
    const service = new Service(process.execPath, [...flags, `${name}.js`], {
      PORT: '0',
      OTEL_BSP_SCHEDULE_DELAY: '50',
      ...env,
    });
    try {
      const line = await service.untilItSays('it listens', () => service.log().find(({ msg }) => msg === 'listening'));
      service.url = line.url;
      return service;
    } catch (error) {
      await service.end();
      throw error;
    }
  }

  /** The lines of its log that are complete. */
  log() {
    return this.output.split('\n').slice(0, -1).flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
  }

  async get(path) {
    const answer = await fetch(this.url + path);
    return { status: answer.status, body: await answer.json(), traceId: answer.headers.get('x-trace-id') };
  }
}

/** Any other script of this folder. */
export function script(name, ...flags) {
  return new Program(process.execPath, [name, ...flags]);
}

/** The real Trackway on a folder of its own. */
export class Trackway extends Program {
  static async start(flags = []) {
    const folder = await mkdtemp(join(tmpdir(), 'trackway-services-'));
    const file = join(folder, 'addresses');
    // The last --set of a key counts.
    const set = [...LISTENERS.map((name) => `listen.${name}=0`), 'own_spans.per_second=off', ...flags];
    const trackway = new Trackway(TRACKWAY_BIN, [
      '--data-dir', join(folder, 'data'), '--addresses-file', file, ...set.flatMap((pair) => ['--set', pair]),
    ]);
    trackway.folder = folder;
    let text = '';
    try {
      await until('Trackway is ready', async () => {
        if (trackway.how !== undefined) throw new Error(`Trackway ended with ${trackway.how}:\n${trackway.output}`);
        text = await readFile(file, 'utf8').catch(() => '');
        return text.endsWith('\n');
      });
    } catch (error) {
      await trackway.end();
      throw error;
    }
    trackway.addresses = JSON.parse(text);
    return trackway;
  }

  /** What a service is told, so that it sends its spans here. */
  get env() {
    return { OTEL_EXPORTER_OTLP_ENDPOINT: `http://${this.addresses.otlp_http}` };
  }

  async end(signal) {
    const how = await super.end(signal);
    await rm(this.folder, { recursive: true, force: true });
    return how;
  }

  /** Asks Jaeger's API; an error is an answer without traces. */
  async ask(path) {
    const answer = await fetch(`http://${this.addresses.query_http}${path}`);
    return (await answer.json()).data ?? [];
  }

  /** The spans of a trace by name, once there are so many of them. */
  async trace(id, spans) {
    const [trace] = await until(`trace ${id} has ${spans} spans`, async () => {
      const traces = await this.ask(`/api/traces/${id}`);
      return traces[0]?.spans.length >= spans && traces;
    });
    return new Trace(trace);
  }
}

/** A trace as Jaeger's API gives it, in words that tests can be read in. */
export class Trace {
  constructor({ traceID, spans, processes }) {
    this.id = traceID;
    this.spans = spans.map((span) => ({
      id: span.spanID,
      name: span.operationName,
      service: processes[span.processID].serviceName,
      parent: span.references.find(({ refType }) => refType === 'CHILD_OF')?.spanID,
      begin: span.startTime,
      end: span.startTime + span.duration,
      tags: fieldsOf(span.tags),
      events: span.logs.map(({ fields }) => fieldsOf(fields)),
    }));
  }

  /** The only span of this name. */
  span(name, service = 'service-a') {
    const found = this.spans.filter((span) => span.name === name && span.service === service);
    if (found.length !== 1) throw new Error(`${found.length} spans "${name}" of ${service} in\n${this}`);
    return found[0];
  }

  /** The names from a span up to the root, with the services. */
  way(span) {
    const above = span.parent && this.spans.find(({ id }) => id === span.parent);
    return [`${span.service}: ${span.name}`, ...(above ? this.way(above) : span.parent ? ['(missing)'] : [])];
  }

  toString() {
    return this.spans.map((span) => this.way(span).join(' < ')).join('\n');
  }
}

function fieldsOf(list) {
  return Object.fromEntries(list.map(({ key, value }) => [key, value]));
}
