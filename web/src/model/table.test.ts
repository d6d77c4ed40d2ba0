import { describe, expect, it } from 'vitest';
import { generateTrace } from '../../perf/generate.ts';
import { Bits } from './bits.ts';
import { eventTimes } from './events.ts';
import { sortRows, TABLE_COLUMNS } from './table.ts';

describe('sortRows', () => {
  const trace = generateTrace(3_000, 7);

  it.each(TABLE_COLUMNS)('sorts by %s in both directions, equal rows as in the trace', (by) => {
    const value = (row: number): number | string => {
      if (by === 'service') return trace.services[trace.service[row] as number] as string;
      return by === 'name' ? (trace.names[trace.name[row] as number] as string) : (trace[by][row] as number);
    };
    for (const isDescending of [false, true]) {
      const sign = isDescending ? -1 : 1;
      const expected = Array.from({ length: trace.count }, (_, i) => i).sort(
        (a, b) => sign * (value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : 0) || a - b,
      );
      expect([...sortRows(trace, by, isDescending)]).toEqual(expected);
    }
  });

  it('sorts only the rows that are asked for', () => {
    const rows = new Bits(trace.count);
    for (const row of [9, 100, 7]) rows.add(row);
    expect([...sortRows(trace, 'start', false, rows)].toSorted((a, b) => a - b)).toEqual([7, 9, 100]);
  });
});

describe('eventTimes', () => {
  it('has the times of a row from the start of the trace', () => {
    const times = eventTimes({ startNs: 1_700_000_000_000_000_000n, count: 3 }, [
      { row: 1, timeNs: '1700000000000000009' },
      { row: 1, timeNs: '1700000000000000002' },
      { row: 7, timeNs: '1' },
      { row: 2, timeNs: 'x' },
    ]);
    expect([...times(1)]).toEqual([2, 9]);
    expect([...times(2), ...times(7)]).toEqual([]);
  });
});
