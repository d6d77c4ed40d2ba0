// Compares two traces: one tree of both, with the time of each side.
//
// Spans are aligned by their path: the services and names from the root down. Like siblings are one node that counts
// them, except where both sides have the same few (`PAIRED_MAX`): those are compared one by one, by position. Durations
// of a node are sums over its spans. Siblings come by the size of their difference, the largest first.
//
// What explains the difference is told by self time, summed by service and name over the whole tree: it counts nothing
// twice. Differences are A minus B. A trace compared with itself has none.

import type { Ns, RowIndex, TraceColumns } from './columns.ts';
import { subtreeEnd } from './tree.ts';

export const PAIRED_MAX = 3;
export const CAUSES_MAX = 50;
const DEPTH_MAX = 65_535;
const LIKES_WITHOUT_MAP = 8;

export type DiffInput = Pick<
  TraceColumns,
  'count' | 'durationNs' | 'depth' | 'subtree' | 'dur' | 'self' | 'services' | 'service' | 'names' | 'name'
>;

/** Nodes as columns, in pre-order, as in a trace. */
export interface TraceDiff {
  readonly count: number;
  readonly durationA: Ns;
  readonly durationB: Ns;
  readonly depth: Uint16Array;
  readonly subtree: Uint32Array;
  readonly services: readonly string[];
  readonly service: Uint32Array;
  readonly names: readonly string[];
  readonly name: Uint32Array;
  /** Spans of a node; 0: it is only in the other trace. */
  readonly countA: Uint32Array;
  readonly countB: Uint32Array;
  readonly durA: Float64Array;
  readonly durB: Float64Array;
  readonly selfA: Float64Array;
  readonly selfB: Float64Array;
  /** The first span of a node, or -1. */
  readonly rowA: Int32Array;
  readonly rowB: Int32Array;
  /** Spans without a counterpart. */
  readonly onlyA: number;
  readonly onlyB: number;
  /** The largest difference first; none that is 0. */
  readonly causes: readonly DiffCause[];
}

export interface DiffCause {
  readonly service: string;
  readonly name: string;
  /** Self time, A minus B. */
  readonly difference: Ns;
  /** Of the difference of the traces' durations; null where there is none. */
  readonly share: number | null;
  readonly countA: number;
  readonly countB: number;
  /** The node with the largest part of it. */
  readonly node: number;
}

interface Side {
  readonly trace: DiffInput;
  /** Its codes in the common lists of words. */
  readonly service: Uint32Array;
  readonly name: Uint32Array;
}
interface Node {
  readonly service: number;
  readonly name: number;
  readonly depth: number;
  readonly a: readonly RowIndex[];
  readonly b: readonly RowIndex[];
  /** Of the difference. */
  readonly size: number;
}

export function diffTraces(a: DiffInput, b: DiffInput): TraceDiff {
  const services = wordList();
  const names = wordList();
  const sideOf = (trace: DiffInput): Side => ({
    trace,
    service: services.codesOf(trace.services),
    name: names.codesOf(trace.names),
  });
  const sides = [sideOf(a), sideOf(b)] as const;
  const nodes: Node[] = [];
  const todo = group(sides, topRows(a), topRows(b), 0, names.words.length).reverse();
  while (todo.length > 0) {
    const node = todo.pop() as Node;
    nodes.push(node);
    if (node.depth >= DEPTH_MAX) continue;
    const below = group(sides, childrenOf(a, node.a), childrenOf(b, node.b), node.depth + 1, names.words.length);
    for (let k = below.length - 1; k >= 0; k--) todo.push(below[k] as Node);
  }
  const columns = columnsOf(nodes, a, b);
  return {
    count: nodes.length,
    durationA: a.durationNs,
    durationB: b.durationNs,
    services: services.words,
    names: names.words,
    ...columns,
    onlyA: nodes.reduce((sum, node) => sum + (node.b.length === 0 ? node.a.length : 0), 0),
    onlyB: nodes.reduce((sum, node) => sum + (node.a.length === 0 ? node.b.length : 0), 0),
    causes: causesOf(columns, services.words, names.words, a.durationNs - b.durationNs),
  };
}

/** Nothing differs: neither in structure nor in time. */
export function isEmptyDiff(diff: TraceDiff): boolean {
  for (let i = 0; i < diff.count; i++) {
    if (diff.countA[i] !== diff.countB[i] || diff.durA[i] !== diff.durB[i] || diff.selfA[i] !== diff.selfB[i])
      return false;
  }
  return true;
}

function topRows(trace: DiffInput): RowIndex[] {
  const rows: RowIndex[] = [];
  for (let row = 0; row < trace.count; row = subtreeEnd(trace, row)) rows.push(row);
  return rows;
}

function childrenOf(trace: DiffInput, rows: readonly RowIndex[]): RowIndex[] {
  const children: RowIndex[] = [];
  for (const row of rows) {
    const end = subtreeEnd(trace, row);
    for (let child = row + 1; child < end; child = subtreeEnd(trace, child)) children.push(child);
  }
  return children;
}

/** Like rows of both sides together, the largest difference first. */
function group(
  sides: readonly [Side, Side],
  rowsA: readonly RowIndex[],
  rowsB: readonly RowIndex[],
  depth: number,
  nameCount: number,
): Node[] {
  if (rowsA.length + rowsB.length === 0) return [];
  const likes: { key: number; a: RowIndex[]; b: RowIndex[] }[] = [];
  // Most spans have a few kinds of children: looking through those is faster than a map for every span.
  let map: Map<number, number> | null = null;
  const find = (key: number): number => {
    if (map !== null) return map.get(key) ?? -1;
    for (let k = 0; k < likes.length; k++) if (likes[k]?.key === key) return k;
    return -1;
  };
  const add = (side: Side, rows: readonly RowIndex[], which: 'a' | 'b'): void => {
    const { service, name } = side.trace;
    for (const row of rows) {
      const key =
        (side.service[service[row] as number] as number) * nameCount + (side.name[name[row] as number] as number);
      let k = find(key);
      if (k < 0) {
        k = likes.push({ key, a: [], b: [] }) - 1;
        if (map === null && k >= LIKES_WITHOUT_MAP) map = new Map(likes.map((like, i) => [like.key, i]));
        else map?.set(key, k);
      }
      likes[k]?.[which].push(row);
    }
  };
  add(sides[0], rowsA, 'a');
  add(sides[1], rowsB, 'b');
  const nodes: Node[] = [];
  const [durA, durB] = [sides[0].trace.dur, sides[1].trace.dur];
  for (const { key, a, b } of likes) {
    const put = (ofA: readonly RowIndex[], ofB: readonly RowIndex[]): void => {
      const size = Math.abs(sum(durA, ofA) - sum(durB, ofB));
      nodes.push({ service: Math.floor(key / nameCount), name: key % nameCount, depth, a: ofA, b: ofB, size });
    };
    if (a.length !== b.length || a.length === 1 || a.length > PAIRED_MAX) put(a, b);
    else for (const [k, row] of a.entries()) put([row], [b[k] as RowIndex]);
  }
  return nodes.length < 2 ? nodes : nodes.sort((x, y) => y.size - x.size);
}

function sum(values: Float64Array, rows: readonly RowIndex[]): number {
  let total = 0;
  for (const row of rows) total += values[row] as number;
  return total;
}

type NodeColumns = Omit<
  TraceDiff,
  'count' | 'durationA' | 'durationB' | 'services' | 'names' | 'onlyA' | 'onlyB' | 'causes'
>;

function columnsOf(nodes: readonly Node[], a: DiffInput, b: DiffInput): NodeColumns {
  const subtree = new Uint32Array(nodes.length);
  // Backwards, all nodes below a node come right before it: `sizes[d]` counts those at depth d and below them.
  const sizes = new Uint32Array(DEPTH_MAX + 2);
  for (let i = nodes.length - 1; i >= 0; i--) {
    const d = (nodes[i] as Node).depth;
    subtree[i] = 1 + (sizes[d + 1] as number);
    sizes[d + 1] = 0;
    sizes[d] = (sizes[d] as number) + (subtree[i] as number);
  }
  return {
    depth: Uint16Array.from(nodes, (node) => node.depth),
    subtree,
    service: Uint32Array.from(nodes, (node) => node.service),
    name: Uint32Array.from(nodes, (node) => node.name),
    countA: Uint32Array.from(nodes, (node) => node.a.length),
    countB: Uint32Array.from(nodes, (node) => node.b.length),
    durA: Float64Array.from(nodes, (node) => sum(a.dur, node.a)),
    durB: Float64Array.from(nodes, (node) => sum(b.dur, node.b)),
    selfA: Float64Array.from(nodes, (node) => sum(a.self, node.a)),
    selfB: Float64Array.from(nodes, (node) => sum(b.self, node.b)),
    rowA: Int32Array.from(nodes, (node) => node.a[0] ?? -1),
    rowB: Int32Array.from(nodes, (node) => node.b[0] ?? -1),
  };
}

function causesOf(c: NodeColumns, services: readonly string[], names: readonly string[], total: Ns): DiffCause[] {
  const causes = new Map<
    number,
    { difference: number; countA: number; countB: number; node: number; largest: number }
  >();
  for (let i = 0; i < c.depth.length; i++) {
    const key = (c.service[i] as number) * names.length + (c.name[i] as number);
    const difference = (c.selfA[i] as number) - (c.selfB[i] as number);
    const cause = causes.get(key) ?? { difference: 0, countA: 0, countB: 0, node: i, largest: 0 };
    causes.set(key, cause);
    cause.difference += difference;
    cause.countA += c.countA[i] as number;
    cause.countB += c.countB[i] as number;
    if (Math.abs(difference) > cause.largest) {
      cause.largest = Math.abs(difference);
      cause.node = i;
    }
  }
  return [...causes]
    .filter(([, cause]) => cause.difference !== 0)
    .sort(([, x], [, y]) => Math.abs(y.difference) - Math.abs(x.difference))
    .slice(0, CAUSES_MAX)
    .map(([key, { difference, countA, countB, node }]) => ({
      service: services[Math.floor(key / names.length)] ?? '',
      name: names[key % names.length] ?? '',
      difference,
      share: total === 0 ? null : difference / total,
      countA,
      countB,
      node,
    }));
}

function wordList(): { words: string[]; codesOf(words: readonly string[]): Uint32Array } {
  const known = new Map<string, number>();
  const words: string[] = [];
  return {
    words,
    codesOf: (more) =>
      Uint32Array.from(more, (word) => {
        const code = known.get(word) ?? words.push(word) - 1;
        known.set(word, code);
        return code;
      }),
  };
}
