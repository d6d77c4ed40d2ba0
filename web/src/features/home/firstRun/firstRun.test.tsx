// @vitest-environment happy-dom
// Sending something from the page, where the program allows it.

import { cleanup, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, test, vi } from 'vitest';
import type { StatusAnswer } from '../../../api/types.ts';
import { fakeServer, renderPage } from '../../../core/pages.testing.tsx';
import type { Asked } from '../../../core/ranged.ts';
import { startHere } from '../../../worker/here.ts';

const status: Asked<StatusAnswer> = {
  data: undefined,
  window: { from: 0n, to: 0n },
  updatedAt: 0,
  isOld: false,
  isWaiting: false,
  error: { message: 'not there', hint: null, curl: undefined },
  retry: () => undefined,
  cancel: () => undefined,
};

async function show(onArrived: () => void) {
  // The block is read once, when the page is loaded.
  vi.resetModules();
  document.body.innerHTML =
    '<script type="application/json" id="boot">{"capabilities":{"archive":false,"testTrace":true,"tail":false}}</script>';
  const { FirstRun } = await import('./FirstRun.tsx');
  renderPage(<FirstRun status={status} listensSince={Date.now()} onArrived={onArrived} />);
}

// What a worker does is done here: there are none.
vi.mock('../../../worker/client.ts', async (original) => ({
  ...(await original<typeof import('../../../worker/client.ts')>()),
  startTraceWorker: () => startHere(),
}));

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  history.replaceState(null, '', '/');
});

test('a test trace is sent and opened', async () => {
  const id = '4bf92f3577b34da6a3ce929d0e0e4736';
  const asked = fakeServer({ 'test-trace': { traceId: id, spans: 9 } });
  await show(() => undefined);
  await userEvent.click(screen.getByRole('button', { name: 'Send a test trace' }));
  await waitFor(() => expect(location.pathname).toBe(`/trace/${id}`));
  expect(asked).toEqual(['test-trace']);
});

test('sample data is sent and looked for at once; what fails says so', async () => {
  const onArrived = vi.fn();
  fakeServer({ sample: { traceId: null, spans: 1200 } });
  await show(onArrived);
  await userEvent.click(screen.getByRole('button', { name: 'See sample data' }));
  await waitFor(() => expect(onArrived).toHaveBeenCalled());
  await userEvent.click(screen.getByRole('button', { name: 'Send a test trace' }));
  expect(await screen.findByText('That did not work')).toBeTruthy();
});

test('a trace file is opened in the browser; one that is none says why', async () => {
  await show(() => undefined);
  const span = { traceID: '4bf92f3577b34da6a3ce929d0e0e4736', spanID: '00f067aa0ba902b7', processID: 'p1' };
  const trace = {
    traceID: span.traceID,
    spans: [{ ...span, operationName: 'GET /', startTime: 1_700_000_000_000_000, duration: 500, tags: [], logs: [] }],
    processes: { p1: { serviceName: 'web', tags: [] } },
  };
  const file = (name: string, text: string) => new File([text], name, { type: 'application/json' });
  const choose = async (chosen: File) => {
    // The dialog of the browser, which answers at once.
    const clicked = vi.spyOn(HTMLInputElement.prototype, 'click').mockImplementation(function (this: HTMLInputElement) {
      Object.defineProperty(this, 'files', { value: [chosen] });
      this.onchange?.(new Event('change'));
    });
    await userEvent.click(screen.getByRole('button', { name: 'Open a trace file' }));
    clicked.mockRestore();
  };
  await choose(file('none.json', 'none'));
  expect(await screen.findByText(/^none.json, line 1, column 1: it is not JSON/)).toBeTruthy();
  await choose(file('trace.json', JSON.stringify({ data: [trace] })));
  await waitFor(() => expect(location.pathname).toBe(`/trace/${span.traceID}`));
});
