import { describe, expect, it } from 'vitest';
import { generateTrace } from '../../perf/generate.ts';
import { type Condition, evaluate } from './evaluate.ts';
import { traceOf } from './forest.ts';
import { RowList } from './rows.ts';
import { rowMapping } from './spanLookup.ts';
import { spanIdOf } from './tree.ts';

const trace = traceOf(`
  web GET 0..100 *
    db SELECT 1..3
    db UPDATE 10..40
    mail send 50..51
`);

function rows(condition: Condition): number[] {
  const bits = evaluate(trace, condition);
  return Array.from({ length: trace.count }, (_, i) => i).filter((i) => bits.has(i));
}

describe('evaluate', () => {
  const isDb: Condition = { type: 'text', field: 'service', op: '=', value: 'db' };
  const isLong: Condition = { type: 'number', field: 'duration', op: '>=', value: 30 };

  it('compares columns', () => {
    expect(rows(isDb)).toEqual([1, 2]);
    expect(rows(isLong)).toEqual([0, 2]);
    expect(rows({ type: 'critical' })).toEqual([0]);
    expect(rows({ type: 'text', field: 'kind', op: '!=', value: 'server' })).toEqual([0, 1, 2, 3]);
    expect(rows({ type: 'text', field: 'name', op: '=~', value: 'S.*|U' })).toEqual([1]);
    expect(rows({ type: 'text', field: 'name', op: '!~', value: '.*E.*' })).toEqual([3]);
  });

  it('joins conditions, of none too', () => {
    expect(rows({ type: 'and', of: [isDb, isLong] })).toEqual([2]);
    expect(rows({ type: 'or', of: [isDb, isLong] })).toEqual([0, 1, 2]);
    expect(rows({ type: 'not', of: isDb })).toEqual([0, 3]);
    expect(rows({ type: 'and', of: [] })).toEqual([0, 1, 2, 3]);
    expect(rows({ type: 'or', of: [] })).toEqual([]);
    expect(evaluate(trace, { type: 'not', of: isDb }).count()).toBe(2);
  });

  it('refuses an expression that is none', () => {
    expect(() => rows({ type: 'text', field: 'name', op: '=~', value: '(' })).toThrow(SyntaxError);
  });
});

describe('rowMapping', () => {
  it('finds the spans of an older version in a newer one', () => {
    const newer = generateTrace(5_000, 3);
    const kept = Array.from({ length: 5_000 }, (_, i) => i).filter((i) => i % 3 !== 1);
    const spanId = new Uint8Array(kept.length * 8);
    kept.forEach((row, i) => {
      spanId.set(newer.spanId.subarray(row * 8, row * 8 + 8), i * 8);
    });
    const rowOf = rowMapping({ ...newer, count: kept.length, spanId }, newer);
    kept.forEach((row, i) => {
      expect(spanIdOf(newer, rowOf(i))).toBe(spanIdOf(newer, row));
    });
    const less = rowMapping(newer, { ...newer, count: kept.length, spanId });
    expect(kept.every((row, i) => less(row) === i)).toBe(true);
    expect([less(1), less(-1), less(5_000)]).toEqual([-1, -1, -1]);
  });

  it('carries what was collapsed to the grown trace', () => {
    const older = new RowList(trace);
    older.collapseAll();
    const newer = new RowList(trace);
    newer.adopt(older, rowMapping(trace, trace));
    expect(newer.length).toBe(1);
  });
});
