// For tests of pages: a page with what is around it, and a server of which each route answers what the test says.

import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { render } from '@testing-library/react';
import type { ReactNode } from 'react';
import { vi } from 'vitest';
import { LiveRegion } from '../ui/LiveRegion/LiveRegion.tsx';
import { type Page, parseUrl, type RouteOf } from '../url/index.ts';

type Answer = object | ((url: URL) => object);

/** Answers by route below `api/ui/v1/`; what is not named is answered with 404. Returns what was asked. */
export function fakeServer(answers: Readonly<Record<string, Answer>>): string[] {
  const asked: string[] = [];
  vi.stubGlobal('fetch', async (input: string) => {
    const url = new URL(input);
    const path = url.pathname.replace(/^.*\/api\/ui\/v1\//, '');
    asked.push(path + url.search);
    const answer = answers[path];
    if (answer === undefined) {
      return new Response(JSON.stringify({ error: { message: 'not there', hint: null, diagnostics: [] } }), {
        status: 404,
      });
    }
    return new Response(JSON.stringify(typeof answer === 'function' ? answer(url) : answer), { status: 200 });
  });
  return asked;
}

export function renderPage(page: ReactNode) {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  return render(
    <QueryClientProvider client={client}>
      {page}
      <LiveRegion />
    </QueryClientProvider>,
  );
}

export function routeOf<P extends Page>(url: string): RouteOf<P> {
  return parseUrl(url).route as RouteOf<P>;
}
