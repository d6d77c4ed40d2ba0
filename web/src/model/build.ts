// Spans in any order, with the ids of their parents, into the columns of a trace: what the server does for its traces
// (`crates/query/src/skeleton`), for those that are read from a file. `testdata/traces` holds both to the same answers.
//
// Takes whatever it is given: no input fails, and every span is in the trace exactly once.
//
// - What is deeper than a column holds has the greatest depth; `subtree` is right all the same.
// - A duration that is negative or no number is 0, and the span is flagged as incomplete.
// - Self time is the duration less the union of the children's times within it.
// - Times stay as the file has them, however clocks differ; it is only told, as the server does by default.

import { FLAG, type TraceColumns } from './columns.ts';
import { findCriticalPath } from './criticalPath.ts';
import { emptyColumns } from './decode.ts';
import { markGroups } from './groups.ts';
import { CUT, MISSING, NO_PARENT, type SpanTree, spanTree } from './spanTree.ts';

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
  /** What tells the host from others; empty: not known. */
  readonly host?: string;
}

export interface BuiltTrace {
  readonly columns: TraceColumns;
  /** For each row the span it was made of. */
  readonly inputOf: Uint32Array;
}

const DEPTH_MAX = 65_535;

type Columns = ReturnType<typeof emptyColumns>;

export function buildTrace(traceId: string, spans: readonly SpanInput[]): BuiltTrace {
  const startNs =
    spans.reduce<bigint | null>((first, { startNs: at }) => (first === null || at < first ? at : first), null) ?? 0n;
  const starts = Float64Array.from(spans, (span) => Number(span.startNs - startNs));
  const tree = spanTree(spans, starts);
  const columns = emptyColumns(spans.length);
  const services = wordList();
  const names = wordList();
  let durationNs = 0;
  tree.inputOf.forEach((input, row) => {
    const span = spans[input] as SpanInput;
    const isWhole = span.durationNs >= 0 && Number.isFinite(span.durationNs);
    columns.depth[row] = Math.min(DEPTH_MAX, tree.level[row] as number);
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
      ((tree.parentRow[row] as number) < NO_PARENT ? FLAG.orphan : 0) |
      (isWhole ? 0 : FLAG.incomplete);
    durationNs = Math.max(durationNs, (columns.start[row] as number) + (columns.dur[row] as number));
    writeId(columns.spanId, row, span.spanId, input);
  });
  fillSubtrees(tree, columns);
  fillSelfTimes(tree, columns);
  const trace: TraceColumns = {
    traceId,
    version: '',
    startNs,
    durationNs,
    ...sumUp(tree, columns, spans),
    count: spans.length,
    ...columns,
    services: services.words,
    names: names.words,
    critical: { row: new Uint32Array(0), from: new Float64Array(0), to: new Float64Array(0) },
  };
  markGroups(trace);
  return { columns: { ...trace, critical: findCriticalPath(trace) }, inputOf: tree.inputOf };
}

function fillSubtrees({ parentRow }: SpanTree, { subtree }: Columns): void {
  // Backwards, all rows below a row were added to it before it is added to its parent.
  subtree.fill(1);
  for (let i = parentRow.length - 1; i >= 0; i--) {
    const parent = parentRow[i] as number;
    if (parent >= 0) subtree[parent] = (subtree[parent] as number) + (subtree[i] as number);
  }
}

function fillSelfTimes({ parentRow }: SpanTree, { start, dur, self }: Columns): void {
  self.set(dur);
  // Until when a row's children have covered it; they come by start.
  const covered = start.slice();
  for (let i = 0; i < parentRow.length; i++) {
    const parent = parentRow[i] as number;
    if (parent < 0) continue;
    const from = Math.max(start[i] as number, covered[parent] as number);
    const to = Math.min(endOf(i, start, dur), endOf(parent, start, dur));
    if (to <= from) continue;
    self[parent] = (self[parent] as number) - (to - from);
    covered[parent] = to;
  }
}

/** What holds for the trace as a whole, in the server's words. */
function sumUp(
  tree: SpanTree,
  columns: Columns,
  spans: readonly SpanInput[],
): Pick<TraceColumns, 'errors' | 'isComplete' | 'warnings'> {
  const top = (kind: number): number => tree.parentRow.reduce((sum, parent) => sum + (parent === kind ? 1 : 0), 0);
  const flagged = (flag: number): number =>
    columns.flags.reduce((sum, flags) => sum + ((flags & flag) !== 0 ? 1 : 0), 0);
  const roots = top(NO_PARENT);
  const missing = top(MISSING);
  const cut = top(CUT);
  const told = (count: number, one: string, many: string): string[] =>
    count === 0 ? [] : [count === 1 ? `1 span ${one}` : `${count} spans ${many}`];
  return {
    errors: flagged(FLAG.error),
    isComplete: roots === 1 && missing + cut === 0,
    warnings: [
      ...told(missing, 'has a parent that is not in the trace', 'have parents that are not in the trace'),
      ...told(cut, 'is its own ancestor', 'are their own ancestors'),
      ...told(
        flagged(FLAG.incomplete),
        'has no end, or one before its start',
        'have no end, or one before their start',
      ),
      ...told(tree.repeated, 'has an id that another one has', 'have ids that others have'),
      ...told(
        countOutside(tree, columns, spans),
        'lies outside of its parent; clocks may differ',
        'lie outside of their parents; clocks may differ',
      ),
      ...(roots > 1 ? [`the trace has ${roots} roots`] : []),
    ],
  };
}

/** Rows outside of their parents, where these are not known to be on the same host; and on its host those below. */
function countOutside({ inputOf, parentRow }: SpanTree, { start, dur }: Columns, spans: readonly SpanInput[]): number {
  const isOutside = new Uint8Array(inputOf.length);
  const hostOf = (row: number): string => spans[inputOf[row] as number]?.host ?? '';
  let count = 0;
  for (let i = 0; i < isOutside.length; i++) {
    const parent = parentRow[i] as number;
    if (parent < 0) continue;
    const host = hostOf(i);
    if (host !== '' && host === hostOf(parent)) isOutside[i] = isOutside[parent] as number;
    else {
      const isEarlier = (start[i] as number) < (start[parent] as number);
      const isLonger = (dur[i] as number) > (dur[parent] as number);
      // What is longer than its parent goes on without it: then only its start tells.
      const isLater = !isLonger && endOf(i, start, dur) > endOf(parent, start, dur);
      isOutside[i] = isEarlier || isLater ? 1 : 0;
    }
    count += isOutside[i] as number;
  }
  return count;
}

function endOf(row: number, start: Float64Array, dur: Float64Array): number {
  return (start[row] as number) + (dur[row] as number);
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
