// @vitest-environment happy-dom
// What the frame does on every page: keys that lead up, and what stays while pages change.

import { QueryClient, QueryClientProvider, useQuery } from '@tanstack/react-query';
import { act, cleanup, render, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import type { ReactNode } from 'react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { generateTrace } from '../../perf/generate.ts';
import { handleKey } from '../core/commands.ts';
import { goTo, hrefOf, routeNow, useParsed } from '../core/navigation.ts';
import { putTraceOfFile } from '../core/openedTraces.testing.ts';
import { resetPreferences, toggleInBasket } from '../core/preferences.ts';
import { useRefresh } from '../core/refresh.ts';
import { startHere } from '../worker/here.ts';
import { Shell } from './Shell.tsx';

vi.setConfig({ testTimeout: 20_000 });

vi.mock('../worker/client.ts', async (original) => ({
  ...(await original<typeof import('../worker/client.ts')>()),
  startTraceWorker: () => startHere((input, init) => fetch(input, init)),
}));

vi.mock('../core/boot.ts', async (original) => {
  const module = await original<typeof import('../core/boot.ts')>();
  return { ...module, boot: { ...module.boot, capabilities: { ...module.boot.capabilities, tail: true } } };
});

const onKey = (event: KeyboardEvent): void => void handleKey(event);

beforeEach(() => {
  resetPreferences();
  vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener() {}, removeEventListener() {} }));
  vi.stubGlobal('fetch', async () => Response.json({ services: [] }));
  document.addEventListener('keydown', onKey);
});
afterEach(() => {
  cleanup();
  document.removeEventListener('keydown', onKey);
  vi.unstubAllGlobals();
});

function Page({ children }: { children: ReactNode }) {
  const { route, notices } = useParsed();
  return (
    <Shell route={route} notices={notices}>
      <h1>{route.page}</h1>
      {children}
    </Shell>
  );
}

function Asking({ asked, others }: { asked: () => Promise<number>; others: () => void }) {
  useQuery({ queryKey: ['some'], queryFn: asked, staleTime: Number.POSITIVE_INFINITY });
  useRefresh(others);
  return null;
}

function show(url: string, children?: ReactNode) {
  goTo(url);
  render(
    <QueryClientProvider client={new QueryClient()}>
      <Page>{children}</Page>
    </QueryClientProvider>,
  );
}

const leadTo = (url: string) => act(() => goTo(url));
const here = () => hrefOf(routeNow());

test('Escape leads from an operation to its service, and on to the services, as they were left', async () => {
  show('/services?find=cart');
  leadTo('/services/cart?as=table');
  leadTo('/services/cart/GET%20%2F?range=6h');
  await userEvent.keyboard('{Escape}');
  expect(here()).toBe('/services/cart?range=6h&as=table');
  await userEvent.keyboard('{Escape}');
  expect(here()).toBe('/services?range=6h&find=cart');
  await userEvent.keyboard('{Escape}');
  expect(here()).toBe('/services?range=6h&find=cart');
  leadTo('/services/other/GET');
  await userEvent.keyboard('{Escape}');
  expect(here()).toBe('/services/other');
});

test('a chosen range goes along with what is typed into the box on top', async () => {
  vi.stubGlobal('fetch', async () => Response.json({ services: ['cart'] }));
  show('/services?range=5m');
  for (const [typed, leadsTo] of [
    ['status = error', '/search?q=%7B+status+=+error+%7D&range=5m'],
    ['cart', '/services/cart?range=5m'],
    ['00000000000000000000000000000abc', '/trace/00000000000000000000000000000abc'],
    ['status = error', '/search?q=%7B+status+=+error+%7D'],
  ] as const) {
    const box = screen.getByRole('combobox', { name: 'Go to' });
    await userEvent.type(box, typed);
    await screen.findAllByRole('option', { name: new RegExp(typed) });
    await userEvent.keyboard('{Enter}');
    expect(here()).toBe(leadsTo);
  }
});

test('Escape leads from a comparison to the search or the trace that one came from', async () => {
  show('/trace/abc...def');
  leadTo('/settings');
  leadTo('/search?q=%7B+status+=+error+%7D');
  leadTo('/trace/abc...def');
  await userEvent.keyboard('{Escape}');
  expect(here()).toBe('/search?q=%7B+status+=+error+%7D');
  leadTo('/trace/abc?view=flame');
  leadTo('/trace/abc...def');
  await userEvent.keyboard('{Escape}');
  expect(here()).toMatch(/^\/trace\/0+abc\?view=flame$/);
});

test('what was put aside to compare stays from page to page', async () => {
  show('/search');
  act(() => toggleInBasket('4bf92f3577b34da6a3ce929d0e0e4736'));
  await screen.findByRole('region', { name: 'Compare (1)' });
  for (const url of ['/trace/abc', '/services', '/settings']) {
    leadTo(url);
    expect(screen.getByRole('region', { name: 'Compare (1)' }).textContent).toContain('4bf92f35');
  }
});

test('refresh asks anew what the pages show, also what the query cache does not keep', async () => {
  const [asked, others] = [vi.fn(async () => 1), vi.fn()];
  show('/trace/abc', <Asking asked={asked} others={others} />);
  await waitFor(() => expect(asked).toHaveBeenCalledTimes(1));
  await userEvent.keyboard('r');
  await waitFor(() => expect(asked).toHaveBeenCalledTimes(2));
  await userEvent.click(screen.getByRole('button', { name: 'Refresh' }));
  await waitFor(() => expect(asked).toHaveBeenCalledTimes(3));
  expect(others).toHaveBeenCalledTimes(2);
});

test('of a trace that is from a file no link is copied, and why is said', async () => {
  const copied = vi.spyOn(navigator.clipboard, 'writeText').mockResolvedValue();
  const traceId = 'dddd0000000000000000000000000001';
  putTraceOfFile({ fileName: 'x.json', columns: { ...generateTrace(3), traceId }, details: [] });
  show(`/trace/${traceId}`);
  await userEvent.keyboard('u');
  expect(await screen.findByText(/No link was copied: what is shown is from a file/)).toBeTruthy();
  leadTo(`/trace/${traceId}...abc`);
  expect(screen.queryByText(/No link was copied/)).toBeNull();
  await userEvent.click(screen.getByRole('button', { name: 'Copy a link to what is shown' }));
  expect(await screen.findByText(/No link was copied/)).toBeTruthy();
  expect(copied).not.toHaveBeenCalled();
  leadTo('/trace/abc');
  await userEvent.keyboard('u');
  await waitFor(() => expect(copied).toHaveBeenCalledTimes(1));
  expect(screen.queryByText(/No link was copied/)).toBeNull();
});

const SPAN = {
  ...{ traceID: 'abc1', spanID: '1', operationName: 'read', references: [], startTime: 1, duration: 5 },
  ...{ tags: [], logs: [], processID: 'p' },
};
const PROCESSES = { p: { serviceName: 'filed', tags: [] } };
const JAEGER = JSON.stringify({ data: [{ traceID: 'abc1', spans: [SPAN], processes: PROCESSES }] });

test('JSON that is pasted into the box opens as a trace file; a query that is pasted stays a query', async () => {
  show('/settings');
  const box = screen.getByRole('combobox', { name: 'Go to' });
  await userEvent.click(box);
  await userEvent.paste(JAEGER);
  await screen.findByRole('option', { name: /^Open this JSON as a trace file/ });
  await userEvent.keyboard('{Enter}');
  await waitFor(() => expect(routeNow()).toMatchObject({ page: 'trace', state: { traceId: `${'0'.repeat(28)}abc1` } }));
  await userEvent.click(box);
  await userEvent.paste('{ "no spans": 1 }');
  await userEvent.keyboard('{Enter}');
  expect(await screen.findByText(/^what was pasted: /)).toBeTruthy();
  await userEvent.click(box);
  await userEvent.paste('{ status = error }');
  await screen.findByRole('option', { name: 'Search for { status = error }' });
  expect(screen.queryByRole('option', { name: /JSON/ })).toBeNull();
});

test('files are opened by a command on every page', async () => {
  const chosen = vi.spyOn(HTMLInputElement.prototype, 'click').mockImplementation(() => undefined);
  show('/services');
  await userEvent.click(screen.getByRole('combobox', { name: 'Go to' }));
  await userEvent.keyboard('>open a trace{Enter}');
  expect(chosen).toHaveBeenCalledTimes(1);
});

test('live: Explore follows, ranges up to now are asked again, other pages lead to Explore', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const asked = vi.fn(async () => 1);
  show('/services?from=2026-11-28T10:00:00Z&to=2026-11-28T12:00:00Z', <Asking asked={asked} others={vi.fn()} />);
  const isOn = () => screen.getByRole('button', { name: 'Live' }).getAttribute('aria-pressed');
  await waitFor(() => expect(asked).toHaveBeenCalledTimes(1));
  await userEvent.click(screen.getByRole('button', { name: 'Live' }));
  expect(here()).toBe('/services?range=2h');
  expect(isOn()).toBe('true');
  await waitFor(() => expect(asked).toHaveBeenCalledTimes(2));
  await act(async () => vi.advanceTimersByTime(10_000));
  await waitFor(() => expect(asked).toHaveBeenCalledTimes(3));
  leadTo('/dependencies?range=2h');
  expect(isOn()).toBe('true');
  await userEvent.keyboard('l');
  expect(isOn()).toBe('false');
  await act(async () => vi.advanceTimersByTime(20_000));
  expect(asked.mock.calls.length).toBeLessThan(5);
  leadTo('/search?q=%7B+status+=+error+%7D&traceID=abc');
  await userEvent.keyboard('l');
  expect(here()).toBe('/search?q=%7B+status+=+error+%7D&live=1');
  await userEvent.click(screen.getByRole('button', { name: 'Live' }));
  expect(here()).toBe('/search?q=%7B+status+=+error+%7D');
  leadTo('/trace/abc');
  expect(screen.queryByRole('button', { name: 'Live' })).toBeNull();
  await userEvent.keyboard('l');
  expect(here()).toBe('/search?q=%7B+status+=+error+%7D&live=1');
  vi.useRealTimers();
});
