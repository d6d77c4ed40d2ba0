// Jaeger's filter of services: the same links must show the same services.

import { expect, test } from 'vitest';
import { decodeSvcFilter, serviceChecksum } from './svcFilter.ts';

const SERVICES = ['redis', 'frontend', 'Zoo', 'customer'];

test.each([
  [['frontend', 'redis'], 'eb7b'],
  [['Zoo', 'customer', 'frontend', 'redis'], '3225'],
])('the services %j have the checksum that Jaeger gives them', (services, checksum) => {
  expect(serviceChecksum(services)).toBe(checksum);
});

test('a service filter of Jaeger shows the services of its bits, in the order of their units', () => {
  const sum = serviceChecksum(['Zoo', 'customer', 'frontend', 'redis']);
  expect(decodeSvcFilter(`${sum}.5`, SERVICES)).toEqual({ services: ['Zoo', 'frontend'], isStale: false });
  expect(decodeSvcFilter(`${sum.toUpperCase()}.f`, SERVICES)).toEqual({ services: [], isStale: false });
  expect(decodeSvcFilter(`${sum}.0`, SERVICES)).toBeNull();
  expect(decodeSvcFilter(`${sum}.10`, SERVICES)).toBeNull();
  expect(decodeSvcFilter('zzzz.1', SERVICES)).toBeNull();
  expect(decodeSvcFilter('0000.1', SERVICES)).toEqual({ services: [], isStale: true });
  expect(decodeSvcFilter(`${sum}.1`, [])).toBeNull();
});
