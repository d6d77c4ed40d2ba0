// Durations as texts and back, at the places where rounding changes the unit.

import { expect, test } from 'vitest';
import { durationLiteral, formatDuration, formatDurationChange, formatExactNs, parseDuration } from './duration.ts';
import { linearLabel, linearTicks, logTicks, niceStep, TICKS_MAX } from './durationAxis.ts';

const S = 1e9;

test.each([
  [0, '0 ns'],
  [17, '17 ns'],
  [17.25, '17.3 ns'],
  [999, '999 ns'],
  [999.7, '1 µs'],
  [41_234, '41.2 µs'],
  [999_600, '1 ms'],
  [310_000_000, '310 ms'],
  [3_500_000, '3.5 ms'],
  [2_140_312_455, '2.14 s'],
  [59_940_000_000, '59.9 s'],
  [59_960_000_000, '1 m 00 s'],
  [185 * S, '3 m 05 s'],
  [239.7 * S, '4 m 00 s'],
  [3_599.6 * S, '1 h 00 m'],
  [3_720 * S, '1 h 02 m'],
  [86_399 * S, '1 d 00 h'],
  [4 * 86_400 * S + 3 * 3_600 * S, '4 d 03 h'],
  [400 * 86_400 * S, '400 d'],
  [-1_730_000_000, '−1.73 s'],
  [Number.NaN, '–'],
])('%d ns read %s', (ns, text) => {
  expect(formatDuration(ns)).toBe(text);
});

test('a change has its sign, no change has none', () => {
  expect(formatDurationChange(1_730_000_000)).toBe('+1.73 s');
  expect(formatDurationChange(-9_000_000)).toBe('−9 ms');
  expect(formatDurationChange(0)).toBe('0 ns');
  expect(formatDurationChange(Number.POSITIVE_INFINITY)).toBe('–');
});

test('the exact form has all nanoseconds', () => {
  expect(formatExactNs(2_140_312_455)).toBe('2,140,312,455 ns');
  expect(formatExactNs(9_007_199_254_740_993n)).toBe('9,007,199,254,740,993 ns');
  expect(formatExactNs(Number.NaN)).toBe('–');
});

test.each([
  ['1.2s', 1.2 * S],
  ['100ms', 100e6],
  ['500us', 500e3],
  ['500µs', 500e3],
  ['500μs', 500e3],
  ['1m30s', 90 * S],
  ['1 h 02 m', 3_720 * S],
  [' 2.14 s ', 2_140_000_000],
  ['.5s', 0.5 * S],
  ['17ns', 17],
  ['1d', 86_400 * S],
  ['1w', 7 * 86_400 * S],
  ['', null],
  ['100', null],
  ['s', null],
  ['1.2.3s', null],
  ['-1s', null],
  ['1 fortnight', null],
  ['100ms later', null],
  ['9999999y', null],
])('%j is read as %s ns', (text, ns) => {
  expect(parseDuration(text)).toBe(ns);
});

test.each([
  [0, '0ns'],
  [17, '17ns'],
  [1_000_000, '1ms'],
  [1_500_000, '1500us'],
  [90 * S, '90s'],
  [120 * S, '2m'],
  [7_200 * S, '2h'],
])('the literal of %d ns is %s and reads as the same', (ns, text) => {
  expect(durationLiteral(ns)).toBe(text);
  expect(parseDuration(text)).toBe(ns);
});

const labels = (from: number, to: number, px: number) => linearTicks(from, to, px).map((tick) => tick.label);

test('a whole trace is divided into what people count in', () => {
  expect(labels(0, 1.9 * S, 400)).toEqual(['0', '500 ms', '1.0 s', '1.5 s']);
  expect(labels(0, 17, 400)).toEqual(['0', '5 ns', '10 ns', '15 ns']);
  expect(labels(0, 250 * S, 400)).toEqual(['0', '1 m', '2 m', '3 m', '4 m']);
});

test('a deep zoom has decimals that tell neighbours apart', () => {
  expect(labels(1_200_000_000, 1_200_003_000, 320)).toEqual(['1.200000 s', '1.200001 s', '1.200002 s', '1.200003 s']);
  expect(labels(125 * S, 126 * S, 200)).toEqual(['2 m 05.0 s', '2 m 05.5 s', '2 m 06.0 s']);
  expect(labels(7_325 * S, 7_327 * S, 200)).toEqual(['2 h 02 m 05 s', '2 h 02 m 06 s', '2 h 02 m 07 s']);
});

test('rounding carries into the minute', () => {
  expect(linearLabel(119_999_600_000, 1e6)).toBe('2 m 00.000 s');
  expect(linearLabel(-500_000_000, 500e6)).toBe('−500 ms');
});

test('ticks never touch, never repeat and are bounded', () => {
  for (let power = 0; power <= 17; power += 0.25) {
    const span = 10 ** power;
    for (const from of [0, span * 0.37, 3_600 * S]) {
      const ticks = linearTicks(from, from + span, 900);
      expect(ticks.length).toBeLessThanOrEqual(12);
      expect(new Set(ticks.map((tick) => tick.label)).size).toBe(ticks.length);
    }
  }
  expect(linearTicks(0, 1e6, 1e9).length).toBeLessThanOrEqual(TICKS_MAX);
  expect(linearTicks(0, 0, 400)).toEqual([]);
  expect(linearTicks(0, Number.POSITIVE_INFINITY, 400)).toEqual([]);
});

test.each([
  [0.2, 1],
  [3, 5],
  [1e6, 1e6],
  [60e6, 100e6],
  [1.1 * S, 2 * S],
  [11 * S, 15 * S],
  [61 * S, 120 * S],
  [90_000 * S, 2 * 86_400 * S],
])('the step for at least %d ns is %d ns', (atLeast, step) => {
  expect(niceStep(atLeast)).toBe(step);
});

test('a logarithmic axis has decades, then minutes and hours', () => {
  expect(logTicks(1e6, 10 * S, 100).map((tick) => tick.label)).toEqual(['1 ms', '10 ms', '100 ms', '1 s', '10 s']);
  const long = logTicks(1 * S, 86_400 * S, 600).filter((tick) => tick.isMajor);
  expect(long.map((tick) => tick.label)).toEqual(['1 s', '10 s', '1 m', '10 m', '1 h', '10 h', '1 d']);
  expect(logTicks(1e6, 1e7, 200).map((tick) => [tick.label, tick.isMajor])).toEqual([
    ['1 ms', true],
    ['2 ms', false],
    ['5 ms', false],
    ['10 ms', true],
  ]);
  expect(logTicks(0, 0, 100)).toEqual([]);
});
