// Instants as texts in zones with and without summer time, and the ticks of a time axis over clock changes.

import { expect, test } from 'vitest';
import { clockTime, dateTime, dayText, isZone, relativeTime, shortDateTime, timeTooltip, zoneLabel } from './time.ts';
import { TIME_TICKS_MAX, timeTicks } from './timeAxis.ts';
import { instantOf, wallTime } from './zone.ts';

const S = 1_000_000_000n;
const at = (text: string) => BigInt(Date.parse(text)) * 1_000_000n;
const NOW = at('2026-11-28T14:02:11Z') + 482_123_456n;

test('one instant is a different clock in each zone', () => {
  expect(dateTime(NOW, 'UTC')).toBe('2026-11-28 14:02:11.482');
  expect(dateTime(NOW, 'Europe/Berlin')).toBe('2026-11-28 15:02:11.482');
  expect(dateTime(NOW, 'Asia/Kathmandu', 9)).toBe('2026-11-28 19:47:11.482123456');
  expect(dateTime(NOW, 'America/New_York', 0)).toBe('2026-11-28 09:02:11');
  expect(dateTime(at('2026-12-31T23:30:00Z'), 'Pacific/Auckland', 0)).toBe('2027-01-01 12:30:00');
  expect(clockTime(NOW, 'UTC', 6)).toBe('14:02:11.482123');
  expect(dayText(NOW, 'UTC')).toBe('28 Nov');
});

test('an instant before the epoch and one that no date can hold have a text', () => {
  expect(dateTime(-1n, 'UTC', 9)).toBe('1969-12-31 23:59:59.999999999');
  expect(() => dateTime(10n ** 30n, 'Europe/Berlin')).not.toThrow();
});

test('summer time moves the clock, and the label says so', () => {
  const before = at('2026-03-29T00:59:59Z');
  expect(dateTime(before, 'Europe/Berlin', 0)).toBe('2026-03-29 01:59:59');
  expect(dateTime(before + S, 'Europe/Berlin', 0)).toBe('2026-03-29 03:00:00');
  expect(zoneLabel(before, 'Europe/Berlin')).toBe('CET');
  expect(zoneLabel(before + S, 'Europe/Berlin')).toBe('CEST');
  expect(zoneLabel(NOW, 'America/New_York')).toBe('EST');
  expect(zoneLabel(NOW, 'Asia/Kathmandu')).toBe('UTC+05:45');
  expect(zoneLabel(NOW, 'UTC')).toBe('UTC');
});

test('a change in the middle of an hour is seen to the second', () => {
  const change = at('2020-10-03T16:01:00Z');
  expect(dateTime(change - S, 'Antarctica/Casey', 0)).toBe('2020-10-04 00:00:59');
  expect(dateTime(change, 'Antarctica/Casey', 0)).toBe('2020-10-04 03:01:00');
});

test('a wall time becomes its instant, also where the clock changes', () => {
  const wall = { year: 2026, month: 10, day: 25, hour: 2, minute: 30, second: 0 };
  // Twice on that night: the first one, still in summer time, wins.
  expect(instantOf(wall, 'Europe/Berlin')).toBe(at('2026-10-25T00:30:00Z'));
  // Never on that night: as far behind the jump.
  expect(instantOf({ ...wall, month: 3, day: 29 }, 'Europe/Berlin')).toBe(at('2026-03-29T01:30:00Z'));
  for (const zone of [
    'UTC',
    'Europe/Berlin',
    'America/New_York',
    'Asia/Kathmandu',
    'Australia/Lord_Howe',
    'Pacific/Apia',
  ]) {
    for (let hour = 0; hour < 24 * 365; hour += 7) {
      const wallHere = wallTime(at('2026-01-01T00:00:00Z') + BigInt(hour) * 3_600n * S, zone);
      expect(wallTime(instantOf(wallHere, zone), zone)).toEqual(wallHere);
    }
  }
});

test("the browser's zone is the one that the browser says", () => {
  expect(dateTime(NOW, 'browser')).toBe(dateTime(NOW, new Intl.DateTimeFormat().resolvedOptions().timeZone));
});

test('zones that do not exist are known as such, and read as UTC', () => {
  expect(isZone('browser')).toBe(true);
  expect(isZone('Europe/Berlin')).toBe(true);
  expect(isZone('Mars/Olympus')).toBe(false);
  expect(dateTime(NOW, 'Mars/Olympus', 0)).toBe('2026-11-28 14:02:11');
});

test.each([
  [0n, 'just now'],
  [1_900_000_000n, 'just now'],
  [12n * S, '12 s ago'],
  [-2n * S, 'in 2 s'],
  [239n * S, '3 min ago'],
  [7_300n * S, '2 h ago'],
  [47n * 3_600n * S, '47 h ago'],
  [5n * 86_400n * S, '5 d ago'],
  [-180n * S, 'in 3 min'],
])('%d ns back is %s', (age, text) => {
  expect(relativeTime(NOW - age, NOW)).toBe(text);
});

test('a tooltip has the local time, UTC and the age', () => {
  expect(timeTooltip(NOW - 180n * S, NOW, 'Europe/Berlin')).toEqual({
    local: '2026-11-28 14:59:11.482123456 CET',
    utc: '2026-11-28 13:59:11.482123456 UTC',
    relative: '3 min ago',
  });
  expect(shortDateTime(NOW - 60n * S, NOW, 'UTC', 0)).toBe('14:01:11');
  expect(shortDateTime(NOW - 86_400n * S, NOW, 'UTC', 0)).toBe('2026-11-27 14:02:11');
});

const labels = (from: string, to: string, px: number, zone: string) =>
  timeTicks(at(from), at(to), px, zone).map((tick) => tick.label);

test('an hour has ticks on round minutes, a second on round milliseconds', () => {
  expect(labels('2026-11-28T14:02:00Z', '2026-11-28T15:02:00Z', 400, 'UTC')).toEqual([
    '14:15',
    '14:30',
    '14:45',
    '15:00',
  ]);
  expect(labels('2026-11-28T14:02:00Z', '2026-11-28T14:06:00Z', 400, 'UTC')).toEqual([
    '14:02',
    '14:03',
    '14:04',
    '14:05',
    '14:06',
  ]);
  expect(labels('2026-11-28T14:02:00Z', '2026-11-28T14:02:01Z', 250, 'UTC')).toEqual([
    '14:02:00.000',
    '14:02:00.500',
    '14:02:01.000',
  ]);
});

test('days begin at midnight of the zone', () => {
  expect(timeTicks(at('2026-11-26T14:00:00Z'), at('2026-11-28T14:00:00Z'), 400, 'Asia/Kathmandu')).toEqual([
    { atNs: at('2026-11-26T18:15:00Z'), label: '27 Nov' },
    { atNs: at('2026-11-27T06:15:00Z'), label: '12:00' },
    { atNs: at('2026-11-27T18:15:00Z'), label: '28 Nov' },
    { atNs: at('2026-11-28T06:15:00Z'), label: '12:00' },
  ]);
  expect(labels('2026-01-01T00:00:00Z', '2026-12-31T00:00:00Z', 500, 'UTC')).toEqual([
    '2026-01',
    '2026-04',
    '2026-07',
    '2026-10',
  ]);
  expect(labels('2019-06-01T00:00:00Z', '2026-06-01T00:00:00Z', 400, 'UTC')).toEqual(['2020', '2022', '2024', '2026']);
});

test('weeks begin on a Monday', () => {
  expect(labels('2026-11-01T00:00:00Z', '2026-12-01T00:00:00Z', 500, 'UTC')).toEqual([
    '2 Nov',
    '9 Nov',
    '16 Nov',
    '23 Nov',
    '30 Nov',
  ]);
});

test('ticks stay on the hour when the clock changes', () => {
  expect(labels('2026-03-28T23:00:00Z', '2026-03-29T05:00:00Z', 620, 'Europe/Berlin')).toEqual([
    '29 Mar',
    '01:00',
    '03:00',
    '04:00',
    '05:00',
    '06:00',
    '07:00',
  ]);
  const autumn = timeTicks(at('2026-10-24T22:00:00Z'), at('2026-10-25T23:00:00Z'), 500, 'Europe/Berlin');
  expect(autumn.map((tick) => tick.label)).toEqual(['25 Oct', '06:00', '12:00', '18:00', '26 Oct']);
});

test('ticks of a time axis ascend and are bounded, at any zoom', () => {
  for (let power = 0; power < 19; power += 0.5) {
    const ticks = timeTicks(NOW, NOW + BigInt(Math.round(10 ** power)), 900, 'America/New_York');
    expect(ticks.length).toBeLessThanOrEqual(11);
    for (const [i, tick] of ticks.entries()) expect(i === 0 || (ticks[i - 1]?.atNs ?? 0n) < tick.atNs).toBe(true);
  }
  expect(timeTicks(NOW, NOW + 10n ** 15n, 1e9, 'UTC').length).toBeLessThanOrEqual(TIME_TICKS_MAX);
  expect(timeTicks(NOW, NOW, 100, 'UTC')).toEqual([]);
});
