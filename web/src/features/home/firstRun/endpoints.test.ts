// The addresses in what is copied: the ones that a sender can reach.

import { expect, test } from 'vitest';
import { endpointsOf, urlOfAddress } from './endpoints.ts';
import { snippetsOf } from './snippets.ts';

test.each([
  ['0.0.0.0:4318', 'tracing.example', 'http://tracing.example:4318'],
  ['[::]:4318', 'tracing.example', 'http://tracing.example:4318'],
  [':4318', '', 'http://localhost:4318'],
  ['127.0.0.1:24318', 'tracing.example', 'http://127.0.0.1:24318'],
  ['[::1]:4317', 'x', 'http://[::1]:4317'],
])('%s seen from %s', (address, pageHost, url) => {
  expect(urlOfAddress(address, pageHost)).toBe(url);
});

test('a door that is not there is not offered; none known are the usual ones', () => {
  const grpcOnly = endpointsOf([{ protocol: 'otlp_grpc', address: '0.0.0.0:4317' }], 'h');
  expect(grpcOnly).toEqual({ http: null, grpc: 'http://h:4317' });
  expect(endpointsOf([], 'h').http).toBe('http://localhost:4318');
});

test('every way to send has the real address and nothing unfilled in it', () => {
  for (const endpoints of [
    { http: 'http://h:1234', grpc: 'http://h:5678' },
    { http: null, grpc: 'http://h:5678' },
  ]) {
    const wanted = endpoints.http === null ? 'h:5678' : 'h:1234';
    const snippets = snippetsOf(endpoints);
    expect(snippets.map(({ id }) => id)).toEqual([
      ...['env', 'java', 'python', 'go', 'node', 'rust', 'dotnet', 'collector', 'jaeger'],
    ]);
    for (const { id, blocks } of snippets) {
      const code = blocks.map((block) => block.code).join('\n');
      expect(code, id).toContain(wanted);
      expect(code, id).not.toMatch(/undefined|null\b/);
    }
  }
});
