// Which span stands below which, in which order, whatever the ids are: the server's rule (`crates/model/src/tree`), for
// traces that are read from files. `testdata/traces` holds both to the same answers.
//
// - Rows are in pre-order; siblings, and what is at the top, by start, then as they came.
// - At the top is what has no parent, and what names one that is not there (an orphan). Of spans that are their own
//   ancestors the one that starts first is at the top, behind all others: there the circle is cut.
// - Spans with one id: the first has the children. Zipkin lets a client and its server share one; then the server
//   stands below the client, and what names the id below the server.

import { sortByKey } from './sortByKey.ts';

/** What the tree asks of a span. */
export interface TreeInput {
  readonly spanId: string;
  readonly parentId: string | null;
  /** As in `KINDS`. */
  readonly kind: number;
}

export interface SpanTree {
  /** For each row the span it was made of. */
  readonly inputOf: Uint32Array;
  /** For each row its parent's row, or one of `NO_PARENT`, `MISSING`, `CUT`. */
  readonly parentRow: Int32Array;
  /** For each row its distance from the top. */
  readonly level: Uint32Array;
  /** Spans with the id of another. */
  readonly repeated: number;
}

export const NO_PARENT = -1;
/** The parent is not in the trace. */
export const MISSING = -2;
/** The parent is below the span itself. */
export const CUT = -3;

const KIND_SERVER = 2;
const KIND_CLIENT = 3;

export function spanTree(spans: readonly TreeInput[], starts: Float64Array): SpanTree {
  const count = spans.length;
  const { parents, repeated } = findParents(spans);
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
  const level = new Uint32Array(count);
  const parentRow = new Int32Array(count);
  const rowOf = new Int32Array(count).fill(-1);
  let row = 0;
  const place = (top: number): void => {
    const stack = [top];
    for (let i = stack.pop(); i !== undefined; i = stack.pop()) {
      const parent = parents[i] as number;
      parentRow[row] = parent < 0 ? parent : (rowOf[parent] as number);
      level[row] = parent < 0 ? 0 : (level[parentRow[row] as number] as number) + 1;
      rowOf[i] = row;
      inputOf[row++] = i;
      // The cut span of a circle is still among its parent's children.
      for (let child = lastChild[i] as number; child >= 0; child = before[child] as number)
        if (parents[child] === i) stack.push(child);
    }
  };
  for (const i of byStart) if ((parents[i] as number) < 0) place(i);
  for (const i of byStart) {
    if ((rowOf[i] as number) >= 0) continue;
    const cut = firstOfCircle(i, parents, starts);
    parents[cut] = CUT;
    place(cut);
  }
  return { inputOf, parentRow, level, repeated };
}

function findParents(spans: readonly TreeInput[]): { parents: Int32Array; repeated: number } {
  const clients = new Set<string>();
  for (const { kind, spanId } of spans) if (kind === KIND_CLIENT) clients.add(spanId);
  const isShared = ({ kind, spanId }: TreeInput): boolean => kind === KIND_SERVER && clients.has(spanId);
  const owners = new Map<string, number>();
  const servers = new Map<string, number>();
  let repeated = 0;
  spans.forEach((span, i) => {
    const known = isShared(span) ? servers : owners;
    if (!known.has(span.spanId)) known.set(span.spanId, i);
    else if (known === owners) repeated++;
  });
  const parents = Int32Array.from(spans, (span, i) => {
    if (isShared(span)) return owners.get(span.spanId) ?? MISSING;
    if (span.parentId === null) return NO_PARENT;
    const parent = servers.get(span.parentId) ?? owners.get(span.parentId) ?? MISSING;
    return parent === i ? CUT : parent;
  });
  return { parents, repeated };
}

/** Every ancestor of `i` has a parent, so going up ends in a circle. */
function firstOfCircle(i: number, parents: Int32Array, starts: Float64Array): number {
  const seen = new Set<number>();
  let at = i;
  while (!seen.has(at)) {
    seen.add(at);
    at = parents[at] as number;
  }
  let first = at;
  for (let k = parents[at] as number; k !== at; k = parents[k] as number) {
    const later = (starts[k] as number) - (starts[first] as number);
    if (later < 0 || (later === 0 && k < first)) first = k;
  }
  return first;
}
