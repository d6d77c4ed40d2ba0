import { describe, expect, it } from 'vitest';
import { setLanguage } from '../i18n/catalogue.ts';
import { FLAG } from './columns.ts';
import { readTraceFile } from './files.ts';

const JAEGER = {
  data: [
    {
      traceID: 'ABC',
      processes: {
        p1: { serviceName: 'web', tags: [{ key: 'host', type: 'string', value: 'n1' }] },
        p2: { serviceName: 'db' },
      },
      spans: [
        {
          traceID: 'abc',
          spanID: 'b',
          processID: 'p2',
          operationName: 'SELECT',
          references: [
            { refType: 'FOLLOWS_FROM', traceID: 'fff', spanID: '9' },
            { refType: 'CHILD_OF', traceID: 'abc', spanID: 'a' },
          ],
          startTime: 1_700_000_000_000_010,
          duration: 20,
          tags: [
            { key: 'error', type: 'bool', value: true },
            { key: 'span.kind', type: 'string', value: 'client' },
            { key: 'rows', type: 'int64', value: 12 },
          ],
          logs: [
            {
              timestamp: 1_700_000_000_000_012,
              fields: [
                { key: 'event', type: 'string', value: 'retry' },
                { key: 'n', type: 'int64', value: 2 },
              ],
            },
          ],
          warnings: ['clock skew'],
        },
        {
          traceID: 'abc',
          spanID: 'a',
          processID: 'p1',
          operationName: 'GET',
          references: [],
          startTime: 1_700_000_000_000_000,
          duration: 100,
          tags: [],
          logs: [],
        },
        { spanID: 'c', operationName: 'broken' },
      ],
    },
  ],
};

const span = (spanId: string, parentSpanId: string, from: number, more: object = {}) => ({
  traceId: '5b8efff798038103d269b633813fc60c',
  spanId,
  parentSpanId,
  name: 'op',
  kind: 2,
  startTimeUnixNano: `170000000000000000${from}`,
  endTimeUnixNano: `1700000000000000009`,
  ...more,
});
const OTLP = {
  resourceSpans: [
    {
      resource: { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] },
      scopeSpans: [
        {
          scope: { name: 'lib', version: '1' },
          spans: [
            span('EEE19B7EC3C1B174', '', 1),
            span('eee19b7ec3c1b175', 'eee19b7ec3c1b174', 2, {
              kind: 'SPAN_KIND_CLIENT',
              status: { code: 'STATUS_CODE_ERROR', message: 'no' },
              attributes: [
                { key: 'n', value: { intValue: '9007199254740993' } },
                {
                  key: 'list',
                  value: {
                    arrayValue: {
                      values: [
                        { intValue: '1' },
                        { kvlistValue: { values: [{ key: 'k', value: { boolValue: true } }] } },
                      ],
                    },
                  },
                },
                { key: 'nan', value: { doubleValue: 'NaN' } },
                { key: 'none', value: {} },
              ],
              events: [{ timeUnixNano: '1700000000000000003', name: 'e' }],
              links: [{ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) }],
              droppedEventsCount: 3,
            }),
          ],
        },
      ],
    },
  ],
};

describe('readTraceFile', () => {
  it('reads what Jaeger exports', () => {
    const { traces, skipped } = readTraceFile(JSON.stringify(JAEGER), 'trace.json');
    expect(skipped).toEqual([{ what: 'span c', why: 'it has no start time' }]);
    expect(traces.length).toBe(1);
    const { columns, details } = traces[0] as (typeof traces)[number];
    expect(columns).toMatchObject({
      traceId: `${'0'.repeat(29)}abc`,
      count: 2,
      errors: 1,
      durationNs: 100_000,
      startNs: 1_700_000_000_000_000_000n,
    });
    expect([...columns.depth]).toEqual([0, 1]);
    expect(Array.from(columns.service, (s) => columns.services[s])).toEqual(['web', 'db']);
    expect((columns.flags[1] as number) & (FLAG.hasEvents | FLAG.hasLinks | FLAG.error)).toBe(
      FLAG.hasEvents | FLAG.hasLinks | FLAG.error,
    );
    expect(details[1]).toMatchObject({
      spanId: '000000000000000b',
      parentSpanId: '000000000000000a',
      kind: 'client',
      status: 'error',
      startNs: '1700000000000010000',
      durationNs: 20_000,
      warnings: ['clock skew'],
      events: [
        {
          timeNs: '1700000000000012000',
          name: 'retry',
          attributes: [{ key: 'n', value: { type: 'int', value: '2' } }],
        },
      ],
      links: [{ traceId: `${'0'.repeat(29)}fff`, spanId: '0000000000000009' }],
    });
    expect(details[0]?.resource).toEqual([
      { key: 'service.name', value: { type: 'string', value: 'web' } },
      { key: 'host', value: { type: 'string', value: 'n1' } },
    ]);
  });

  it('reads OTLP as one document and as a document a line', () => {
    const whole = readTraceFile(JSON.stringify(OTLP), 'otlp.json');
    const lines = readTraceFile(`${JSON.stringify(OTLP)}\n\nnot json\n`, 'otlp.jsonl');
    expect(lines.traces).toEqual(whole.traces);
    expect(lines.skipped).toEqual([
      { what: 'otlp.jsonl, line 3, column 1', why: 'it is not JSON: there is “n” where a value should be' },
    ]);
    const { columns, details } = whole.traces[0] as (typeof whole.traces)[number];
    expect(columns).toMatchObject({ traceId: '5b8efff798038103d269b633813fc60c', count: 2, errors: 1 });
    expect(details[0]).toMatchObject({
      spanId: 'eee19b7ec3c1b174',
      parentSpanId: null,
      service: 'shop',
      kind: 'server',
    });
    expect(details[1]).toMatchObject({
      kind: 'client',
      status: 'error',
      statusMessage: 'no',
      droppedEvents: 3,
      scope: { name: 'lib', version: '1' },
    });
    expect(details[1]?.attributes).toEqual([
      { key: 'n', value: { type: 'int', value: '9007199254740993' } },
      { key: 'list', value: { type: 'json', value: '["1",{"k":true}]' } },
      { key: 'nan', value: { type: 'double', value: 'NaN' } },
      { key: 'none', value: { type: 'empty' } },
    ]);
  });

  it('keeps several traces of a file apart, and reads ids in base64', () => {
    const other = structuredClone(OTLP);
    const [first] = other.resourceSpans[0]?.scopeSpans[0]?.spans ?? [];
    if (first !== undefined)
      Object.assign(first, { traceId: 'W47/95gDgQPSabYzgT/GDA==', spanId: '7uGbfsPBsXQ=', name: 'same trace' });
    const third = { ...JAEGER.data[0], traceID: '1' };
    const { traces } = readTraceFile(JSON.stringify([OTLP, other, third]), 'all.json');
    expect(traces.map((trace) => trace.columns.count)).toEqual([4, 2]);
  });

  it('takes times outside of the parent for a clock that differs, unless both are of one host', () => {
    const of = (host: unknown, one: object) => ({
      resource: { attributes: [{ key: 'host.ip', value: host }] },
      scopeSpans: [{ spans: [one] }],
    });
    const text = { stringValue: '10.0.0.1' };
    const list = (ip: string) => ({ arrayValue: { values: [{ stringValue: ip }, { stringValue: '127.0.0.1' }] } });
    const [root, child] = [span('1', '', 5), span('2', '1', 2)];
    const warningsOf = (ip: string) =>
      readTraceFile(JSON.stringify({ resourceSpans: [of(text, root), of(list(ip), child)] }), 'f').traces[0]?.columns
        .warnings;
    expect(warningsOf('10.0.0.1')).toEqual([]);
    expect(warningsOf('10.0.0.2')).toEqual(['1 span lies outside of its parent; clocks may differ']);
  });

  it('shows what has no end as such', () => {
    const file = { resourceSpans: [{ scopeSpans: [{ spans: [span('1', '', 5, { endTimeUnixNano: '0' })] }] }] };
    const [trace] = readTraceFile(JSON.stringify(file), 'open.json').traces;
    expect((trace?.columns.flags[0] as number) & FLAG.incomplete).toBe(FLAG.incomplete);
    expect(trace?.details[0]).toMatchObject({
      durationNs: 0,
      warnings: ['its end is not known, or lies before its start'],
    });
  });

  it('says why nothing could be read', () => {
    const whys = [
      '',
      'hello',
      '{}',
      '[1]',
      '{"data":[]}',
      '{"resourceSpans":[]}',
      '{"data":{"data":{}}}',
      '{"spans":[3],"processes":{}}',
    ].map((text) => {
      const answer = readTraceFile(text, 'f');
      expect(answer.traces).toEqual([]);
      return answer.skipped.map((one) => one.why.slice(0, 20));
    });
    expect(whys.every((list) => list.length > 0)).toBe(true);
  });
});

it('what could not be read is told in the language of the reader', () => {
  setLanguage('de', { files: { noTrace: 'weder Jaeger noch OTLP' } });
  expect(readTraceFile('{ "a": 1 }', 'x.json').skipped).toEqual([{ what: 'x.json', why: 'weder Jaeger noch OTLP' }]);
  setLanguage('en');
});
