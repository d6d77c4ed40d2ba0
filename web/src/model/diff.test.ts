import { describe, expect, it } from 'vitest';
import { generateTrace } from '../../perf/generate.ts';
import { diffTraces, isEmptyDiff, type TraceDiff } from './diff.ts';
import { traceOf } from './forest.ts';

function shown(diff: TraceDiff): string[] {
  return Array.from({ length: diff.count }, (_, i) => {
    const side = (count: number, dur: number): string => (count === 0 ? '–' : `${dur}${count > 1 ? `×${count}` : ''}`);
    const name = diff.names[diff.name[i] as number];
    return `${'  '.repeat(diff.depth[i] as number)}${name} ${side(diff.countA[i] as number, diff.durA[i] as number)} ${side(diff.countB[i] as number, diff.durB[i] as number)}`;
  });
}

const a = traceOf(`
  web GET 0..214
    shop order 3..211
      db SELECT 10..40
      db SELECT 40..70
      db SELECT 70..100
      db SELECT 100..130
      mail publish 200..201
`);
const b = traceOf(`
  web GET 0..41
    auth check 0..1
    shop order 3..39
      db SELECT 10..13
      db SELECT 14..20
`);

describe('diffTraces', () => {
  it('aligns by path, counts like siblings, and puts the largest difference first', () => {
    const diff = diffTraces(a, b);
    expect(shown(diff)).toEqual([
      'GET 214 41',
      '  order 208 36',
      '    SELECT 120×4 9×2',
      '    publish 1 –',
      '  check – 1',
    ]);
    expect([...diff.subtree]).toEqual([5, 3, 1, 1, 1]);
    expect([diff.onlyA, diff.onlyB]).toEqual([1, 1]);
    expect(diff.rowA[2]).toBe(2);
    expect(diff.rowB[3]).toBe(-1);
  });

  it('explains the difference by self time', () => {
    const [first, second] = diffTraces(a, b).causes;
    expect(first).toMatchObject({ service: 'db', name: 'SELECT', difference: 111, countA: 4, countB: 2, node: 2 });
    expect(first?.share).toBeCloseTo(111 / 173);
    expect(second).toMatchObject({ service: 'shop', name: 'order', difference: 60 });
  });

  it('compares the same few like siblings by position', () => {
    const before = traceOf('a root 0..100\n  a try 0..10\n  a try 10..90');
    const after = traceOf('a root 0..100\n  a try 0..80\n  a try 80..90');
    expect(shown(diffTraces(before, after)).slice(1)).toEqual(['  try 10 80', '  try 80 10']);
  });

  it('is the other way round when the sides are', () => {
    const [ab, ba] = [diffTraces(a, b), diffTraces(b, a)];
    expect(ba.causes.map(({ difference }) => -difference)).toEqual(ab.causes.map(({ difference }) => difference));
    expect([ba.onlyA, ba.onlyB]).toEqual([ab.onlyB, ab.onlyA]);
  });

  it('finds nothing between a trace and itself, and loses no span', () => {
    for (const [spans, seed] of [
      [0, 1],
      [1, 1],
      [500, 2],
      [5_000, 3],
    ] as const) {
      const trace = generateTrace(spans, seed);
      const diff = diffTraces(trace, trace);
      expect(isEmptyDiff(diff)).toBe(true);
      expect(diff.causes).toEqual([]);
      expect([diff.onlyA, diff.onlyB]).toEqual([0, 0]);
      expect(diff.countA.reduce((sum, count) => sum + count, 0)).toBe(spans);
    }
  });

  it('counts every span of two different traces once', () => {
    const x = generateTrace(2_000, 5);
    const y = generateTrace(1_500, 6);
    const diff = diffTraces(x, y);
    expect(diff.countA.reduce((sum, count) => sum + count, 0)).toBe(2_000);
    expect(diff.countB.reduce((sum, count) => sum + count, 0)).toBe(1_500);
  });
});
