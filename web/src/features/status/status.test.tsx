// @vitest-environment happy-dom
// Status: doors with rates, the ledger as a sum, refusals in their own words, the store, who is silent.

import { cleanup, screen, within } from '@testing-library/react';
import { afterEach, expect, test, vi } from 'vitest';
import { fakeServer, renderPage, routeOf } from '../../core/pages.testing.tsx';
import { statusAnswer } from '../../model/status.testing.ts';
import { ratesBetween } from './rates.ts';
import Status from './route.tsx';

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

function show(answers: Parameters<typeof fakeServer>[0]) {
  fakeServer(answers);
  renderPage(<Status route={routeOf<'status'>('/status')} />);
}

const textOf = (element: HTMLElement) => element.textContent?.replace(/\s+/g, ' ') ?? '';

test('doors: where they listen, what came, one that is off', async () => {
  show({ status: statusAnswer() });
  const rows = within(await screen.findByRole('table', { name: 'Receiving' })).getAllByRole('row');
  expect(textOf(rows[1] as HTMLElement)).toContain('OTLP gRPC127.0.0.1:4317––12012 k3 s ago');
  expect(textOf(rows[2] as HTMLElement)).toContain('OTLP HTTPoff');
  expect(screen.getByText('Taking spans')).toBeTruthy();
});

test('rates are made of two answers, and of none after a restart', () => {
  const before = statusAnswer();
  const now = structuredClone(before);
  now.nowNs = String(BigInt(before.nowNs) + 5_000_000_000n);
  const door = now.program.receivers[0];
  if (door) Object.assign(door, { spans: 17000, bytes: 6_000_000, requests: 130 });
  now.program.store.writtenBytes = 40_000_000;
  expect(ratesBetween(before, now)?.doors.get('otlp_grpc')).toEqual({ spans: 1000, bytes: 200_000, requests: 2 });
  expect(ratesBetween(before, now)?.writes).toBe(8_000_000);
  now.program.startedNs = now.nowNs;
  expect(ratesBetween(before, now)).toBeNull();
});

test('the ledger is a sum that comes out', async () => {
  show({ status: statusAnswer() });
  const ledger = await screen.findByRole('region', { name: 'What became of every span' });
  const terms = within(ledger).getAllByRole('listitem').map(textOf);
  expect(terms[0]).toMatch(/12 kreceived/);
  expect(terms.slice(1).map((term) => term.slice(0, 1))).toEqual(['=', '+', '+', '+', '+']);
  expect(terms[3]).toMatch(/7refused/);
  expect(within(ledger).getByText(/Adds up/)).toBeTruthy();
  expect(within(ledger).getByText('Late: 0.1 % (12 spans)')).toBeTruthy();
});

test('a sum that does not come out is said', async () => {
  const { program } = statusAnswer();
  show({ status: statusAnswer({ ledger: { ...program.ledger, isBalanced: false } }) });
  expect(await screen.findByText(/Does not add up/)).toBeTruthy();
});

test('what was refused and why', async () => {
  show({ status: statusAnswer() });
  expect(await screen.findByText('415: content type text/plain')).toBeTruthy();
  expect(screen.getByText(/Last at .* \(1 min ago\) by OTLP HTTP from 10\.0\.3\.7:/)).toBeTruthy();
  expect(within(screen.getByRole('table', { name: 'Refused' })).getByText('media_type')).toBeTruthy();
});

test('a program that takes nothing says why at the top', async () => {
  show({ status: statusAnswer({ notReady: 'the disk is full' }) });
  expect((await screen.findByRole('alert')).textContent).toBe('Not taking spans: the disk is full');
});

test('the store: how full, what it promises', async () => {
  show({ status: statusAnswer() });
  expect((await screen.findByRole('meter', { name: 'Store' })).getAttribute('aria-valuetext')).toBe(
    '41 % full: 82 GB of 200 GB',
  );
  expect(screen.getByText('212, 7 to be merged')).toBeTruthy();
  expect(screen.getByText('11 d ago')).toBeTruthy();
  expect(screen.getByText('idle')).toBeTruthy();
  expect(screen.getByText('on disk (sync)')).toBeTruthy();
});

test('the store: for how long there is room, and how that is known', async () => {
  show({ status: statusAnswer() });
  const words =
    /^The oldest spans leave for want of room in about 11 days. Estimated: 2.7 GB were added in the last 6 h/;
  const paragraphs = async () => (await screen.findByRole('region', { name: 'Store' })).querySelectorAll('p');
  expect([...(await paragraphs())].some(({ textContent }) => words.test(textContent ?? ''))).toBe(true);
  cleanup();
  const { program } = statusAnswer();
  const growth = { bytes: 1_000_000_000, overSeconds: 3_600, fullInSeconds: null };
  show({ status: statusAnswer({ store: { ...program.store, growth } }) });
  expect(await screen.findByText(/at that rate spans leave by their age before/)).toBeTruthy();
  cleanup();
  show({ status: statusAnswer({ store: { ...program.store, growth: null } }) });
  expect(await screen.findByText(/is told after half an hour/)).toBeTruthy();
});

test('what Prometheus scrapes is where the program says; nothing where it is off', async () => {
  show({ status: statusAnswer({ admin: ['[::]:4269'] }) });
  expect(await screen.findByText(/targets: \['localhost:4269'\]/)).toBeTruthy();
  expect(screen.getByText(/trackway_service_errors_total/)).toBeTruthy();
  cleanup();
  show({ status: statusAnswer({ admin: [] }) });
  expect(await screen.findByText(/its admin port is off/)).toBeTruthy();
  expect(screen.queryByText(/job_name: trackway/)).toBeNull();
});

test('silent services stand first', async () => {
  show({ status: statusAnswer() });
  const table = await screen.findByRole('table', { name: 'Services last heard' });
  expect(within(table).getAllByRole('rowheader').map(textOf)).toEqual(['silent', 'fresh']);
});

test('without an answer the way to the metrics still stands here', async () => {
  show({});
  expect(await screen.findByText('The state of the program could not be read')).toBeTruthy();
  expect(screen.getByText(/job_name: trackway/)).toBeTruthy();
});
