// Queries in the trace of a file: what is understood means what it means to the server, the rest is refused.

import { expect, test } from 'vitest';
import { rowsOf } from './attributeTests.ts';
import { evaluate } from './evaluate.ts';
import { FileQueryError, readFileQuery } from './fileQuery.ts';
import { readTraceFile } from './files.ts';

const at = (ms: number) => String((1_790_000_000_000n + BigInt(ms)) * 1_000_000n);
const text = (key: string, value: string) => ({ key, value: { stringValue: value } });
const spans = [
  {
    ...{ traceId: 'a'.repeat(32), spanId: '1'.repeat(16), name: 'GET /cart', kind: 2 },
    ...{ startTimeUnixNano: at(0), endTimeUnixNano: at(100) },
    attributes: [text('http.route', '/cart'), { key: 'code', value: { intValue: '9007199254740993' } }],
  },
  {
    ...{ traceId: 'a'.repeat(32), spanId: '2'.repeat(16), parentSpanId: '1'.repeat(16), name: 'SELECT', kind: 3 },
    ...{ startTimeUnixNano: at(10), endTimeUnixNano: at(40), status: { code: 2, message: 'too slow' } },
    attributes: [
      text('db.system', 'pg'),
      { key: 'retry', value: { boolValue: true } },
      { key: 'rows', value: { doubleValue: 2.5 } },
      { key: 'tags', value: { arrayValue: { values: [{ stringValue: 'a' }, { stringValue: 'b' }] } } },
    ],
    events: [{ timeUnixNano: at(20), name: 'exception', attributes: [text('exception.type', 'Timeout')] }],
  },
];
const resource = { attributes: [text('service.name', 'cart'), text('host.name', 'node-7'), text('db.system', 'none')] };
const file = readTraceFile(JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] }), 'x').traces[0];
if (file === undefined) throw new Error('the file of this test is broken');
const { columns, details } = file;

function rows(q: string): number[] {
  const { conditions, tests } = readFileQuery(q);
  const bits = evaluate(columns, { type: 'and', of: conditions });
  const passed = new Set(rowsOf(details, { tests }));
  return [0, 1].filter((row) => bits.has(row) && (tests.length === 0 || passed.has(row)));
}

test.each<[string, number[]]>([
  ['{ }', [0, 1]],
  ['{ duration > 20ms && status = error }', [1]],
  ['duration>20ms', [0, 1]],
  ['duration >= 1m30s', []],
  ['span:selfTime > 60ms', [0]],
  ['status!=error', [0]],
  ['kind = client', [1]],
  ['{ name = "GET /cart" }', [0]],
  ['name =~ "SEL.*"', [1]],
  ['name =~ SEL', []],
  ['service = cart && resource.service.name =~ `c.rt`', [0, 1]],
  // Texts without quotes, attributes without a dot.
  ['db.system=pg', [1]],
  ['.db.system = "none"', [0]],
  ['resource.db.system = none', [0, 1]],
  ['span.db.system = none', []],
  ['http.route = /cart', [0]],
  ['host.name=node-7', [0, 1]],
  // Types are not mixed, and what is not there is neither equal nor not.
  ['.code > 9007199254740992', [0]],
  ['.code = 9007199254740993', [0]],
  ['.code = "9007199254740993"', []],
  ['.code != "x"', []],
  ['.rows > 2 && .rows < 3', [1]],
  ['.retry = true', [1]],
  ['.retry != true', []],
  ['.retry = nil', [0]],
  ['.retry != nil', [1]],
  ['.tags = b', [1]],
  ['.tags != b', []],
  ['.tags != c', [1]],
  ['event.exception.type = "Timeout"', [1]],
  ['event:name = exception', [1]],
  ['span:id = "2222222222222222"', [1]],
  ['span:parentID = ""', [0]],
  ['statusMessage =~ ".*slow"', [1]],
  ['.a"b c".d = x', []],
])('%s', (q, expected) => {
  expect(rows(q)).toEqual(expected);
});

test.each<[string, number[]]>([
  ['pg', [1]],
  ['NODE-7', [0, 1]],
  ['"GET /c" timeout', [0, 1]],
  ['route', [0]],
  ['route -http.route', []],
  ['error', [1]],
  ['2222222222222222', [1]],
  ['-key', []],
])('words: %s', (words, expected) => {
  expect([...rowsOf(details, { words })]).toEqual(expected);
});

test.each([
  ['{ .a = 1 || .b = 2 }', '“.a = 1 || .b = 2” is not understood in a file: only comparisons'],
  ['!(status = error)', '“!(status = error)” is not understood'],
  ['(.a = 1)', '“(.a = 1)” is not understood'],
  ['{ status = error } && { name = "x" }', 'is not understood'],
  ['.a && .b = 1', '“.a && .b = 1” is not understood'],
  ['status = error &&', 'A comparison is missing at the end'],
  ['duration > 20', 'a duration has a unit, such as 20ms'],
  ['duratoin > 20ms', 'attributes are no durations'],
  ['status = broken', 'status is one of unset, ok, error'],
  ['name > "a"', 'name is compared with'],
  ['traceDuration > 1s', 'not understood'],
  ['rootName = x', 'the server'],
  ['.a =~ "("', 'the pattern is not one'],
  ['.a = "\\q"', 'a backslash'],
])('%s is refused', (q, why) => {
  expect(() => readFileQuery(q)).toThrow(FileQueryError);
  expect(() => readFileQuery(q)).toThrow(why);
});
