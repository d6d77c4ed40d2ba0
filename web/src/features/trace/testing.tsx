// A trace page in a test: a fake server with one synthetic trace, and the page as the app draws it.

import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { configure, render } from '@testing-library/react';
import { vi } from 'vitest';
import { encodeTrace } from '../../../perf/generate.ts';
import type { SpanDetails } from '../../api/types.ts';
import { handleKey } from '../../core/commands.ts';
import { goTo, useRoute } from '../../core/navigation.ts';
import type { TraceColumns } from '../../model/columns.ts';
import { LiveRegion } from '../../ui/LiveRegion/LiveRegion.tsx';
import { startHere } from '../../worker/here.ts';
import Trace from './route.tsx';
import { provideTraceClient } from './state/client.ts';

// Parts of the page are fetched when they are first wanted, which takes long where many tests run at once.
configure({ asyncUtilTimeout: 5_000, getElementError: (message) => new Error(message ?? '') });

export const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';

type Answer = { status?: number; body?: unknown };
export type FakeServer = {
  /** Null: there is no such trace. */
  trace: TraceColumns | null;
  status: number;
  answers: Record<string, (url: URL, init: RequestInit | undefined) => Answer | Promise<Answer>>;
  readonly asked: string[];
};

export function detailsOf(spanId: string, more: Partial<SpanDetails> = {}): SpanDetails {
  return {
    ...{ spanId, parentSpanId: null, service: 's', name: 'n', kind: 'server', status: 'unset', statusMessage: '' },
    ...{ startNs: '0', durationNs: 1, traceState: '', flags: 0, attributes: [], droppedAttributes: 0, events: [] },
    ...{ droppedEvents: 0, links: [], droppedLinks: 0, resource: [], warnings: [] },
    scope: { name: '', version: '', attributes: [] },
    ...more,
  };
}

export function fakeServer(trace: TraceColumns | null): FakeServer {
  const server: FakeServer = { trace, status: 200, answers: {}, asked: [] };
  const fetcher: typeof fetch = async (input, init) => {
    const url = new URL(String(input instanceof Request ? input.url : input), 'http://localhost/');
    const path = url.pathname.replace(/^.*\/(?:traces\/[^/]*|v1)\//, '');
    server.asked.push(`${init?.method ?? 'GET'} ${path}${url.search}`);
    if (path === 'skeleton') return skeleton(server, init);
    const answer = (await server.answers[path]?.(url, init)) ?? { status: 404, body: failure('nothing here') };
    return Response.json(answer.body, { status: answer.status ?? 200 });
  };
  vi.stubGlobal('fetch', fetcher);
  provideTraceClient(() => startHere(fetcher));
  return server;
}

function skeleton(server: FakeServer, init: RequestInit | undefined): Response {
  const { trace } = server;
  if (trace === null || server.status !== 200) {
    const status = trace === null ? 404 : server.status;
    return Response.json(failure(status === 404 ? 'no such trace' : 'the store is on fire'), { status });
  }
  const etag = `"${trace.version}"`;
  const known = new Headers(init?.headers).get('if-none-match');
  if (known === etag) return new Response(null, { status: 304, headers: { etag } });
  return new Response(encodeTrace(trace).slice(), { headers: { etag } });
}

export function failure(message: string): unknown {
  return { error: { message, hint: null, diagnostics: [] } };
}

function Page() {
  const route = useRoute();
  return route.page === 'trace' ? <Trace route={route} /> : null;
}

const onKey = (event: KeyboardEvent): void => void handleKey(event);

export function openPage(query = ''): void {
  openPageOf(TRACE_ID, query);
}

export function openPageOf(traceId: string, query = ''): void {
  // What has no layout here is as large as a screen.
  vi.spyOn(HTMLElement.prototype, 'clientHeight', 'get').mockReturnValue(480);
  vi.spyOn(HTMLElement.prototype, 'clientWidth', 'get').mockReturnValue(1_000);
  goTo(`/trace/${traceId}${query}`);
  document.removeEventListener('keydown', onKey);
  document.addEventListener('keydown', onKey);
  render(
    <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}>
      <Page />
      <LiveRegion />
    </QueryClientProvider>,
  );
}
