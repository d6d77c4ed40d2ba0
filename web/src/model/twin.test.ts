// What the browser makes of odd traces in files is what the server makes of them (`crates/query/tests/twin.rs`, which
// writes `expected.txt`): order, times, flags, runs, critical path, warnings.

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { random } from '../../perf/generate.ts';
import { type BuiltTrace, buildTrace, type SpanInput } from './build.ts';
import { FLAG } from './columns.ts';
import { spanIdOf } from './tree.ts';

const FOLDER = new URL('../../testdata/traces/', import.meta.url);
const EPOCH = 1_700_000_000_000_000_000n;
/** Of a trace that is longer, only every so many rows are written. */
const ROWS_ALL_MAX = 100;
const ROWS_STEP = 10_000;
const FLAG_NAMES = [
  [FLAG.error, 'error'],
  [FLAG.hasEvents, 'events'],
  [FLAG.hasLinks, 'links'],
  [FLAG.orphan, 'orphan'],
  [FLAG.skewAdjusted, 'moved'],
  [FLAG.incomplete, 'incomplete'],
  [FLAG.critical, 'critical'],
  [FLAG.groupHead, 'head'],
] as const;

type Given = {
  id: string;
  start: number;
  end?: number;
  parent?: string;
  service?: string;
  name?: string;
  kind?: number;
  status?: number;
  events?: number;
  links?: number;
  host?: string;
};
type Trace = { name: string; spans?: Given[]; chain?: number; random?: number; count?: number; unit?: number };

const hex = (id: string): string => id.padStart(16, '0');

function inputOf({ id, start, end, parent, kind = 1, status = 0, events = 0, links = 0, ...texts }: Given): SpanInput {
  return {
    spanId: hex(id),
    parentId: parent === undefined ? null : hex(parent),
    startNs: EPOCH + BigInt(start),
    durationNs: end === undefined ? Number.NaN : end - start,
    kind,
    status,
    isError: status === 2,
    hasEvents: events > 0,
    hasLinks: links > 0,
    service: 'shop',
    name: 'work',
    ...texts,
  };
}

function spansOf({ spans, chain, random: seed, count = 0, unit = 1 }: Trace): Given[] {
  if (chain !== undefined) {
    return Array.from({ length: chain }, (_, at) => ({
      id: (at + 1).toString(16),
      ...(at === 0 ? {} : { parent: at.toString(16) }),
      start: at,
      end: 2 * chain - at,
    }));
  }
  return seed === undefined ? (spans ?? []) : randomSpans(seed, count, unit);
}

/** Draws in the order in which `twin.rs` draws. */
function randomSpans(seed: number, count: number, unit: number): Given[] {
  const next = random(seed);
  const below = (limit: number): number => Math.floor(next() * limit);
  return Array.from({ length: count }, (_, at) => {
    const id = 1 + (below(10) === 0 ? below(count) : at);
    const kindOfParent = below(10);
    const parent = kindOfParent === 0 ? 0 : 1 + below(kindOfParent === 1 ? count * 3 : count);
    const start = below(60);
    const hasEnd = below(12) !== 0;
    const end = hasEnd ? Math.max(0, start + below(40) - 4) : 0;
    const [service, name, host] = [`s${below(2)}`, `n${below(2)}`, `h${below(3)}`];
    return {
      id: id.toString(16),
      ...(parent === 0 ? {} : { parent: parent.toString(16) }),
      start: start * unit,
      ...(hasEnd ? { end: end * unit } : {}),
      service,
      name,
      kind: below(6),
      status: below(8) === 0 ? 2 : 0,
      events: below(5) === 0 ? 1 : 0,
      links: below(7) === 0 ? 1 : 0,
      host: host === 'h0' ? '' : host,
    };
  });
}

const isShown = (at: number, count: number): boolean =>
  count <= ROWS_ALL_MAX || at % ROWS_STEP === 0 || at + 1 === count;

function shown({ columns, inputOf: source }: BuiltTrace): string[] {
  const { startNs, durationNs, errors, isComplete, count, critical } = columns;
  const start = startNs === 0n ? 0n : startNs - EPOCH;
  const lines = [`start ${start} duration ${durationNs} errors ${errors} complete ${isComplete}`];
  for (let at = 0; at < count; at++) {
    if (!isShown(at, count)) continue;
    const flags = FLAG_NAMES.filter(([bit]) => ((columns.flags[at] as number) & bit) !== 0).map(([, name]) => name);
    lines.push(
      `${at}: span ${source[at]} id ${spanIdOf(columns, at)} depth ${columns.depth[at]} subtree ${columns.subtree[at]} ` +
        `start ${columns.start[at]} duration ${columns.dur[at]} self ${columns.self[at]} group ${columns.group[at]} ` +
        `kind ${columns.kind[at]} status ${columns.status[at]} [${flags.join(' ')}]`,
    );
  }
  critical.row.forEach((row, k) => {
    if (isShown(k, critical.row.length)) lines.push(`path ${row} ${critical.from[k]}..${critical.to[k]}`);
  });
  return [...lines, ...columns.warnings.map((warning) => `! ${warning}`)];
}

const traces = JSON.parse(readFileSync(new URL('traces.json', FOLDER), 'utf8')) as Trace[];
const expected = new Map(
  readFileSync(new URL('expected.txt', FOLDER), 'utf8')
    .split('\n# ')
    .map((part) => {
      const [name = '', ...lines] = part.trim().replace(/^# /, '').split('\n');
      return [name, lines];
    }),
);

it('has an expectation for every trace', () => {
  expect([...expected.keys()]).toEqual(traces.map(({ name }) => name));
});

it.each(traces)('lays out as the server does: $name', (trace) => {
  expect(shown(buildTrace('t', spansOf(trace).map(inputOf)))).toEqual(expected.get(trace.name));
});
