import { describe, expect, it } from 'vitest';
import { generateTrace, random } from '../../perf/generate.ts';
import { traceOf } from './forest.ts';
import { quantile } from './quantile.ts';
import { distributionOf } from './rowsDistribution.ts';
import { groupStats, sortStats } from './stats.ts';
import { summarize } from './summary.ts';

const trace = traceOf(`
  web GET 0..100
    db SELECT 0..10
    db SELECT 10..40 !
    db UPDATE 50..60
  lost job 20..30 ~
`);

describe('groupStats', () => {
  it('sums by one key, the largest self time first', () => {
    const stats = groupStats(trace, ['service']);
    expect(stats.map(({ keys, count, errors, total, self }) => [keys[0], count, errors, total, self])).toEqual([
      ['db', 3, 1, 50, 50],
      ['web', 1, 0, 100, 50],
      ['lost', 1, 0, 10, 10],
    ]);
    expect(stats.reduce((sum, one) => sum + one.share, 0)).toBeCloseTo(1);
  });

  it('sums by two keys and sorts by any column', () => {
    const stats = groupStats(trace, ['service', 'name']);
    expect(stats.find((one) => one.keys[1] === 'SELECT')).toMatchObject({
      count: 2,
      average: 20,
      p95: 30,
      longest: 30,
    });
    expect(sortStats(stats, 'count', true)[0]?.keys).toEqual(['db', 'SELECT']);
    expect(sortStats(stats, 1, false).map((one) => one.keys[1])).toEqual(['GET', 'SELECT', 'UPDATE', 'job']);
  });

  it('sums by the values of a field, and tells what has none apart from what is empty', () => {
    const tier = { values: ['gold', ''], rows: [1, 1, 0, 2, 0] };
    const stats = groupStats(trace, [tier, 'service']);
    expect(stats.map(({ keys, count, self }) => [...keys, count, self])).toEqual([
      ['gold', 'web', 1, 50],
      [null, 'db', 1, 30],
      ['', 'db', 1, 10],
      [null, 'lost', 1, 10],
      ['gold', 'db', 1, 10],
    ]);
    expect(sortStats(stats, 0, false)[0]?.keys[0]).not.toBe('gold');
    // What came after the values were asked for has none.
    expect(groupStats(trace, [{ values: ['a'], rows: [1] }]).map(({ keys }) => keys[0])).toEqual([null, 'a']);
  });

  it('loses no span of a large trace, whatever the keys', () => {
    const big = generateTrace(3_000, 2);
    for (const keys of [['name'], ['kind'], ['status', 'critical'], ['depth', 'service'], ['name', 'name']] as const) {
      const stats = groupStats(big, keys);
      expect(stats.reduce((sum, one) => sum + one.count, 0)).toBe(3_000);
      expect(stats.reduce((sum, one) => sum + one.errors, 0)).toBe(big.errors);
    }
  });

  it('answers for an empty trace', () => {
    expect(groupStats(generateTrace(0), ['service'])).toEqual([]);
    expect(summarize(generateTrace(0))).toMatchObject({ root: -1, spans: 0, services: [] });
  });
});

describe('quantile', () => {
  it('is what sorting would give', () => {
    const next = random(8);
    for (let n = 1; n < 200; n++) {
      const values = Float64Array.from({ length: n }, () => Math.floor(next() * 20));
      const sorted = values.toSorted();
      for (const q of [0, 0.5, 0.95, 1])
        expect(quantile(values.slice(), q)).toBe(sorted[Math.max(0, Math.ceil(q * n) - 1)]);
    }
    expect(quantile(new Float64Array(0), 0.5)).toBeNaN();
  });
});

describe('summarize', () => {
  it('has the services by their share of self time, and what is odd', () => {
    const facts = summarize(trace);
    expect(facts).toMatchObject({ rootService: 'web', rootName: 'GET', spans: 5, errors: 1, orphans: 1, deepest: 1 });
    expect(facts.services.map(({ name, spans, errors }) => [name, spans, errors])).toEqual([
      ['db', 3, 1],
      ['web', 1, 0],
      ['lost', 1, 0],
    ]);
  });
});

describe('distributionOf', () => {
  it('describes the members of a run', () => {
    const d = distributionOf(trace, [1, 2, 3]);
    expect(d).toMatchObject({ count: 3, errors: 1, sum: 50, p95: 30, shortest: 10, longest: 30, from: 0, to: 60 });
    expect([d.buckets[0], d.buckets[15]]).toEqual([2, 1]);
    expect(distributionOf(trace, []).count).toBe(0);
    expect(distributionOf(trace, [3]).buckets[0]).toBe(1);
  });
});
