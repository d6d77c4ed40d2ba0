// Spans in any order, with the ids of their parents, into the columns of a trace: what the server does for its traces,
// for those that are read from a file.
//
// Takes whatever it is given: no input fails, and every span is in the trace exactly once.
//
// - Spans without a parent come first, by start; then, at the top level too, those whose parent is missing (orphans),
//   those that are their own ancestors (the circle is cut at its earliest span), and what is deeper than a column
//   holds.
// - Spans with one id: a server's is put below the client's (Zipkin lets both share it) and has the children; else the
//   first has them.
// - A duration that is negative or no number is 0, and the span is flagged as incomplete.
// - Self time is the duration less the union of the children's times within it.

import { FLAG, type TraceColumns } from './columns.ts';
import { findCriticalPath } from './criticalPath.ts';
import { emptyColumns } from './decode.ts';
import { markGroups } from './groups.ts';
import { sortByKey } from './sortByKey.ts';

export interface SpanInput {
  /** 16 hex digits; anything else is kept apart but cannot be looked up. */
  readonly spanId: string;
  readonly parentId: string | null;
  readonly startNs: bigint;
  readonly durationNs: number;
  readonly service: string;
  readonly name: string;
  /** As in `KINDS` and `STATUSES`. */
  readonly kind: number;
  readonly status: number;
  readonly isError: boolean;
  readonly hasEvents: boolean;
  readonly hasLinks: boolean;
}

export interface BuiltTrace {
  readonly columns: TraceColumns;
  /** For each row the span it was made of. */
  readonly inputOf: Uint32Array;
}

const DEPTH_MAX = 65_535;
const KIND_SERVER = 2;
const KIND_CLIENT = 3;

export function buildTrace(traceId: string, spans: readonly SpanInput[]): BuiltTrace {
  const count = spans.length;
  const startNs =
    spans.reduce<bigint | null>((first, { startNs: at }) => (first === null || at < first ? at : first), null) ?? 0n;
  const starts = Float64Array.from(spans, (span) => Number(span.startNs - startNs));
  const { parents, orphans, shared } = findParents(spans);
  const { inputOf, depth, circles } = order(starts, parents, orphans);

  const columns = emptyColumns(count);
  const services = wordList();
  const names = wordList();
  let errors = 0;
  let incomplete = 0;
  let durationNs = 0;
  inputOf.forEach((input, row) => {
    const span = spans[input] as SpanInput;
    const isWhole = span.durationNs >= 0 && Number.isFinite(span.durationNs);
    columns.depth[row] = depth[row] as number;
    columns.start[row] = starts[input] as number;
    columns.dur[row] = isWhole ? span.durationNs : 0;
    columns.service[row] = services.code(span.service);
    columns.name[row] = names.code(span.name);
    columns.kind[row] = span.kind;
    columns.status[row] = span.status;
    columns.flags[row] =
      (span.isError ? FLAG.error : 0) |
      (span.hasEvents ? FLAG.hasEvents : 0) |
      (span.hasLinks ? FLAG.hasLinks : 0) |
      (orphans.has(input) ? FLAG.orphan : 0) |
      (isWhole ? 0 : FLAG.incomplete);
    if (span.isError) errors++;
    if (!isWhole) incomplete++;
    durationNs = Math.max(durationNs, (columns.start[row] as number) + (columns.dur[row] as number));
    writeId(columns.spanId, row, span.spanId, input);
  });
  fillSubtrees(columns.depth, columns.subtree);
  fillSelfTimes(columns);
  const warnings = [
    warning(orphans.size - circles, 'span has', 'spans have', 'a parent that is not in the file'),
    warning(circles, 'circle', 'circles', 'of spans that are below themselves: cut'),
    warning(shared, 'span has', 'spans have', 'the id of another'),
    warning(incomplete, 'span has', 'spans have', 'no end, or one before the start'),
  ].filter((text) => text !== null);
  const trace: TraceColumns = {
    traceId,
    version: '',
    isComplete: true,
    startNs,
    durationNs,
    errors,
    warnings,
    count,
    ...columns,
    services: services.words,
    names: names.words,
    critical: { row: new Uint32Array(0), from: new Float64Array(0), to: new Float64Array(0) },
  };
  markGroups(trace);
  return { columns: { ...trace, critical: findCriticalPath(trace) }, inputOf };
}

/** For each span the index of its parent, or -1; which have one that is not there; how many share an id. */
function findParents(spans: readonly SpanInput[]): { parents: Int32Array; orphans: Set<number>; shared: number } {
  const owner = new Map<string, number>();
  const clientOf = new Map<number, number>();
  let shared = 0;
  spans.forEach((span, i) => {
    const other = owner.get(span.spanId);
    if (other === undefined) {
      owner.set(span.spanId, i);
      return;
    }
    shared++;
    const kinds = [(spans[other] as SpanInput).kind, span.kind];
    if (kinds[0] === KIND_CLIENT && kinds[1] === KIND_SERVER) {
      owner.set(span.spanId, i);
      clientOf.set(i, other);
    } else if (kinds[0] === KIND_SERVER && kinds[1] === KIND_CLIENT && !clientOf.has(other)) clientOf.set(other, i);
  });
  const orphans = new Set<number>();
  const parents = Int32Array.from(spans, (span, i) => {
    const client = clientOf.get(i);
    if (client !== undefined) return client;
    if (span.parentId === null) return -1;
    const parent = owner.get(span.parentId);
    if (parent === undefined) orphans.add(i);
    return parent ?? -1;
  });
  return { parents, orphans, shared };
}

/** Rows in pre-order, children by start. Cuts circles; what it cuts is added to `orphans`. */
function order(
  starts: Float64Array,
  parents: Int32Array,
  orphans: Set<number>,
): { inputOf: Uint32Array; depth: Uint16Array; circles: number } {
  const count = starts.length;
  const byStart = Uint32Array.from(starts.keys());
  sortByKey(byStart, starts, 0, count, new Uint32Array(count));
  // Children as lists that begin with the latest, which is how they go onto the stack.
  const lastChild = new Int32Array(count).fill(-1);
  const before = new Int32Array(count).fill(-1);
  for (const i of byStart) {
    const parent = parents[i] as number;
    if (parent < 0) continue;
    before[i] = lastChild[parent] as number;
    lastChild[parent] = i;
  }
  const inputOf = new Uint32Array(count);
  const depth = new Uint16Array(count);
  const isPlaced = new Uint8Array(count);
  const levels = new Uint32Array(count);
  const tooDeep: number[] = [];
  let row = 0;
  const place = (top: number): void => {
    const stack = [top];
    levels[top] = 0;
    for (let i = stack.pop(); i !== undefined; i = stack.pop()) {
      const level = levels[i] as number;
      if (level > DEPTH_MAX) {
        tooDeep.push(i);
        continue;
      }
      isPlaced[i] = 1;
      depth[row] = level;
      inputOf[row++] = i;
      for (let child = lastChild[i] as number; child >= 0; child = before[child] as number) {
        if (parents[child] !== i) continue;
        levels[child] = level + 1;
        stack.push(child);
      }
    }
  };
  const placeDeep = (): void => {
    for (let i = tooDeep.shift(); i !== undefined; i = tooDeep.shift()) {
      orphans.add(i);
      place(i);
    }
  };
  for (const i of byStart) if (parents[i] === -1 && !orphans.has(i)) place(i);
  for (const i of byStart) if (parents[i] === -1 && orphans.has(i) && isPlaced[i] === 0) place(i);
  placeDeep();
  let circles = 0;
  for (const i of byStart) {
    if (isPlaced[i] === 1) continue;
    const cut = earliestOfCircle(i, parents, starts);
    parents[cut] = -1;
    orphans.add(cut);
    circles++;
    place(cut);
    placeDeep();
  }
  return { inputOf, depth, circles };
}

/** Every ancestor of `i` has a parent, so going up ends in a circle. */
function earliestOfCircle(i: number, parents: Int32Array, starts: Float64Array): number {
  const seen = new Set<number>();
  let at = i;
  while (!seen.has(at)) {
    seen.add(at);
    at = parents[at] as number;
  }
  let earliest = at;
  for (let k = parents[at] as number; k !== at; k = parents[k] as number)
    if ((starts[k] as number) < (starts[earliest] as number)) earliest = k;
  return earliest;
}

function fillSubtrees(depth: Uint16Array, subtree: Uint32Array): void {
  // Backwards, all rows below a row come right before it: `sizes[d]` counts those at depth d and below them.
  const sizes = new Uint32Array(DEPTH_MAX + 2);
  for (let i = depth.length - 1; i >= 0; i--) {
    const d = depth[i] as number;
    subtree[i] = 1 + (sizes[d + 1] as number);
    sizes[d + 1] = 0;
    sizes[d] = (sizes[d] as number) + (subtree[i] as number);
  }
}

function fillSelfTimes({ depth, start, dur, self }: Pick<TraceColumns, 'depth' | 'start' | 'dur' | 'self'>): void {
  // The row above at each depth, and until when its children have covered it; they come by start.
  const above: number[] = [];
  const covered: number[] = [];
  for (let i = 0; i < depth.length; i++) {
    const d = depth[i] as number;
    const from = start[i] as number;
    self[i] = dur[i] as number;
    above[d] = i;
    covered[d] = from;
    if (d === 0) continue;
    const parent = above[d - 1] as number;
    const a = Math.max(from, covered[d - 1] as number);
    const b = Math.min(from + (dur[i] as number), (start[parent] as number) + (dur[parent] as number));
    if (b <= a) continue;
    self[parent] = (self[parent] as number) - (b - a);
    covered[d - 1] = b;
  }
}

function writeId(ids: Uint8Array, row: number, spanId: string, input: number): void {
  const hex = /^[0-9a-f]{1,16}$/i.test(spanId) ? spanId.padStart(16, '0') : input.toString(16).padStart(16, 'f');
  for (let b = 0; b < 8; b++) ids[row * 8 + b] = Number.parseInt(hex.slice(2 * b, 2 * b + 2), 16);
}

function wordList(): { words: string[]; code(word: string): number } {
  const known = new Map<string, number>();
  const words: string[] = [];
  return {
    words,
    code: (word) => {
      const code = known.get(word) ?? words.push(word) - 1;
      known.set(word, code);
      return code;
    },
  };
}

function warning(count: number, one: string, many: string, rest: string): string | null {
  return count > 0 ? `${count} ${count === 1 ? one : many} ${rest}` : null;
}
