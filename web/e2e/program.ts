// One run of the real program on free ports, in a folder of its own.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const START_MS = 30_000;
const STOP_MS = 15_000;
const LOG_CHARS_MAX = 20_000;

export type Program = {
  /** Where the app and the API are, without `/` at the end. */
  readonly url: string;
  readonly otlp: string;
  readonly admin: string;
  stop(): Promise<void>;
};

type Addresses = Record<string, string[] | string>;

function binary(): string {
  const given = process.env['TRACKWAY_BIN'];
  if (given === undefined) throw new Error('TRACKWAY_BIN names the program to test; `make test` sets it');
  return given;
}

function sleep(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

/** The first address of a listener, as `host:port`. */
function addressOf(addresses: Addresses, listener: string): string {
  const found = addresses[listener];
  const first = Array.isArray(found) ? found[0] : found;
  if (first === undefined) throw new Error(`the program does not listen on ${listener}: ${JSON.stringify(addresses)}`);
  return first;
}

async function addressesOf(file: string, child: ChildProcess, log: () => string): Promise<Addresses> {
  const until = Date.now() + START_MS;
  while (Date.now() < until) {
    if (child.exitCode !== null) throw new Error(`the program ended with ${child.exitCode}:\n${log()}`);
    try {
      return JSON.parse(readFileSync(file, 'utf8')) as Addresses;
    } catch {
      await sleep(50);
    }
  }
  throw new Error(`the program was not ready within ${START_MS} ms:\n${log()}`);
}

export async function startProgram(args: readonly string[] = [], basePath = ''): Promise<Program> {
  const folder = mkdtempSync(join(tmpdir(), 'trackway-e2e-'));
  const file = join(folder, 'addresses.json');
  const open = ['--otlp-grpc', '--otlp-http', '--query-http', '--admin', '--health'].flatMap((flag) => [flag, '0']);
  const closed = ['--jaeger-http', '--jaeger-grpc', '--jaeger-compact', '--jaeger-binary', '--zipkin'];
  closed.push('--query-grpc', '--sampling-http', '--sampling-grpc');
  const ports = [...open, ...closed.flatMap((flag) => [flag, 'off'])];
  const common = ['--data-dir', join(folder, 'data'), '--addresses-file', file, '--log-format', 'text'];
  // Tests compare with what they sent.
  common.push('--set', 'own_spans.per_second=off');
  const child = spawn(binary(), [...common, ...ports, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  const keep = (part: Buffer) => {
    log = (log + part.toString()).slice(-LOG_CHARS_MAX);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const addresses = await addressesOf(file, child, () => log);
  const at = (listener: string) => `http://${addressOf(addresses, listener)}`;
  return {
    url: at('query_http') + basePath,
    otlp: at('otlp_http'),
    admin: at('admin'),
    async stop() {
      const ended = new Promise((done) => child.once('exit', done));
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      await ended;
      clearTimeout(late);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Sends spans the way that any sender does. */
export async function sendOtlp(program: Program, request: unknown): Promise<void> {
  const response = await fetch(`${program.otlp}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(request),
  });
  if (!response.ok) throw new Error(`the spans were not taken: ${response.status} ${await response.text()}`);
}

/** Has everything that was sent put in order, as it would be minutes later. */
export async function settle(program: Program): Promise<void> {
  const response = await fetch(`${program.admin}/admin/finalise`, { method: 'POST' });
  if (!response.ok) throw new Error(`finalise: ${response.status} ${await response.text()}`);
}
