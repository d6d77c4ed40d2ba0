// What is made of a whole trace: OTLP that reads back as the same trace, a summary for people.

import { expect, it } from 'vitest';
import { generateTrace } from '../../../../perf/generate.ts';
import type { SpanDetails } from '../../../api/types.ts';
import { readTraceFile } from '../../../model/files.ts';
import { TraceSession } from '../state/session.ts';
import { otlpOf } from './otlpJson.ts';
import { summaryOf } from './summary.ts';

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';

function span(id: number, parent: number | null, more: Partial<SpanDetails> = {}): SpanDetails {
  return {
    spanId: id.toString(16).padStart(16, '0'),
    parentSpanId: parent === null ? null : parent.toString(16).padStart(16, '0'),
    ...{ service: 'shop', name: `n${id}`, kind: 'server', status: 'unset', statusMessage: '', durationNs: 1_000 },
    ...{ startNs: String(1_700_000_000_000_000_000n + BigInt(id)), traceState: '', flags: 1, attributes: [] },
    ...{ droppedAttributes: 0, events: [], droppedEvents: 0, links: [], droppedLinks: 0, warnings: [] },
    resource: [{ key: 'service.name', value: { type: 'string', value: 'shop' } }],
    scope: { name: 'lib', version: '1', attributes: [] },
    ...more,
  };
}

it('writes OTLP that reads back as the same spans', () => {
  const spans = [
    span(1, null, {
      attributes: [
        { key: 'text', value: { type: 'string', value: 'a "b"' } },
        { key: 'int', value: { type: 'int', value: '9007199254740993' } },
        { key: 'bool', value: { type: 'bool', value: true } },
        { key: 'list', value: { type: 'json', value: '["a",{"b":true}]' } },
        { key: 'empty', value: { type: 'empty' } },
      ],
    }),
    span(2, 1, {
      ...{ kind: 'client', status: 'error', statusMessage: 'no', traceState: 'a=b', droppedAttributes: 3 },
      events: [{ timeNs: '1700000000000000500', name: 'e', attributes: [], droppedAttributes: 0 }],
      links: [{ traceId: TRACE_ID, spanId: '0000000000000001', traceState: '', attributes: [], droppedAttributes: 0 }],
    }),
    span(3, 1, { scope: { name: 'other', version: '', attributes: [] } }),
  ];
  const { traces, skipped } = readTraceFile(JSON.stringify(otlpOf(TRACE_ID, spans)), 'x.json');
  expect(skipped).toEqual([]);
  expect(traces).toHaveLength(1);
  expect(traces[0]?.columns.traceId).toBe(TRACE_ID);
  expect(traces[0]?.details).toEqual(spans);
});

it('writes a summary with the slowest services and the first errors', () => {
  const session = new TraceSession({ ...generateTrace(2_000), traceId: TRACE_ID }, null);
  const summary = summaryOf(session, 'UTC', 'https://x/trace/1');
  expect(summary).toContain('2,000 spans');
  expect(summary).toMatch(/Started 2023-11-14 22:13:20/);
  expect(summary.match(/^ {2}- service/gm)).toHaveLength(5);
  expect(summary).toMatch(/and \d+ more/);
  expect(summary).toContain(`[${TRACE_ID}](https://x/trace/1)`);
});
