// @vitest-environment happy-dom
// The list of services: order and filter are in the link; three ways to be empty.

import { cleanup, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, test, vi } from 'vitest';
import { goTo, useRoute } from '../../core/navigation.ts';
import { fakeServer, renderPage } from '../../core/pages.testing.tsx';
import { redAnswer, redPoint, redSeries } from '../../model/red.testing.ts';
import type { RouteOf } from '../../url/index.ts';
import Services from './route.tsx';

function Page() {
  const route = useRoute();
  return route.page === 'services' ? <Services route={route as RouteOf<'services'>} /> : null;
}

const RED = redAnswer([
  redSeries('cart', redPoint(1800, 0, 5), { dayBefore: redPoint(1800, 0, 1) }),
  redSeries('checkout', redPoint(90, 9, 900)),
  redSeries('accounting', redPoint(18, 0, 40)),
]);

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

async function show(url: string, red: object = RED, services?: object[]) {
  fakeServer({ red, ...(services && { status: { services } }) });
  goTo(url);
  renderPage(<Page />);
  return screen.findByRole('table');
}

const names = () =>
  within(screen.getByRole('table'))
    .getAllByRole('rowheader')
    .map((cell) => cell.textContent);

test('a press on a column sorts by it, and the link says so', async () => {
  await show('/services');
  expect(names()).toEqual(['checkout', 'cart', 'accounting']);
  await userEvent.click(screen.getByRole('button', { name: 'Rate' }));
  expect(names()).toEqual(['cart', 'checkout', 'accounting']);
  await waitFor(() => expect(location.search).toBe('?sort=rate'));
  await userEvent.click(screen.getByRole('button', { name: 'Service' }));
  expect(names()).toEqual(['accounting', 'cart', 'checkout']);
});

test('the order and the filter of a link are shown', async () => {
  await show('/services?sort=p50&find=C');
  expect(names()).toEqual(['checkout', 'accounting', 'cart']);
  expect(screen.getByRole('searchbox').getAttribute('value')).toBe('C');
  await userEvent.type(screen.getByRole('searchbox'), 'h');
  expect(await screen.findByText('1 service')).toBeTruthy();
});

test('a filter that matches nothing can be dropped', async () => {
  await show('/services?find=zzz');
  expect(screen.getByText(/No service has “zzz”/)).toBeTruthy();
  await userEvent.click(screen.getByRole('button', { name: 'Show all' }));
  expect(names()).toHaveLength(3);
});

test('a change to the day before is told by sign and words', async () => {
  await show('/services');
  expect(screen.getByText('×5').textContent).toBe('▲ ×5');
});

test('a time in which nothing came offers a longer one', async () => {
  await show('/services?range=5m', redAnswer([]));
  expect(screen.getByText('Nothing came in this time')).toBeTruthy();
  expect(screen.getByRole('link', { name: 'Last 24 hours' }).getAttribute('href')).toBe('/services?range=1d');
  expect(screen.getByText('No service was heard of in the time range above.')).toBeTruthy();
});

test('it says when something came last, or that nothing ever did', async () => {
  const threeHours = BigInt(Date.now() - 3 * 3_600_000) * 1_000_000n;
  await show('/services?range=5m', redAnswer([]), [
    { service: 'cart', lastNs: String(threeHours), operations: 1 },
    { service: 'web', lastNs: '1', operations: 1 },
  ]);
  expect(await screen.findByText('The last spans arrived 3 h ago.')).toBeTruthy();
  cleanup();
  await show('/services?range=5m', redAnswer([]), []);
  expect((await screen.findByRole('link', { name: 'How to send traces' })).getAttribute('href')).toBe('/');
});

test('a row is opened by key', async () => {
  await show('/services?range=6h');
  screen.getAllByRole('row')[1]?.focus();
  await userEvent.keyboard('j{Enter}');
  expect(location.pathname + location.search).toBe('/services/cart?range=6h');
});
