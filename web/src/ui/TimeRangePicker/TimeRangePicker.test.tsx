// @vitest-environment happy-dom
// Times as text, and the picker around them.

import { cleanup, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, test, vi } from 'vitest';
import { TimeRangePicker, timeRangeText } from './TimeRangePicker.tsx';
import { durationNs, readTime, writeTime, zoneOffsetText } from './times.ts';

afterEach(cleanup);

const utc = (text: string) => BigInt(Date.parse(text)) * 1_000_000n;
const now = utc('2026-11-23T15:02:11Z');

test.each([
  ['2026-11-23 14:05', 'UTC', '2026-11-23T14:05:00Z'],
  ['2026-11-23 14:05:06.123', 'Europe/Berlin', '2026-11-23T13:05:06.123Z'],
  ['2026-07-01T14:05:06', 'Europe/Berlin', '2026-07-01T12:05:06Z'],
  ['14:05', 'Europe/Berlin', '2026-11-23T13:05:00Z'],
  ['2026-11-20', 'UTC', '2026-11-20T00:00:00Z'],
  ['2026-11-23T14:05:00Z', 'Asia/Tokyo', '2026-11-23T14:05:00Z'],
  ['2026-11-23T14:05:00+05:30', 'UTC', '2026-11-23T08:35:00Z'],
  ['now', 'UTC', '2026-11-23T15:02:11Z'],
  ['now-2h', 'UTC', '2026-11-23T13:02:11Z'],
  ['-90m', 'UTC', '2026-11-23T13:32:11Z'],
  ['1763899200', 'UTC', '2025-11-23T12:00:00Z'],
  ['1763899200000000', 'UTC', '2025-11-23T12:00:00Z'],
])('%s in %s is %s', (typed, zone, instant) => {
  expect(readTime(typed, zone, now)).toBe(utc(instant));
});

test.each(['', 'yesterday', '2026-02-30', '25:00', '2026-11-23 14:61', '-3x', '12345'])('"%s" is no time', (typed) => {
  expect(readTime(typed, 'UTC', now)).toBeNull();
});

test('nanoseconds are kept; what is written can be read, on both sides of a change of clocks', () => {
  expect(readTime('2026-11-23 14:05:06.123456789', 'UTC', now)).toBe(utc('2026-11-23T14:05:06Z') + 123_456_789n);
  for (const zone of ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe'])
    for (const at of ['2026-03-29T00:59:00Z', '2026-03-29T01:01:00Z', '2026-10-25T02:01:00Z', '2026-11-01T12:00:00Z'])
      expect(readTime(writeTime(utc(at), zone), zone, now)).toBe(utc(at));
});

test('durations and offsets', () => {
  expect(durationNs('90m')).toBe(5_400_000_000_000n);
  expect(durationNs('90 minutes')).toBeNull();
  expect(zoneOffsetText(now, 'Asia/Kolkata')).toBe('UTC+05:30');
  expect(zoneOffsetText(now, 'America/New_York')).toBe('UTC−05:00');
  expect(timeRangeText({ range: '1h' }, 'UTC')).toBe('Last 1 hour');
  const range = { fromNs: String(utc('2026-11-23T14:00:00Z')), toNs: String(utc('2026-11-23T15:00:00Z')) };
  expect(timeRangeText(range, 'Europe/Berlin')).toBe('2026-11-23 15:00:00 – 16:00:00 UTC+01:00');
});

test('a preset stays relative; another duration can be typed', async () => {
  const onChange = vi.fn();
  render(<TimeRangePicker value={{ range: '1h' }} zone="UTC" onChange={onChange} />);
  await userEvent.click(screen.getByRole('button', { name: 'Last 1 hour' }));
  await userEvent.click(screen.getByRole('button', { name: 'Last 15 minutes' }));
  expect(onChange).toHaveBeenLastCalledWith({ range: '15m' });
  await userEvent.click(screen.getByRole('button', { name: 'Last 1 hour' }));
  const other = screen.getByRole('textbox', { name: /Other/ });
  await userEvent.type(other, 'soon{Enter}');
  expect(screen.getByRole('alert').textContent).toContain('A number and');
  await userEvent.clear(other);
  await userEvent.type(other, '90m{Enter}');
  expect(onChange).toHaveBeenLastCalledWith({ range: '90m' });
});

test('the longest preset is the one that is allowed, also where it is none of the usual', async () => {
  const shown = async (longest: string) => {
    render(<TimeRangePicker value={{ range: '1h' }} zone="UTC" onChange={() => undefined} longest={longest} />);
    await userEvent.click(screen.getByRole('button', { name: 'Last 1 hour' }));
    const presets = screen.getAllByRole('button', { name: /^Last/ }).map((one) => one.textContent);
    cleanup();
    return presets.slice(-2);
  };
  expect(await shown('48h')).toEqual(['Last 24 hours', 'Last 2 days']);
  expect(await shown('2w')).toEqual(['Last 7 days', 'Last 2 weeks']);
  expect(await shown('4h')).toEqual(['Last 3 hours', 'Last 4 hours']);
});

test('instants are read in the zone; wrong ones are named at their field', async () => {
  const onChange = vi.fn();
  render(<TimeRangePicker value={{ range: '1h' }} zone="Europe/Berlin" onChange={onChange} nowNs={() => now} />);
  await userEvent.click(screen.getByRole('button', { name: 'Last 1 hour' }));
  const from = screen.getByRole<HTMLInputElement>('textbox', { name: 'From' });
  const to = screen.getByRole<HTMLInputElement>('textbox', { name: 'To' });
  expect([from.value, to.value]).toEqual(['2026-11-23 15:02:11', '2026-11-23 16:02:11']);
  await userEvent.clear(to);
  await userEvent.type(to, '14:00{Enter}');
  expect(to.getAttribute('aria-invalid')).toBe('true');
  expect(screen.getByRole('alert').textContent).toContain('after');
  await userEvent.clear(from);
  await userEvent.type(from, '13:00');
  await userEvent.click(screen.getByRole('button', { name: 'Apply' }));
  const expected = { fromNs: String(utc('2026-11-23T12:00:00Z')), toNs: String(utc('2026-11-23T13:00:00Z')) };
  expect(onChange).toHaveBeenCalledExactlyOnceWith(expected);
});
