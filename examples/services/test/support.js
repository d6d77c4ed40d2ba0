// Starts what the tests need: the two services and Trackway.

import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

import * as shared from '../../test/program.js';

export { TRACKWAY_BIN, until } from '../../test/program.js';

export const TEST = { timeout: 60_000 };
export const HOME = dirname(dirname(fileURLToPath(import.meta.url)));

export const testWithTrackway = (name, body) => shared.testWithTrackway(name, TEST, body);

/** Service A or B. */
export class Service extends shared.Program {
  static async start(name, env = {}, flags = ['--import', './tracing.js']) {
    const service = new Service(HOME, process.execPath, [...flags, `${name}.js`], {
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
  return new shared.Program(HOME, process.execPath, [name, ...flags]);
}

export class Trackway extends shared.Trackway {
  /** The spans of a trace by name, once there are so many of them. */
  async trace(id, spans) {
    return new Trace(await this.jaegers(id, spans));
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
