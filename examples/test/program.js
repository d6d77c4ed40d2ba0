// What the tests of both samples need: real processes on free ports, a Trackway among them, and waiting.
//
// Promises: what was started is ended by its own process id. Nothing waits for a guessed time; `until` waits for a
// condition and says which one did not come true.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

const WAIT_MS_MAX = 20_000;
const POLL_MS = 20;
const LISTENERS = [
  'otlp_grpc', 'otlp_http', 'jaeger_http', 'jaeger_grpc', 'jaeger_compact', 'jaeger_binary', 'zipkin', 'query_http',
  'query_grpc', 'sampling_http', 'sampling_grpc', 'admin', 'health',
];

export const TRACKWAY_BIN = process.env.TRACKWAY_BIN;
const IS_CI = !['', '0', 'false'].includes(process.env.CI ?? '');

/** A test that needs Trackway: without it skipped by name at home, and a failure in CI. */
export function testWithTrackway(name, options, body) {
  test(name, options, async (t) => {
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
  const own = /^(OTEL_|TRACKWAY_|NODE_|[A-Z_]+_URL$|PAYMENT_FAULT$|PORT$|HOST$|LOG_LEVEL$)/;
  const kept = Object.entries(process.env).filter(([name]) => !own.test(name));
  return { ...Object.fromEntries(kept), ...more };
}

/** A process whose output is kept. */
export class Program {
  constructor(folder, command, flags, env = {}) {
    this.output = '';
    this.child = spawn(command, flags, { cwd: folder, env: environment(env), stdio: ['ignore', 'pipe', 'pipe'] });
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

  async untilItSays(what, look, msMax) {
    const orEnded = () => {
      const found = look();
      if (!found && this.how !== undefined) throw new Error(`ended with ${this.how} before ${what}:\n${this.output}`);
      return found;
    };
    return until(what, orEnded, msMax);
  }

  /** Sends a signal and waits for the end: how it ended, and after how many milliseconds. */
  async end(signal = 'SIGKILL') {
    const begin = performance.now();
    if (this.how === undefined) this.child.kill(signal);
    const code = await this.ended;
    return { code, ms: performance.now() - begin };
  }
}

/** The real Trackway on a folder of its own. */
export class Trackway extends Program {
  static async start(flags = [], msMax = WAIT_MS_MAX) {
    const folder = await mkdtemp(join(tmpdir(), 'trackway-sample-'));
    const file = join(folder, 'addresses');
    // The last --set of a key counts.
    const set = [...LISTENERS.map((name) => `listen.${name}=0`), 'own_spans.per_second=off', ...flags];
    const trackway = new this(folder, TRACKWAY_BIN, [
      '--data-dir', join(folder, 'data'), '--addresses-file', file, ...set.flatMap((pair) => ['--set', pair]),
    ]);
    trackway.folder = folder;
    let text = '';
    try {
      await until('Trackway is ready', async () => {
        if (trackway.how !== undefined) throw new Error(`Trackway ended with ${trackway.how}:\n${trackway.output}`);
        text = await readFile(file, 'utf8').catch(() => '');
        return text.endsWith('\n');
      }, msMax);
    } catch (error) {
      await trackway.end();
      throw error;
    }
    trackway.addresses = JSON.parse(text);
    trackway.url = `http://${trackway.addresses.query_http}`;
    return trackway;
  }

  /** What a sample is told, so that its spans and its links come here. */
  get env() {
    return { OTEL_EXPORTER_OTLP_ENDPOINT: `http://${this.addresses.otlp_http}`, TRACKWAY_URL: this.url };
  }

  async end(signal) {
    const how = await super.end(signal);
    await rm(this.folder, { recursive: true, force: true });
    return how;
  }

  /** Asks Jaeger's API; an error is an answer without traces. */
  async ask(path) {
    const answer = await fetch(this.url + path);
    return (await answer.json()).data ?? [];
  }

  /** A trace as Jaeger's API has it, once it has so many spans. */
  async jaegers(id, spans, msMax) {
    const look = async () => {
      const [trace] = await this.ask(`/api/traces/${id}`);
      return trace?.spans.length >= spans && trace;
    };
    return until(`trace ${id} has ${spans} spans`, look, msMax);
  }
}
