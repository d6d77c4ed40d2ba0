// Starts the shop and Trackway as real processes on free ports, and visits the shop like a browser without scripts.
//
// Promises: what was started is ended by its own process id. Nothing waits for a guessed time; `until` waits for a
// condition and says which one did not come true.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const TEST = { timeout: 120_000 };
export const HOME = dirname(dirname(fileURLToPath(import.meta.url)));
export const PROJECT = join(HOME, '..', '..');
export const EXERCISE = join(PROJECT, 'docs', 'tutorial', 'README.md');
const WAIT_MS_MAX = 30_000;
const POLL_MS = 50;
const TRACES_MAX = 1_000;
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
  const own = /^(OTEL_|TRACKWAY_|NODE_|[A-Z]+_URL$|PAYMENT_FAULT$|PORT$|HOST$|LOG_LEVEL$)/;
  const kept = Object.entries(process.env).filter(([name]) => !own.test(name));
  return { ...Object.fromEntries(kept), ...more };
}

/** A process whose output is kept. */
export class Program {
  constructor(command, flags, env = {}) {
    this.output = '';
    this.child = spawn(command, flags, { cwd: HOME, env: environment(env), stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        this.output += text;
      });
    }
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

  async end(signal = 'SIGTERM') {
    if (this.how === undefined) this.child.kill(signal);
    return this.ended;
  }
}

/** A script of this folder, or a service of its own. */
export function script(name, ...flags) {
  return new Program(process.execPath, [name, ...flags]);
}

/** All four services, as `npm start` starts them. */
export class Shop extends Program {
  static async start(env = {}) {
    const flags = ['shop.js', 'all', '--free-ports'];
    const shop = new Shop(process.execPath, flags, { OTEL_BSP_SCHEDULE_DELAY: '50', ...env });
    try {
      await shop.untilItSays('the table is complete', () => shop.output.includes('spans go to '));
    } catch (error) {
      await shop.end('SIGKILL');
      throw error;
    }
    const rows = [...shop.output.matchAll(/^(\w+) +(http:\S+)/gm)];
    shop.urls = Object.fromEntries(rows.map(([, name, url]) => [name, url]));
    return shop;
  }

  /** Sends visits as load.js does; what it says in the end. */
  async load(...flags) {
    const load = script('load.js', '--url', this.urls.storefront, ...flags);
    const code = await load.ended;
    if (code !== 0) throw new Error(`the load ended with ${code}:\n${load.output}`);
    return load.output;
  }
}

/** Somebody with a browser: follows forms as they are on the page, and keeps the cookie. */
export class Visitor {
  constructor(url) {
    this.url = url;
    this.cookie = '';
  }

  async open(path = '/', { form, headers = {} } = {}) {
    const answer = await fetch(new URL(path, this.url), {
      method: form ? 'POST' : 'GET',
      headers: { ...(this.cookie && { cookie: this.cookie }), ...headers },
      body: form && new URLSearchParams(form),
      redirect: 'manual',
    });
    const set = answer.headers.get('set-cookie');
    if (set) this.cookie = set.split(';')[0];
    const page = await answer.text();
    const traceId = answer.headers.get('x-trace-id');
    if (answer.status === 303) return this.open(answer.headers.get('location'));
    return { status: answer.status, page, traceId, headers: answer.headers };
  }

  /** Opens the shop, fills in the form that is sent to `action` and sends it. Refuses a field that the form has not. */
  async fillIn(action, values = {}) {
    const { page } = await this.open();
    const fields = formOf(page, action);
    for (const name of Object.keys(values)) {
      if (!(name in fields)) throw new Error(`the form of ${action} has no field "${name}":\n${page}`);
    }
    return this.open(action, { form: { ...fields, ...values } });
  }

  async logIn(customer) {
    return this.fillIn('/login', { customer, password: 'shop' });
  }
}

/** The fields of a form with what they are before anybody changes them. */
export function formOf(page, action) {
  const form = page.match(new RegExp(`<form method="post" action="${action}"[^>]*>(.*?)</form>`, 's'))?.[1];
  if (form === undefined) throw new Error(`no form is sent to ${action}:\n${page}`);
  const fields = {};
  for (const [tag, type = 'text'] of form.matchAll(/<input[^>]*?(?:type="(\w+)"[^>]*)?>/gs)) {
    if (type !== 'radio' || /\schecked/.test(tag)) fields[attribute(tag, 'name')] = attribute(tag, 'value') ?? '';
  }
  for (const [, tag, first] of form.matchAll(/(<select[^>]*>)<option>([^<]*)/gs)) {
    fields[attribute(tag, 'name')] = first;
  }
  return fields;
}

function attribute(tag, name) {
  return tag.match(new RegExp(`\\s${name}="([^"]*)"`))?.[1];
}

/** The real Trackway on a folder of its own. */
export class Trackway extends Program {
  static async start() {
    const folder = await mkdtemp(join(tmpdir(), 'trackway-shop-'));
    const file = join(folder, 'addresses');
    const set = [...LISTENERS.map((name) => `listen.${name}=0`), 'own_spans.per_second=off'];
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
    trackway.url = `http://${trackway.addresses.query_http}`;
    return trackway;
  }

  /** What the shop is told, so that its spans and its links come here. */
  get env() {
    return { OTEL_EXPORTER_OTLP_ENDPOINT: `http://${this.addresses.otlp_http}`, TRACKWAY_URL: this.url };
  }

  async end(signal) {
    const how = await super.end(signal);
    await rm(this.folder, { recursive: true, force: true });
    return how;
  }

  /** The traces that a query finds, as the list of the web app has them. */
  async find(query) {
    const lines = await this.#ask(`/api/ui/v1/search?${new URLSearchParams({ q: query, limit: TRACES_MAX })}`);
    const found = lines.trim().split('\n').map((line) => JSON.parse(line));
    const failed = found.find(({ type }) => type === 'error');
    if (failed) throw new Error(`${query}: ${JSON.stringify(failed)}`);
    return found.flatMap(({ type, trace }) => (type === 'trace' ? [trace] : []));
  }

  /** What the app shows beside the list: how many spans have which value of a field. */
  async facet(query, field) {
    const asked = new URLSearchParams({ q: query, scope: 'spans', facets: field });
    const { facets } = JSON.parse(await this.#ask(`/api/ui/v1/overview?${asked}`));
    const values = facets.find((facet) => facet.field === field)?.values ?? [];
    return Object.fromEntries(values.map(({ value, count }) => [value, count]));
  }

  /** A trace by Jaeger's API, once it has so many spans. */
  async trace(id, spans) {
    const [trace] = await until(`trace ${id} has ${spans} spans`, async () => {
      const answer = await fetch(`${this.url}/api/traces/${id}`);
      const traces = (await answer.json()).data ?? [];
      return traces[0]?.spans.length >= spans && traces;
    });
    return new Trace(trace);
  }

  async #ask(path) {
    const answer = await fetch(this.url + path);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${answer.status} for ${path}: ${text}`);
    return text;
  }
}

/** A trace as Jaeger's API gives it, in words that tests can be read in. */
export class Trace {
  constructor({ traceID, spans, processes }) {
    this.id = traceID;
    this.spans = spans.map((span) => ({
      id: span.spanID,
      name: `${processes[span.processID].serviceName}: ${span.operationName}`,
      parent: span.references.find(({ refType }) => refType === 'CHILD_OF')?.spanID,
      ms: span.duration / 1_000,
      tags: fieldsOf(span.tags),
      events: span.logs.map(({ fields }) => fieldsOf(fields)),
    }));
  }

  all(name) {
    return this.spans.filter((span) => span.name === name);
  }

  /** The only span of this name, which is "service: operation"; of several kinds the one that is asked for. */
  span(name, kind) {
    const found = this.all(name).filter(({ tags }) => kind === undefined || tags['span.kind'] === kind);
    if (found.length !== 1) throw new Error(`${found.length} spans "${name}" in\n${this}`);
    return found[0];
  }

  /** The names from a span up to the root. */
  way(span) {
    const above = span.parent && this.spans.find(({ id }) => id === span.parent);
    return [span.name, ...(above ? this.way(above) : span.parent ? ['(missing)'] : [])];
  }

  toString() {
    return this.spans.map((span) => this.way(span).join(' < ')).join('\n');
  }
}

function fieldsOf(list) {
  return Object.fromEntries(list.map(({ key, value }) => [key, value]));
}
