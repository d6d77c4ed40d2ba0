// Rows of the common tree: closing and opening, finding, and the way from a span to its row.

import { expect, test } from 'vitest';
import { generateTrace } from '../../../perf/generate.ts';
import { diffTraces } from '../../model/diff.ts';
import { traceOf } from '../../model/forest.ts';
import { pieces } from './Highlight.tsx';
import { nodeName } from './names.ts';
import { nodeOfRow } from './nodeOfRow.ts';
import { causeText, countText, headline, nextOnly } from './Summary.tsx';
import { differenceText, sideText } from './TreeRow.tsx';
import {
  ancestorsOf,
  type Closing,
  closedNodes,
  extentOf,
  findNodes,
  foldable,
  oneLevelLess,
  oneLevelMore,
  parentOf,
  revealing,
  shownNodes,
  withClosed,
} from './treeRows.ts';

const a = traceOf(`
  web GET 0..2140000000
    shop order 10000000..2090000000
      stock SELECT 20000000..420000000
      stock SELECT 420000000..820000000
      stock SELECT 820000000..1220000000
      stock SELECT 1220000000..1230000000
      mail publish 1300000000..1301000000
`);
const b = traceOf(`
  web GET 0..410000000
    auth check 0..2000000
    shop order 10000000..370000000
      stock SELECT 20000000..29000000
`);
const diff = diffTraces(a, b);
const names = (nodes: Iterable<number>) => [...nodes].map((node) => nodeName(diff, node).operation);

test('a closed row hides what is below it, and opens into the same again', () => {
  expect(names(shownNodes(diff, new Set()))).toEqual(['GET', 'order', 'SELECT', 'publish', 'check']);
  expect(names(shownNodes(diff, new Set([1])))).toEqual(['GET', 'order', 'check']);
  expect(names(shownNodes(diff, new Set([0, 1])))).toEqual(['GET']);
  expect([parentOf(diff, 0), parentOf(diff, 3), parentOf(diff, 4)]).toEqual([-1, 1, 0]);
  expect(ancestorsOf(diff, 3)).toEqual([1, 0]);
  expect(revealing(diff, { level: null, except: [0, 1] }, 3)).toEqual({ level: null, except: [] });
  expect(revealing(diff, { level: 1, except: [] }, 3)).toEqual({ level: 1, except: [1] });
  expect(foldable(diff, 0)).toEqual([0, 1]);
});

test('levels close from the deepest and open from the highest', () => {
  const closed = (closing: Closing) => [...closedNodes(diff, closing)];
  const less = oneLevelLess(diff, new Set());
  expect(less).toEqual({ level: 1, except: [] });
  expect(closed(less)).toEqual([1]);
  const least = oneLevelLess(diff, closedNodes(diff, less));
  expect(closed(least)).toEqual([0, 1]);
  expect(oneLevelMore(diff, closedNodes(diff, least))).toEqual(less);
  expect(oneLevelMore(diff, closedNodes(diff, less))).toEqual({ level: null, except: [] });
});

test('closing and opening a row is identity, whatever the level; rows without children never close', () => {
  for (const level of [null, 0, 1]) {
    const before: Closing = { level, except: [] };
    for (const isClosed of [true, false]) {
      const changed = withClosed(diff, before, [1], isClosed);
      expect(closedNodes(diff, changed).has(1)).toBe(isClosed);
      expect(closedNodes(diff, changed).has(0)).toBe(closedNodes(diff, before).has(0));
      const back = withClosed(diff, changed, [1], closedNodes(diff, before).has(1));
      expect(closedNodes(diff, back)).toEqual(closedNodes(diff, before));
    }
  }
  expect([...closedNodes(diff, { level: null, except: [3, 99] })]).toEqual([]);
});

test('words find rows by service and name, in any case', () => {
  expect(names(findNodes(diff, 'STOCK'))).toEqual(['SELECT']);
  expect(names(findNodes(diff, 'shop ord'))).toEqual(['order']);
  expect(findNodes(diff, ' ')).toEqual([]);
  expect(pieces('shop.Cart/Get cart', ['cart'])).toEqual(['shop.', 'Cart', '/Get ', 'cart']);
  expect(pieces('cart', ['cart'])).toEqual(['', 'cart']);
});

test('sides, differences and causes are told by sign and words', () => {
  expect(headline(diff)).toBe('A is 1.73 s slower');
  expect(headline(diffTraces(b, a))).toBe('A is 1.73 s faster');
  expect(headline(diffTraces(a, a))).toBe('Both take the same time');
  const [select] = diff.causes;
  expect(select && causeText(select)).toBe('+1.2 s, 69 %');
  expect(countText(340, 3)).toBe('×340 / ×3');
  expect([countText(4, 4), countText(1, 1), countText(0, 2)]).toEqual(['×4', '', '×2']);
  expect(causeText({ difference: -5e6, share: -0.2 })).toBe('−5 ms');
  expect(sideText(340, 1.2e9)).toBe('1.2 s ×340');
  expect(sideText(0, 0)).toBe('–');
  expect([0, 2, 3, 4].map((node) => differenceText(diff, node).shown)).toEqual([
    '+1.73 s',
    '+1.2 s',
    'only in A',
    'only in B',
  ]);
  expect(differenceText(diffTraces(a, a), 0)).toEqual({ shown: '±0', spoken: 'none' });
  expect([nextOnly(diff, 'a', -1), nextOnly(diff, 'a', 3), nextOnly(diff, 'b', -1)]).toEqual([3, 3, 4]);
  expect(extentOf(diff)).toEqual({ slower: 1_730_000_000, faster: 2_000_000 });
});

test('the row of a span is found from either side', () => {
  for (const [x, y] of [
    [a, b],
    [generateTrace(800, 3), generateTrace(700, 4)],
  ] as const) {
    const both = diffTraces(x, y);
    for (let node = 0; node < both.count; node += 1) {
      const [rowA, rowB] = [both.rowA[node] ?? -1, both.rowB[node] ?? -1];
      if (rowA >= 0) expect(nodeOfRow(both, x, 'a', rowA)).toBe(node);
      if (rowB >= 0) expect(nodeOfRow(both, y, 'b', rowB)).toBe(node);
    }
  }
});
