// Synthetic traces of any size, for tests and measurements without a server: columns, and the same as the body of
// `/skeleton`.
//
// A trace follows from its seed alone. It has 60 services, 800 names, a depth up to 38, 1 % errors, runs of repeated
// siblings, asynchronous tails that outlive their parents, and a few orphans behind the root.

import {
  columnFromArray,
  dictionary,
  fixedSizeBinary,
  Table,
  tableFromColumns,
  tableToIPC,
  uint32,
  utf8,
} from '@uwdata/flechette';
import { FLAG, type TraceColumns } from '../src/model/columns.ts';
import { emptyColumns } from '../src/model/decode.ts';
import { markGroups } from '../src/model/groups.ts';

const SERVICES = 60;
const NAMES = 800;
const DEPTH_MAX = 38;
const BATCH_ROWS = 16_384;

/** Numbers in [0, 1) that follow from a seed. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function generateTrace(spans: number, seed = 1): TraceColumns {
  const next = random(seed);
  const columns = emptyColumns(spans);
  const { spanId, depth, subtree, start, dur, self, service, name, kind, status, flags } = columns;
  const durationNs = Math.max(1_000, spans * 20_000);
  let errors = 0;
  let row = 0;

  const put = (level: number, from: number, length: number, s: number, n: number): number => {
    const i = row++;
    const words = [Math.imul(i + 1, 0x9e3779b1) ^ seed, i];
    for (let b = 0; b < 8; b++) spanId[i * 8 + b] = (words[b >> 2] as number) >>> (8 * (b & 3));
    depth[i] = level;
    start[i] = Math.round(from);
    dur[i] = Math.max(0, Math.round(length));
    self[i] = dur[i] as number;
    service[i] = s;
    name[i] = n;
    kind[i] = 1 + (n % 5);
    if (next() < 0.01) {
      flags[i] = FLAG.error;
      status[i] = 2;
      errors += 1;
    }
    if (next() < 0.05) flags[i] = (flags[i] as number) | FLAG.hasEvents;
    return i;
  };

  // A subtree of `budget` rows within [from, from + length); children share the time one after the other.
  const grow = (level: number, from: number, length: number, budget: number, s: number): void => {
    const me = put(level, from, length, s, Math.floor(next() * NAMES));
    let left = budget - 1;
    let at = from + length * 0.02;
    const end = from + length;
    while (left > 0) {
      const isRun = next() < 0.15 && left >= 8;
      if (level + 1 >= DEPTH_MAX || isRun) {
        const members = Math.min(left, isRun ? 4 + Math.floor(next() * 60) : left);
        const calledService = Math.floor(next() * SERVICES);
        const calledName = Math.floor(next() * NAMES);
        const step = Math.max(0, end - at) / (isRun ? members * 4 : members);
        for (let k = 0; k < members; k++)
          put(level + 1, at + k * step, step * (0.3 + 0.6 * next()), calledService, calledName);
        at += members * step;
        left -= members;
        continue;
      }
      const share = left <= 3 ? left : Math.max(1, Math.floor(left * (next() < 0.3 ? 0.98 : 0.15 + 0.6 * next())));
      const isTail = next() < 0.03;
      const room = Math.max(0, end - at) * Math.min(1, (share / left) * (0.7 + 0.3 * next()));
      const calledService = next() < 0.4 ? s : Math.floor(next() * SERVICES);
      grow(level + 1, at, isTail ? room + length * 0.3 : room, share, calledService);
      at += room * (next() < 0.1 ? 0.5 : 1);
      left -= share;
    }
    subtree[me] = row - me;
    self[me] = Math.max(0, length - (at - from));
  };

  const orphans = spans >= 1_000 ? 3 : 0;
  if (spans > 0) grow(0, 0, durationNs, spans - orphans, 0);
  for (let k = 0; k < orphans; k++) {
    const i = put(0, durationNs * (0.2 + 0.2 * k), durationNs * 0.05, k + 1, k);
    flags[i] = (flags[i] as number) | FLAG.orphan;
  }
  for (let i = 0; i < spans; i++) subtree[i] = Math.max(1, subtree[i] as number);

  const trace: TraceColumns = {
    traceId: seed.toString(16).padStart(32, '0'),
    version: '1',
    isComplete: true,
    startNs: 1_700_000_000_000_000_000n,
    durationNs,
    errors,
    warnings: orphans > 0 ? [`${orphans} spans have no parent`] : [],
    count: spans,
    ...columns,
    services: Array.from({ length: SERVICES }, (_, i) => `service-${i}`),
    names: Array.from({ length: NAMES }, (_, i) => `${['GET', 'POST', 'SELECT', 'publish'][i % 4] ?? ''} /thing/${i}`),
    critical: { row: new Uint32Array(0), from: new Float64Array(0), to: new Float64Array(0) },
  };
  markGroups(trace);
  return { ...trace, critical: markCritical(trace) };
}

/** A plain stand-in for the critical path: the last child of each row from the root on, as one piece each. */
function markCritical(trace: TraceColumns): TraceColumns['critical'] {
  const rows: number[] = [];
  for (let i = 0; i < trace.count && rows.length < DEPTH_MAX; ) {
    rows.push(i);
    trace.flags[i] = (trace.flags[i] as number) | FLAG.critical;
    const end = i + (trace.subtree[i] as number);
    let last = i + 1;
    for (let child = i + 1; child < end; child += trace.subtree[child] as number) last = child;
    if (last >= end) break;
    i = last;
  }
  return {
    row: Uint32Array.from(rows),
    from: Float64Array.from(rows, (row) => trace.start[row] as number),
    to: Float64Array.from(rows, (row, k) => {
      const below = rows[k + 1];
      return below === undefined
        ? (trace.start[row] as number) + (trace.dur[row] as number)
        : (trace.start[below] as number);
    }),
  };
}

/** The body of `/skeleton` for a trace. */
export function encodeTrace(trace: TraceColumns): Uint8Array {
  const options = { maxBatchRows: BATCH_ROWS };
  const ids = Array.from({ length: trace.count }, (_, i) => trace.spanId.subarray(i * 8, i * 8 + 8));
  const words = (codes: Uint32Array, texts: readonly string[]) =>
    columnFromArray(
      Array.from(codes, (code) => texts[code] ?? ''),
      dictionary(utf8(), uint32()),
      options,
    );
  const skeleton = tableFromColumns([
    ['span_id', columnFromArray(ids, fixedSizeBinary(8), options)],
    ['depth', columnFromArray(trace.depth, undefined, options)],
    ['subtree', columnFromArray(trace.subtree, undefined, options)],
    ['start', columnFromArray(trace.start, undefined, options)],
    ['dur', columnFromArray(trace.dur, undefined, options)],
    ['self', columnFromArray(trace.self, undefined, options)],
    ['service', words(trace.service, trace.services)],
    ['name', words(trace.name, trace.names)],
    ['kind', columnFromArray(trace.kind, undefined, options)],
    ['status', columnFromArray(trace.status, undefined, options)],
    ['flags', columnFromArray(trace.flags, undefined, options)],
    ['group', columnFromArray(trace.group, undefined, options)],
  ]);
  const metadata = new Map([
    ['trace_id', trace.traceId],
    ['version', trace.version],
    ['start_ns', String(trace.startNs)],
    ['duration_ns', String(trace.durationNs)],
    ['errors', String(trace.errors)],
    ['complete', String(trace.isComplete)],
    ['warnings', JSON.stringify(trace.warnings)],
    ['spans', String(trace.count)],
  ]);
  const critical = tableFromColumns([
    ['row', columnFromArray(trace.critical.row)],
    ['from', columnFromArray(trace.critical.from)],
    ['to', columnFromArray(trace.critical.to)],
  ]);
  return framed([stream(new Table({ ...skeleton.schema, metadata }, skeleton.children)), stream(critical)]);
}

function stream(table: Table): Uint8Array {
  const bytes = tableToIPC(table, { format: 'stream' });
  if (bytes === null) throw new Error('the table was written elsewhere');
  return bytes;
}

export function framed(streams: readonly Uint8Array[]): Uint8Array {
  const body = new Uint8Array(streams.reduce((sum, s) => sum + 4 + s.length, 0));
  let at = 0;
  for (const bytes of streams) {
    new DataView(body.buffer).setUint32(at, bytes.length, true);
    body.set(bytes, at + 4);
    at += 4 + bytes.length;
  }
  return body;
}
