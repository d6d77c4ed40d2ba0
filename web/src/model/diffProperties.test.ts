// What holds for the difference of any two traces: a trace does not differ from itself, sums add up, no span is lost.

import { expect, test } from 'vitest';
import { generateTrace, random } from '../../perf/generate.ts';
import { type DiffInput, diffTraces, isEmptyDiff, type TraceDiff } from './diff.ts';
import { subtreeEnd } from './tree.ts';

const SEED = Number(process.env['TRACKWAY_SEED'] ?? 20_261_128);
const RUNS = 120;

/**
 * A small trace of few words, so that paths of two of them often meet, with several roots and runs of like
 * siblings.
 */
function smallTrace(seed: number): DiffInput {
  const next = random(seed);
  const below = (limit: number) => Math.floor(next() * limit);
  const count = below(40);
  const depth = new Uint16Array(count);
  for (let i = 1; i < count; i += 1) depth[i] = below(Math.min(5, (depth[i - 1] ?? 0) + 2));
  const subtree = new Uint32Array(count);
  for (let i = count - 1; i >= 0; i -= 1) {
    let end = i + 1;
    while (end < count && (depth[end] ?? 0) > (depth[i] ?? 0)) end += subtree[end] ?? 1;
    subtree[i] = end - i;
  }
  // Few services and names, in an order of their own on each side.
  const services = next() < 0.5 ? ['web', 'db'] : ['db', 'cart', 'web'];
  const names = next() < 0.5 ? ['get', 'put'] : ['put', 'get', 'list'];
  const dur = Float64Array.from({ length: count }, () => below(1_000));
  return {
    count,
    durationNs: below(10_000),
    depth,
    subtree,
    dur,
    self: dur.map((one) => Math.floor(one * next())),
    services,
    service: Uint32Array.from({ length: count }, () => below(services.length)),
    names,
    name: Uint32Array.from({ length: count }, () => below(names.length)),
  };
}

const pairs = (): [DiffInput, DiffInput][] => [
  ...Array.from({ length: RUNS }, (_, i): [DiffInput, DiffInput] => [
    smallTrace(SEED + 2 * i),
    smallTrace(SEED + 2 * i + 1),
  ]),
  [generateTrace(3_000, SEED), generateTrace(2_000, SEED + 1)],
];

const pathOf = (trace: DiffInput, row: number): string[] => {
  const path: string[] = [];
  for (let at = row, level = (trace.depth[row] ?? 0) + 1; at >= 0; at -= 1) {
    if ((trace.depth[at] ?? 0) >= level) continue;
    level = trace.depth[at] ?? 0;
    path.unshift(`${trace.services[trace.service[at] ?? 0]} ${trace.names[trace.name[at] ?? 0]}`);
    if (level === 0) break;
  }
  return path;
};

const sum = (values: Iterable<number>): number => {
  let total = 0;
  for (const value of values) total += value;
  return total;
};

test('a trace does not differ from itself', () => {
  for (let i = 0; i < RUNS; i += 1) {
    const trace = smallTrace(SEED + i);
    const diff = diffTraces(trace, trace);
    expect(isEmptyDiff(diff), `seed ${SEED + i}`).toBe(true);
    expect([diff.onlyA, diff.onlyB, diff.causes.length]).toEqual([0, 0, 0]);
  }
});

test('the difference of the roots is the sum of what each row adds of its own', () => {
  for (const [a, b] of pairs()) {
    const diff = diffTraces(a, b);
    const difference = (node: number) => (diff.durA[node] ?? 0) - (diff.durB[node] ?? 0);
    let roots = 0;
    let own = 0;
    for (let node = 0; node < diff.count; node += 1) {
      if (diff.depth[node] === 0) roots += difference(node);
      own += difference(node);
      const end = node + (diff.subtree[node] ?? 1);
      for (let child = node + 1; child < end; child += diff.subtree[child] ?? 1) own -= difference(child);
    }
    expect(Math.abs(roots - own)).toBeLessThan(1e-3);
  }
});

test('every span of both traces is in exactly one row, and in that of its path', () => {
  for (const [a, b] of pairs()) {
    const diff = diffTraces(a, b);
    for (const [trace, counts, durations, selves] of [
      [a, diff.countA, diff.durA, diff.selfA],
      [b, diff.countB, diff.durB, diff.selfB],
    ] as const) {
      expect(sum(counts)).toBe(trace.count);
      expect(sum(durations)).toBeCloseTo(sum(trace.dur), 3);
      expect(sum(selves)).toBeCloseTo(sum(trace.self), 3);
      const spans = new Map<string, number>();
      for (let row = 0; row < trace.count; row += 1) {
        const path = pathOf(trace, row).join('/');
        spans.set(path, (spans.get(path) ?? 0) + 1);
      }
      for (let node = 0; node < diff.count; node += 1) {
        const path = pathOfNode(diff, node).join('/');
        spans.set(path, (spans.get(path) ?? 0) - (counts[node] ?? 0));
      }
      expect([...spans.values()].every((left) => left === 0)).toBe(true);
    }
  }
});

function pathOfNode(diff: TraceDiff, node: number): string[] {
  // The tree of a difference has the same columns as a trace.
  return pathOf({ ...diff, durationNs: 0, dur: diff.durA, self: diff.selfA }, node);
}

test('rows of one level come by the size of their difference, the largest first', () => {
  for (const [a, b] of pairs().slice(0, 40)) {
    const diff = diffTraces(a, b);
    const size = (node: number) => Math.abs((diff.durA[node] ?? 0) - (diff.durB[node] ?? 0));
    const check = (from: number, end: number) => {
      let before = Number.POSITIVE_INFINITY;
      for (let node = from; node < end; node += diff.subtree[node] ?? 1) {
        expect(size(node)).toBeLessThanOrEqual(before);
        before = size(node);
        check(node + 1, subtreeEnd(diff, node));
      }
    };
    check(0, diff.count);
  }
});

test('sides that are swapped swap their signs', () => {
  for (const [a, b] of pairs()) {
    const [there, back] = [diffTraces(a, b), diffTraces(b, a)];
    expect([there.onlyA, there.onlyB, there.count]).toEqual([back.onlyB, back.onlyA, back.count]);
    expect(sum(there.durA)).toBeCloseTo(sum(back.durB), 3);
    const total = (causes: TraceDiff['causes']) => sum(causes.map(({ difference }) => difference));
    expect(total(there.causes)).toBeCloseTo(-total(back.causes), 3);
  }
});
