// @vitest-environment happy-dom
// A trace whose spans still arrive: it is asked for again, new rows come, what was selected stays.

import { act, cleanup, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, test, vi } from 'vitest';
import { generateTrace } from '../../../perf/generate.ts';
import { routeNow } from '../../core/navigation.ts';
import { refreshOthers } from '../../core/refresh.ts';
import type { TraceColumns } from '../../model/columns.ts';
import { hasChildren, spanIdOf } from '../../model/tree.ts';
import { mayGrow } from './state/useGrowth.ts';
import { fakeServer, openPage, TRACE_ID } from './testing.tsx';

vi.setConfig({ testTimeout: 20_000 });

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const startNs = BigInt(Date.now()) * 1_000_000n;
const version = (spans: number, isComplete: boolean): TraceColumns => ({
  ...generateTrace(spans),
  ...{ traceId: TRACE_ID, startNs, isComplete, version: String(spans) },
});

test('an old trace that is not complete is left alone', () => {
  expect(mayGrow({ traceId: 'a', endMs: 0, isComplete: false }, 1_000)).toBe(true);
  expect(mayGrow({ traceId: 'a', endMs: 0, isComplete: false }, 3_600_000)).toBe(false);
});

test('a complete trace is watched while it is young: late children come', () => {
  expect(mayGrow({ traceId: 'a', endMs: 0, isComplete: true }, 59_000)).toBe(true);
  expect(mayGrow({ traceId: 'a', endMs: 0, isComplete: true }, 61_000)).toBe(false);
});

test('new rows come and the selection and the focus stay', async () => {
  const server = fakeServer(version(30, false));
  openPage();
  await screen.findByText(/still arriving/);
  await screen.findByRole('toolbar');
  await userEvent.keyboard('{ArrowDown}{ArrowDown}{ArrowDown}');
  const chosen = await waitFor(() => {
    const element = document.querySelector('[aria-selected=true]');
    expect(document.activeElement).toBe(element);
    return element?.getAttribute('aria-label');
  });
  server.trace = version(60, true);
  await waitFor(() => expect(screen.getByText('60 spans')).toBeTruthy(), { timeout: 8_000 });
  expect(document.querySelector('[aria-selected=true]')?.getAttribute('aria-label')?.split(',')[0]).toBe(
    chosen?.split(',')[0],
  );
  expect(document.activeElement?.getAttribute('aria-selected')).toBe('true');
  expect(screen.queryByText(/still arriving/)).toBeNull();
  await screen.findByText('30 new spans');
  server.trace = version(61, true);
  await waitFor(() => expect(screen.getByText('61 spans')).toBeTruthy(), { timeout: 8_000 });
});

test('refresh loads the trace anew; selection, zoom and closed rows stay', async () => {
  const old = (spans: number) => ({ ...version(spans, true), startNs: 1_700_000_000_000_000_000n });
  const trace = old(30);
  const server = fakeServer(trace);
  const rows = Array.from({ length: trace.count }, (_, row) => row);
  const [span, closed] = [1, rows.findLast((row) => hasChildren(trace, row)) ?? 0].map((row) => spanIdOf(trace, row));
  openPage(`?span=${span}&z=0-${trace.durationNs - 1}&x=${closed}`);
  await screen.findByText('30 spans');
  const before = routeNow().state;
  server.trace = old(60);
  act(refreshOthers);
  await screen.findByText('60 spans');
  await screen.findByText('30 new spans');
  expect(routeNow().state).toEqual(before);
  expect(before).toMatchObject({ span, zoom: { fromNs: 0 }, collapse: { except: [closed] } });
  server.status = 500;
  act(refreshOthers);
  await screen.findByText(/A newer version could not be loaded/);
  expect(screen.getByText('60 spans')).toBeTruthy();
});
