import { expect, it } from 'vitest';
import type { KeyValue, SpanDetails } from '../api/types.ts';
import { columnOfFile, keysOfFile } from './fileColumn.ts';

const text = (key: string, value: string): KeyValue => ({ key, value: { type: 'string', value } });
const span = (attributes: KeyValue[], resource: KeyValue[] = [], more: Partial<SpanDetails> = {}): SpanDetails => ({
  ...{ spanId: '1', parentSpanId: null, service: 's', name: 'n', kind: 'server', status: 'unset', statusMessage: '' },
  ...{ startNs: '0', durationNs: 1, traceState: '', flags: 0, attributes, droppedAttributes: 0, events: [] },
  ...{ droppedEvents: 0, links: [], droppedLinks: 0, resource, warnings: [] },
  scope: { name: '', version: '', attributes: [] },
  ...more,
});

const details = [
  span([text('a', 'x'), text('b c', '1')], [text('host', 'n1')]),
  span([text('a', 'y'), { key: 'n', value: { type: 'int', value: '7' } }]),
  span([text('a', 'y'), { key: 'e', value: { type: 'empty' } }], [text('a', 'r')], { name: 'm' }),
  span([], [text('a', 'r')]),
];

it('has the values of a field by row, the most frequent first, wherever the field says', () => {
  const of = (field: string) => {
    const { values, rows } = columnOfFile(details, field);
    return Array.from(rows as Uint32Array, (code) => values[code - 1] ?? null);
  };
  expect(columnOfFile(details, 'span.a').values).toEqual(['y', 'x']);
  expect(of('span.a')).toEqual(['x', 'y', 'y', null]);
  expect(of('resource.a')).toEqual([null, null, 'r', 'r']);
  expect(of('.a')).toEqual(['x', 'y', 'y', 'r']);
  expect(of('span."b c"')).toEqual(['1', null, null, null]);
  expect(of('span.n')).toEqual([null, '7', null, null]);
  expect(of('span.e')).toEqual([null, null, null, null]);
  expect(of('name')).toEqual(['n', 'n', 'm', 'n']);
});

it('has the fields of the spans, as queries name them', () => {
  expect(keysOfFile(details).slice(0, 2)).toEqual([
    { field: 'span.a', spans: 3 },
    { field: 'resource.a', spans: 2 },
  ]);
  expect(keysOfFile(details).map(({ field }) => field)).toContain('span."b c"');
});
