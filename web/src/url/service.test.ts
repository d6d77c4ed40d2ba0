// The order of tables and the form of charts in a link.

import { expect, test } from 'vitest';
import { parseUrl, printUrl } from './index.ts';

test.each([
  ['/services', { column: 'impact', direction: 'descending' }],
  ['/services?sort=errors', { column: 'errors', direction: 'descending' }],
  ['/services?sort=p95,up', { column: 'p95', direction: 'ascending' }],
  ['/services?sort=name', { column: 'name', direction: 'ascending' }],
  ['/services?sort=name,down', { column: 'name', direction: 'descending' }],
])('%s', (url, sort) => {
  const { route, notices } = parseUrl(url);
  expect(route.state).toMatchObject({ sort });
  expect(notices).toEqual([]);
  expect(printUrl(route)).toBe(url);
});

test.each(['sort=colour', 'sort=p95,sideways'])('%s is told and left out', (query) => {
  const { route, notices } = parseUrl(`/services?${query}`);
  expect(route.state).toMatchObject({ sort: { column: 'impact', direction: 'descending' } });
  expect(notices).toHaveLength(1);
});

test('the charts of a service may stand as a table', () => {
  expect(parseUrl('/services/checkout?as=table').route.state).toMatchObject({ as: 'table', service: 'checkout' });
});
