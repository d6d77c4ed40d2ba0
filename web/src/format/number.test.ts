// What numbers look like, at the places where rounding changes the unit or the meaning.

import { expect, test } from 'vitest';
import { formatBytes, formatCount, formatCountExact, formatPercent, formatRate } from './number.ts';

test.each([
  [0, '0'],
  [7, '7'],
  [1204, '1,204'],
  [9999, '9,999'],
  [10_000, '10 k'],
  [12_400, '12.4 k'],
  [99_949, '99.9 k'],
  [99_960, '100 k'],
  [999_499, '999 k'],
  [999_960, '1 M'],
  [1_300_000, '1.3 M'],
  [2_500_000_000, '2.5 G'],
  [-12_400, '−12.4 k'],
  [Number.NaN, '–'],
  [Number.POSITIVE_INFINITY, '–'],
])('a count of %d reads %s', (count, text) => {
  expect(formatCount(count)).toBe(text);
});

test('an exact count has all its digits', () => {
  expect(formatCountExact(12_400_213)).toBe('12,400,213');
  expect(formatCountExact(9_007_199_254_740_993n)).toBe('9,007,199,254,740,993');
  expect(formatCountExact(-5)).toBe('−5');
  expect(formatCountExact(Number.NaN)).toBe('–');
});

test.each([
  [0, '0 %'],
  [0.00001, '< 0.01 %'],
  [0.0042, '0.42 %'],
  [0.009, '0.9 %'],
  [0.00996, '1 %'],
  [0.031, '3.1 %'],
  [0.0994, '9.9 %'],
  [0.0996, '10 %'],
  [0.56, '56 %'],
  [0.9949, '99 %'],
  [0.9951, '99.5 %'],
  [0.9982, '99.8 %'],
  [0.99999, '> 99.9 %'],
  [1, '100 %'],
  [4.2, '420 %'],
  [-0.031, '−3.1 %'],
  [Number.NaN, '–'],
])('a share of %d reads %s', (share, text) => {
  expect(formatPercent(share)).toBe(text);
});

test.each([
  [0, '0/s'],
  [212, '212/s'],
  [212.4, '212/s'],
  [21.24, '21.2/s'],
  [0.42, '0.42/s'],
  [0.05, '3/min'],
  [0.001, '3.6/h'],
  [0.000001, '< 0.1/h'],
  [1240, '1,240/s'],
  [12_400, '12.4 k/s'],
  [Number.NaN, '–'],
])('%d a second reads %s', (rate, text) => {
  expect(formatRate(rate)).toBe(text);
});

test.each([
  [0, '0 B'],
  [512, '512 B'],
  [999, '999 B'],
  [1000, '1 kB'],
  [41_234, '41.2 kB'],
  [999_999, '1 MB'],
  [200_000_000_000, '200 GB'],
  [Number.NaN, '–'],
])('%d bytes read %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});
