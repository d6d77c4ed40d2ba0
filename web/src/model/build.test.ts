import { describe, expect, it } from 'vitest';
import { random } from '../../perf/generate.ts';
import { buildTrace, type SpanInput } from './build.ts';
import { FLAG, type TraceColumns } from './columns.ts';
import { RowList } from './rows.ts';
import { parentOf, rowOfSpan, spanIdOf } from './tree.ts';

const EPOCH = 1_700_000_000_000_000_000n;
const hex = (n: number): string => n.toString(16).padStart(16, '0');

/** `id parent from to name`, `-` for no parent. */
function spans(text: string, change: Partial<SpanInput> = {}): SpanInput[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [id = '', parent = '-', from = '0', to = '0', name = `op${id}`] = line.trim().split(/\s+/);
      return {
        spanId: hex(Number(id)),
        parentId: parent === '-' ? null : hex(Number(parent)),
        startNs: EPOCH + BigInt(from),
        durationNs: Number(to) - Number(from),
        service: 'a',
        name,
        kind: 1,
        status: 0,
        isError: false,
        hasEvents: false,
        hasLinks: false,
        ...change,
      };
    });
}

function shown(trace: TraceColumns): string[] {
  return Array.from({ length: trace.count }, (_, i) => {
    const flags = trace.flags[i] as number;
    const marks = `${(flags & FLAG.orphan) !== 0 ? ' orphan' : ''}${(flags & FLAG.incomplete) !== 0 ? ' incomplete' : ''}`;
    return `${'  '.repeat(trace.depth[i] as number)}${Number.parseInt(spanIdOf(trace, i), 16)} self ${trace.self[i]}${marks}`;
  });
}

describe('buildTrace', () => {
  it('orders spans that come in any order, and computes self time', () => {
    const { columns, inputOf } = buildTrace(
      't',
      spans(`
      3 1 50 120
      2 1 10 60
      1 - 0 100
      4 2 20 30
    `),
    );
    // 2 and 3 overlap, and 3 outlives the root.
    expect(shown(columns)).toEqual(['1 self 10', '  2 self 40', '    4 self 10', '  3 self 70']);
    expect([...inputOf]).toEqual([2, 1, 3, 0]);
    expect([...columns.subtree]).toEqual([4, 2, 1, 1]);
    expect(columns).toMatchObject({ startNs: EPOCH, durationNs: 120, count: 4, isComplete: true });
    expect(columns.warnings).toEqual(['1 span lies outside of its parent; clocks may differ']);
  });

  it('puts orphans among the roots and says how many there are', () => {
    const { columns } = buildTrace('t', spans('2 99 0 5\n1 - 3 10\n3 2 1 2'));
    expect(shown(columns)).toEqual(['2 self 4 orphan', '  3 self 1', '1 self 7']);
    expect(columns.isComplete).toBe(false);
    expect(columns.warnings).toEqual(['1 span has a parent that is not in the trace']);
  });

  it('cuts circles at their earliest span', () => {
    const { columns } = buildTrace('t', spans('1 3 5 9\n2 1 3 8\n3 2 6 7\n4 3 6 7\n5 5 0 1'));
    expect(shown(columns)).toEqual([
      '5 self 1 orphan',
      '2 self 4 orphan',
      '  3 self 0',
      '    1 self 4',
      '    4 self 1',
    ]);
    expect(columns.warnings).toContain('2 spans are their own ancestors');
  });

  it('puts a server that shares the id of its client below it', () => {
    const [client] = spans('7 - 0 10 call', { kind: 3 });
    const [server, child] = spans('7 - 2 8 serve\n8 7 3 4 inner', { kind: 2 });
    for (const order of [
      [client, server, child],
      [child, server, client],
    ]) {
      const { columns } = buildTrace('t', order as SpanInput[]);
      expect(Array.from(columns.name, (n) => columns.names[n])).toEqual(['call', 'serve', 'inner']);
      expect([...columns.depth]).toEqual([0, 1, 2]);
    }
  });

  it('flags what has no end, or one before its start', () => {
    const given = spans('1 - 0 10\n2 1 5 3');
    const { columns } = buildTrace('t', [
      ...given,
      { ...(given[1] as SpanInput), spanId: hex(3), durationNs: Number.NaN },
    ]);
    expect(shown(columns)).toEqual(['1 self 10', '  2 self 0 incomplete', '  3 self 0 incomplete']);
  });

  it('finds the critical path from the end of the root backwards', () => {
    const { columns } = buildTrace(
      't',
      spans(`
      1 - 0 100
      2 1 10 40
      3 1 20 60
      4 3 25 50
      5 1 70 140
    `),
    );
    const { row, from, to } = columns.critical;
    expect(Array.from(row, (r, k) => `${Number.parseInt(spanIdOf(columns, r), 16)} ${from[k]}..${to[k]}`)).toEqual([
      '1 0..20',
      '3 20..25',
      '4 25..50',
      '3 50..60',
      '1 60..70',
      '5 70..100',
    ]);
    expect(Array.from(columns.flags, (f) => (f & FLAG.critical) !== 0)).toEqual([true, false, true, true, true]);
  });

  it('survives a chain deeper than a column can say', () => {
    const deep = Array.from({ length: 70_000 }, (_, i) => ({
      ...(spans('1 - 0 10')[0] as SpanInput),
      spanId: hex(i + 1),
      parentId: i === 0 ? null : hex(i),
    }));
    const { columns } = buildTrace('t', deep);
    expect(columns.count).toBe(70_000);
    expect(columns.depth.reduce((deepest, d) => Math.max(deepest, d), 0)).toBe(65_535);
    expect(columns.subtree[69_990]).toBe(10);
    expect(new RowList(columns).length).toBe(70_000);
  });

  it('has an answer for no spans at all', () => {
    expect(buildTrace('t', []).columns).toMatchObject({ count: 0, durationNs: 0, warnings: [] });
  });

  it.each(Array.from({ length: 40 }, (_, i) => i + 1))('keeps every span once, in a proper tree, seed %i', (seed) => {
    const next = random(seed);
    const count = 1 + Math.floor(next() * 120);
    const given = Array.from({ length: count }, (_, i): SpanInput => {
      // Ids that repeat, parents that are missing, themselves, or in a circle.
      const id = next() < 0.05 ? Math.floor(next() * count) : i;
      const parent = next();
      return {
        spanId: hex(id),
        parentId: parent < 0.1 ? null : hex(Math.floor(next() * count * (parent < 0.2 ? 3 : 1))),
        startNs: EPOCH + BigInt(Math.floor(next() * 1_000)),
        durationNs: next() < 0.1 ? 0 : next() < 0.05 ? -5 : next() < 0.03 ? Number.NaN : Math.floor(next() * 500),
        service: `s${Math.floor(next() * 3)}`,
        name: `n${Math.floor(next() * 3)}`,
        kind: Math.floor(next() * 6),
        status: 0,
        isError: next() < 0.1,
        hasEvents: false,
        hasLinks: false,
      };
    });
    const { columns, inputOf } = buildTrace('t', given);
    expect(new Set(inputOf).size).toBe(count);
    for (let row = 0; row < count; row++) {
      const parent = parentOf(columns, row);
      expect(parent < 0 ? 0 : (columns.depth[parent] as number) + 1).toBe(columns.depth[row]);
      const input = given[inputOf[row] as number] as SpanInput;
      // Where the tree has a parent, it is the one that the span named, or the client it shares its id with.
      if (parent >= 0) expect([input.parentId, input.spanId]).toContain(spanIdOf(columns, parent));
      expect(columns.self[row]).toBeGreaterThanOrEqual(0);
      expect(columns.self[row] as number).toBeLessThanOrEqual(columns.dur[row] as number);
    }
    for (let at = 0, end = 0; at < count; at = end) {
      end = at + (columns.subtree[at] as number);
      expect(end).toBeLessThanOrEqual(count);
    }
    const { from, to } = columns.critical;
    for (let k = 0; k < from.length; k++) {
      expect(to[k] as number).toBeGreaterThan(from[k] as number);
      if (k > 0) expect(from[k] as number).toBeGreaterThanOrEqual(to[k - 1] as number);
    }
    const rows = new RowList(columns);
    rows.setFolding(false);
    expect(rows.length).toBe(count);
    expect(rowOfSpan(columns, spanIdOf(columns, 0))).toBe(0);
  });
});
