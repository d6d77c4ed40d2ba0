import { describe, expect, it } from 'vitest';
import { generateTrace, random } from '../../perf/generate.ts';
import { Bits } from './bits.ts';
import { FLAG } from './columns.ts';
import { findFlags, findText, matchesOf, wordsOf } from './find.ts';
import { traceOf } from './forest.ts';
import { spanIdOf } from './tree.ts';

const trace = traceOf(`
  web GET_/cart 0..10
    cart load 1..3
    db SELECT_cart 3..4 !
    db UPDATE 5..6
`);
const rowsOf = (text: string): number[] =>
  Array.from({ length: trace.count }, (_, i) => i).filter((i) => findText(trace, text).bits.has(i));

describe('findText', () => {
  it('finds any word in the name or the service, in any case', () => {
    expect(rowsOf('CART')).toEqual([0, 1, 2]);
    expect(rowsOf('load update')).toEqual([1, 3]);
    expect(rowsOf('load -update')).toEqual([1]);
    expect(rowsOf('-load')).toEqual([]);
    expect(rowsOf('"get_/ca')).toEqual([0]);
    expect(rowsOf('nothing')).toEqual([]);
    expect(rowsOf('  ')).toEqual([]);
    expect(wordsOf('a "b c" d"')).toEqual(['a', 'b c', 'd"']);
  });

  it('finds a span by its id', () => {
    expect(rowsOf(spanIdOf(trace, 3))).toEqual([3]);
    expect(rowsOf(spanIdOf(trace, 3).toUpperCase())).toEqual([3]);
    expect(rowsOf(`${spanIdOf(trace, 3)} ${spanIdOf(trace, 1)}`)).toEqual([1, 3]);
  });

  it('walks through the matches in both directions and round the ends', () => {
    const matches = findText(trace, 'cart');
    expect([matches.next(-1), matches.next(0), matches.next(2)]).toEqual([0, 1, 0]);
    expect([matches.previous(0), matches.previous(2), matches.previous(3)]).toEqual([2, 1, 2]);
    expect([0, 1, 2, 3].map((row) => matches.ordinal(row))).toEqual([1, 2, 3, 0]);
    expect(findText(trace, 'nothing').next(0)).toBe(-1);
    expect(findFlags(trace, FLAG.error).next(0)).toBe(2);
    expect(matchesOf(trace, [1, 1, 77, -1, 0.5]).count).toBe(1);
  });
});

describe('Bits', () => {
  it('agrees with a set', () => {
    const next = random(5);
    for (const length of [0, 1, 31, 32, 33, 100, 1_000]) {
      const bits = new Bits(length);
      const set = new Set<number>();
      for (let step = 0; step < 300; step++) {
        const i = Math.floor(next() * (length + 3));
        if (next() < 0.6) {
          bits.add(i);
          if (i < length) set.add(i);
        } else {
          bits.delete(i);
          set.delete(i);
        }
        const a = Math.floor(next() * (length + 2));
        const b = Math.floor(next() * (length + 2));
        const sorted = [...set].sort((x, y) => x - y);
        expect(bits.has(a)).toBe(set.has(a));
        expect(bits.count(a, b)).toBe(sorted.filter((x) => x >= a && x < b).length);
        expect(bits.next(a)).toBe(sorted.find((x) => x >= a) ?? -1);
        expect(bits.previous(a)).toBe(sorted.findLast((x) => x <= a) ?? -1);
      }
      expect(bits.isEmpty).toBe(set.size === 0);
    }
  });
});

describe('a generated trace', () => {
  it('is a tree: every row but the top ones is one below its parent and inside its subtree', () => {
    const big = generateTrace(5_000, 4);
    for (let i = 1; i < big.count; i++)
      expect(big.depth[i] as number).toBeLessThanOrEqual((big.depth[i - 1] as number) + 1);
    let at = 0;
    while (at < big.count) at += big.subtree[at] as number;
    expect(at).toBe(big.count);
  });
});
