// Values of attributes: what they are, what a query says for them, how they are grouped; links to other tools; stacks.

import { describe, expect, it } from 'vitest';
import type { AttributeValue, KeyValue, SpanDetails } from '../../../api/types.ts';
import { linksOf, type TraceFacts } from './linkTemplates.ts';
import { layOut } from './sql.ts';
import { stackLines } from './stack.ts';
import { comparisonOf, dialectOf, isSql, jsonOf, namespacesOf, objectOf, pinnedOf, textOfValue } from './values.ts';

const text = (value: string): AttributeValue => ({ type: 'string', value });
const kv = (key: string, value: AttributeValue | string): KeyValue => ({
  key,
  value: typeof value === 'string' ? text(value) : value,
});
const details = (attributes: KeyValue[], resource: KeyValue[] = []): SpanDetails => ({
  ...{ spanId: '1', parentSpanId: null, service: 's', name: 'n', kind: 'server', status: 'unset', statusMessage: '' },
  ...{ startNs: '0', durationNs: 1, traceState: '', flags: 0, droppedAttributes: 0, events: [], droppedEvents: 0 },
  ...{ links: [], droppedLinks: 0, scope: { name: '', version: '', attributes: [] }, warnings: [] },
  attributes,
  resource,
});

describe('values', () => {
  it('finds objects and lists in texts, and nothing else', () => {
    expect(jsonOf(text('{"a":[1,2]}'))).toEqual({ a: [1, 2] });
    expect(jsonOf(text(' [1]'))).toEqual([1]);
    expect(jsonOf({ type: 'json', value: '{"a":1}' })).toEqual({ a: 1 });
    for (const plain of ['12', '"x"', 'null', '{not json}', '', '[1,']) expect(jsonOf(text(plain))).toBeNull();
    expect(jsonOf({ type: 'int', value: '1' })).toBeNull();
  });

  it('says values as queries do', () => {
    expect(comparisonOf('http.route', text('/a "b"'), 'span', '=')).toBe('span.http.route = "/a \\"b\\""');
    expect(comparisonOf('n', { type: 'int', value: '500' }, 'span', '!=')).toBe('span.n != 500');
    expect(comparisonOf('ok', { type: 'bool', value: true }, 'resource', '=')).toBe('resource.ok = true');
    expect(comparisonOf('with space', text('x'), 'event', '=')).toBe('event."with space" = "x"');
    expect(comparisonOf('none', { type: 'empty' }, 'span', '=')).toBe('span.none = nil');
  });

  it('puts what the reader pinned on top, then what the server says, each once', () => {
    const all = [kv('http.route', '/'), kv('db.system', 'pg'), kv('http.method', 'GET'), kv('x', '1')];
    const keys = (pinned: string[], prefixes: string[]) => pinnedOf(all, pinned, prefixes).map(({ key }) => key);
    expect(keys([], [])).toEqual([]);
    expect(keys(['x', 'gone'], [])).toEqual(['x']);
    expect(keys(['x', 'http.method'], ['db.', 'http.'])).toEqual(['x', 'http.method', 'db.system', 'http.route']);
  });

  it('groups by the first part of the key; lone ones come last', () => {
    const groups = namespacesOf(['http.route', 'db.system', 'plain', 'http.method', '.odd'].map((key) => kv(key, 'x')));
    expect(groups.map(({ name, attributes }) => [name, attributes.map(({ key }) => key)])).toEqual([
      ['http', ['http.method', 'http.route']],
      ['', ['.odd', 'plain', 'db.system']],
    ]);
    expect(namespacesOf([])).toEqual([]);
  });

  it('copies attributes as one object, keys that repeat as lists', () => {
    const many = [
      kv('a', 'x'),
      kv('a', 'y'),
      kv('n', { type: 'int', value: '9007199254740993' }),
      kv('e', { type: 'empty' }),
    ];
    expect(objectOf(many)).toEqual({ a: ['x', 'y'], n: '9007199254740993', e: null });
    expect(textOfValue({ type: 'bool', value: false })).toBe('false');
  });

  it('knows statements by key and beginning, and lays them out', () => {
    expect(isSql('db.statement', text('select 1'))).toBe(true);
    expect(isSql('db.query.text', text('  WITH x AS (SELECT 1) SELECT * FROM x'))).toBe(true);
    expect(isSql('db.statement', text('HGETALL user:1'))).toBe(false);
    expect(isSql('http.route', text('select 1'))).toBe(false);
    expect(dialectOf(details([kv('db.system', 'mysql')]))).toBe('mysql');
    expect(dialectOf(details([]))).toBe('postgresql');
    expect(layOut('SELECT a, b FROM t WHERE a = $1', 'postgresql').split('\n').length).toBeGreaterThan(3);
  });
});

it('tells own frames from those of libraries', () => {
  const kinds = (stack: string) => stackLines(stack).map(({ kind }) => kind);
  expect(kinds('Error: no\n    at own (/srv/app/a.ts:1:2)\n    at x (node:internal/process:1:1)')).toEqual([
    'head',
    'own',
    'library',
  ]);
  expect(kinds('java.lang.E: no\n\tat com.shop.A.b(A.java:1)\n\tat org.springframework.C.d(C.java:2)\r\n')).toEqual([
    'head',
    'own',
    'library',
  ]);
  expect(
    kinds(
      'Traceback (most recent call last):\n  File "/app/a.py", line 1, in f\n  File "/usr/lib/python3/site-packages/x.py", line 2, in g',
    ),
  ).toEqual(['head', 'own', 'library']);
});

describe('links by template', () => {
  const trace: TraceFacts = { traceID: 'abc', traceName: 's: n', duration: '5', startTime: '10', endTime: '15' };
  const span = details([kv('user', 'a b')], [kv('host', 'h1')]);

  it('fills in values of the span, its resource and the trace', () => {
    const patterns = [
      { type: 'tags', key: 'user', url: 'https://x/?u=#{user}&h=#{host}&t=#{traceID}', text: 'Logs of #{user}' },
    ];
    expect(linksOf(patterns, 'attributes', 'user', span.attributes, span, trace)).toEqual([
      { url: 'https://x/?u=a%20b&h=h1&t=abc', text: 'Logs of a b' },
    ]);
    expect(linksOf(patterns, 'attributes', 'other', span.attributes, span, trace)).toEqual([]);
    expect(linksOf(patterns, 'resource', 'user', span.attributes, span, trace)).toEqual([]);
  });

  it('transforms values, one after the other, as Jaeger does', () => {
    const made = (url: string) =>
      linksOf([{ type: 'traces', key: null, url, text: url }], 'traces', null, [], null, at);
    const at: TraceFacts = { ...trace, startTime: '1577836800000000', endTime: '1577836800500000' };
    const url = 'https://x/?from=#{startTime | add -60000000 | epoch_micros_to_date_iso}&to=#{endTime|add 60000000}';
    expect(made(url)).toEqual([
      {
        url: 'https://x/?from=2019-12-31T23%3A59%3A00.000Z&to=1577836860500000',
        text: 'https://x/?from=2019-12-31T23:59:00.000Z&to=1577836860500000',
      },
    ]);
    expect(made('/#{traceID | pad_start 6 0}')[0]?.url).toBe('/000abc');
    // What does not fit, and what is unknown, changes nothing.
    for (const [template, filled] of [
      ['/#{traceID | epoch_micros_to_date_iso}', '/abc'],
      ['/#{traceID | add 1}', '/abc'],
      ['/#{duration | add}', '/5'],
      ['/#{traceID | pad_start}', '/abc'],
      ['/#{traceID | to_upper}', '/abc'],
      ['/#{traceID | constructor}', '/abc'],
    ] as const)
      expect(made(template)[0]?.url).toBe(filled);
    // No date is that late.
    expect(made('/#{startTime | add 1e25 | epoch_micros_to_date_iso}')[0]?.url).toContain('e%2B25');
    expect(made('/#{gone | pad_start 6 0}')).toEqual([]);
  });

  it('leaves out links that lack a value, or that a browser would run', () => {
    const patterns = [
      { type: 'tags', key: 'user', url: 'https://x/#{missing}', text: 'x' },
      { type: 'tags', key: '*', url: 'javascript:alert(1)//#{user}', text: 'x' },
    ];
    expect(linksOf(patterns, 'attributes', 'user', span.attributes, span, trace)).toEqual([]);
  });
});
