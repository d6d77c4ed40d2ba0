// @vitest-environment happy-dom
// A trace whose spans still arrive: it is asked for again, new rows come, what was selected stays.

import { cleanup, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, test, vi } from 'vitest';
import { generateTrace } from '../../../perf/generate.ts';
import type { TraceColumns } from '../../model/columns.ts';
import { isGrowing } from './state/useGrowth.ts';
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
  expect(isGrowing({ traceId: 'a', endMs: 0, isComplete: false }, 1_000)).toBe(true);
  expect(isGrowing({ traceId: 'a', endMs: 0, isComplete: true }, 1_000)).toBe(false);
  expect(isGrowing({ traceId: 'a', endMs: 0, isComplete: false }, 3_600_000)).toBe(false);
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
  const asked = server.asked.filter((one) => one.includes('skeleton')).length;
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  expect(server.asked.filter((one) => one.includes('skeleton'))).toHaveLength(asked);
});
