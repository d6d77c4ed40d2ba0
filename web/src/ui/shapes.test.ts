// The arithmetic of sparklines, scroll bar thumbs and JSON lines.

import { expect, test } from 'vitest';
import { linesOf, openTo } from './JsonTree/lines.ts';
import { thumbOf, valueAt } from './Scrollbar/thumb.ts';
import { barsOf, pathOf } from './Sparkline/shape.ts';

const size = { width: 12, height: 12, top: 10 };

test('a line breaks at gaps, and a lone point is a dot', () => {
  expect(pathOf([0, 10, null, 5, null], size)).toBe('M1 11L3.5 1M7.5 6h2');
  expect(pathOf([], size)).toBe('');
  expect(pathOf([0, 0], { ...size, top: 0 })).toBe('M1 11L11 11');
});

test('a bar above zero is at least one pixel high', () => {
  expect(barsOf([0, 0.01, 10], size)).toBe('M4 12v-1h3v1zM8 12v-12h3v12z');
});

test('a thumb is at least 24 px and its place means the same value back', () => {
  const bar = { page: 40, total: 1_000_000, length: 600 };
  for (const value of [0, 1, 123_456, 999_960]) {
    const thumb = thumbOf({ ...bar, value });
    expect(thumb.size).toBe(24);
    expect(valueAt({ ...bar, start: thumb.start })).toBeCloseTo(value, 6);
  }
  expect(thumbOf({ page: 40, total: 10, length: 600, value: 0 })).toEqual({ start: 0, size: 600 });
});

test('lines of JSON have the place of each value among its siblings, and paths that differ', () => {
  const value = { 'a/b': [1, { c: null }], d: {} };
  const lines = linesOf(value, new Set(openTo(value, 9)), new Set());
  expect(lines.map(({ path, depth, position, siblings }) => [path, depth, position, siblings])).toEqual([
    ['', 0, 1, 1],
    ['/a~1b', 1, 1, 2],
    ['/a~1b/0', 2, 1, 2],
    ['/a~1b/1', 2, 2, 2],
    ['/a~1b/1/c', 3, 1, 1],
    ['/d', 1, 2, 2],
  ]);
});
