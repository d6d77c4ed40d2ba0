// Starts the shop and Trackway, and visits the shop like a browser without scripts.

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import * as shared from '../../test/program.js';

export { Program, TRACKWAY_BIN } from '../../test/program.js';

export const TEST = { timeout: 120_000 };
export const HOME = dirname(dirname(fileURLToPath(import.meta.url)));
export const PROJECT = join(HOME, '..', '..');
export const EXERCISE = join(PROJECT, 'docs', 'tutorial', 'README.md');
/** Four services and a load take their time. */
const WAIT_MS_MAX = 30_000;
const TRACES_MAX = 1_000;

export const testWithTrackway = (name, body) => shared.testWithTrackway(name, TEST, body);
export const until = (what, look) => shared.until(what, look, WAIT_MS_MAX);

/** A script of this folder, or a service of its own. */
export function script(name, ...flags) {
  return new shared.Program(HOME, process.execPath, [name, ...flags]);
}

/** All four services, as `npm start` starts them. */
export class Shop extends shared.Program {
  static async start(env = {}) {
    const flags = ['shop.js', 'all', '--free-ports'];
    const shop = new Shop(HOME, process.execPath, flags, { OTEL_BSP_SCHEDULE_DELAY: '50', ...env });
    try {
      await shop.untilItSays('the table is complete', () => shop.output.includes('spans go to '), WAIT_MS_MAX);
    } catch (error) {
      await shop.end('SIGKILL');
      throw error;
    }
    const rows = [...shop.output.matchAll(/^(\w+) +(http:\S+)/gm)];
    shop.urls = Object.fromEntries(rows.map(([, name, url]) => [name, url]));
    return shop;
  }

  /** Its services end with it, as by Ctrl-C. */
  async end(signal = 'SIGTERM') {
    return super.end(signal);
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

export class Trackway extends shared.Trackway {
  static start() {
    return super.start([], WAIT_MS_MAX);
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
    return new Trace(await this.jaegers(id, spans, WAIT_MS_MAX));
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
