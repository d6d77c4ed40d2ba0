// A server for tests of the search page: answers by path, and remembers what it was asked.

import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { render } from '@testing-library/react';
import { vi } from 'vitest';
import type {
  Chip,
  CompletionAnswer,
  MatchedSpan,
  OverviewAnswer,
  QueryAnswer,
  SearchLine,
  TraceSummary,
} from '../../api/types.ts';
import { goTo, useRoute } from '../../core/navigation.ts';
import { LiveRegion } from '../../ui/LiveRegion/LiveRegion.tsx';
import { ExplorePage } from './ExplorePage.tsx';
import { forgetSearches } from './searchRun.ts';

export const START_NS = 1_795_856_000_000_000_000n;

export function trace(n: number, changes: Partial<TraceSummary> = {}): TraceSummary {
  return {
    traceId: n.toString(16).padStart(32, '0'),
    startNs: String(START_NS + BigInt(n) * 1_000_000_000n),
    durationNs: n * 1_000_000,
    spans: n,
    errors: n % 3 === 0 ? 1 : 0,
    root: { service: 'web', name: `GET /${n}`, kind: 'server' },
    services: [
      { service: 'web', spans: 1, errors: 0 },
      { service: 'cart', spans: n, errors: 0 },
    ],
    isComplete: true,
    matched: [],
    matchedSpans: null,
    ...changes,
  };
}

export function matchedSpan(changes: Partial<MatchedSpan> = {}): MatchedSpan {
  return {
    spanId: '00000000000000ab',
    service: 'cart',
    name: 'pay',
    startNs: String(START_NS),
    durationNs: 9,
    status: 'error',
    kind: 'server',
    columns: [],
    ...changes,
  };
}

export function found(traces: readonly TraceSummary[], cursor: string | null = null): SearchLine[] {
  return [
    ...traces.map((one): SearchLine => ({ type: 'trace', trace: one })),
    { type: 'progress', found: traces.length, elapsedMs: 3 },
    { type: 'done', cursor, found: traces.length, elapsedMs: 7, skipped: [], diagnostics: [] },
  ];
}

export const overview: OverviewAnswer = {
  fromNs: String(START_NS),
  toNs: String(START_NS + 100_000_000_000n),
  stepNs: 10_000_000_000,
  points: 1_200,
  errors: 9,
  spans: 9_000,
  cells: {
    step: [1, 1, 4],
    bucket: [2, 5, 3],
    count: [1_000, 10, 190],
    errors: [0, 9, 0],
    slowest: [
      { traceId: 'a'.padStart(32, '0'), spanId: '000000000000000a', durationNs: 3_900_000 },
      { traceId: 'b'.padStart(32, '0'), spanId: '000000000000000b', durationNs: 60_000_000 },
      { traceId: 'c'.padStart(32, '0'), spanId: null, durationNs: 7_000_000 },
    ],
  },
  buckets: Array.from({ length: 8 }, (_, i) => ({ fromNs: 1e6 * 2 ** i, toNs: 1e6 * 2 ** (i + 1) })),
  facets: [
    {
      field: 'resource.service.name',
      values: [
        { value: 'cart', literal: '"cart"', count: 812, errors: 90 },
        { value: 'web', literal: '"web"', count: 640, errors: 0 },
      ],
      others: 0,
      missing: 0,
    },
    {
      field: 'span.http.route',
      values: [{ value: '/pay', literal: '"/pay"', count: 311, errors: 0 }],
      others: 4,
      missing: 10,
    },
  ],
  facetShare: 1,
  skipped: [],
};

/** Reads only what tests write: conjunctions of `field op value`. */
export function parse(q: string): QueryAnswer {
  const inner = /^\s*\{(.*)\}\s*$/s.exec(q)?.[1]?.trim();
  if (inner === undefined) {
    const proposal = { from: 0, to: q.length, text: `{ ${q} }`, label: `write { ${q} }` };
    const message = 'conditions stand in braces';
    return {
      canonical: null,
      chips: [],
      diagnostics: [{ severity: 'error', from: 0, to: q.length, message, proposal }],
    };
  }
  const chips = (inner === '' ? [] : inner.split(' && ')).map((text): Chip => {
    const parts = /^([\w.:]+) (=|!=|>) (.+)$/.exec(text);
    const [, field = '', op = '', value = ''] = parts ?? [];
    return { text, comparison: parts ? { field, op, value } : null };
  });
  return { canonical: q, chips, diagnostics: [] };
}

function complete(q: string): CompletionAnswer {
  const isValue = /[=>] \S*$/.test(q);
  const items: CompletionAnswer['items'] = isValue
    ? [{ text: '"cart"', kind: 'value', detail: 'service', count: 812 }]
    : [
        { text: 'span.http.route', kind: 'attribute', detail: 'attribute', count: 5_000 },
        { text: 'status', kind: 'field', detail: '', count: null },
      ];
  return { from: q.length, to: q.length, items, isAll: true };
}

type Answer = unknown | Response | ((url: URL) => unknown | Response | Promise<Response>);

const status = { version: '', nowNs: '0', program: {}, services: [{ service: 'web', lastNs: '1', operations: 1 }] };

/** Answers where none is given: two traces, an overview, readings of queries. */
export function serve(answers: Record<string, Answer> = {}): { asked: (path: string) => URL[] } {
  const urls: URL[] = [];
  const usual: Record<string, Answer> = {
    search: () => ndjson(found([trace(2), trace(3)])),
    overview,
    query: (url: URL) => parse(url.searchParams.get('q') ?? ''),
    complete: (url: URL) => complete(url.searchParams.get('q') ?? ''),
    status,
  };
  vi.stubGlobal('fetch', async (input: string) => {
    const url = new URL(input);
    urls.push(url);
    const path = url.pathname.split('/api/ui/v1/')[1] ?? '';
    const answer = path in answers ? answers[path] : usual[path];
    const value = typeof answer === 'function' ? await (answer as (url: URL) => unknown)(url) : answer;
    if (value instanceof Response) return value;
    return value === undefined ? failed(404, 'not here') : new Response(JSON.stringify(value));
  });
  return { asked: (path) => urls.filter(({ pathname }) => pathname.endsWith(`/v1/${path}`)) };
}

export function ndjson(answer: readonly SearchLine[]): Response {
  return new Response(`${answer.map((line) => JSON.stringify(line)).join('\n')}\n`);
}

export function failed(code: number, message: string, diagnostics: QueryAnswer['diagnostics'] = []): Response {
  return new Response(JSON.stringify({ error: { message, hint: 'a hint', diagnostics } }), { status: code });
}

function Page() {
  const route = useRoute();
  return route.page === 'search' ? <ExplorePage route={route} /> : null;
}

export function show(url: string) {
  forgetSearches();
  goTo('/elsewhere');
  goTo(url);
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  return render(
    <QueryClientProvider client={client}>
      <Page />
      <LiveRegion />
    </QueryClientProvider>,
  );
}

/** What happy-dom does not have: layout, and answers to media queries. */
export function pretendLayout(): void {
  vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener() {}, removeEventListener() {} }));
  vi.spyOn(HTMLElement.prototype, 'clientHeight', 'get').mockReturnValue(600);
  vi.spyOn(HTMLElement.prototype, 'clientWidth', 'get').mockReturnValue(900);
}

/** What the address says now: it is ahead of the bar while a replacement waits. */
export function query(): URLSearchParams {
  return new URLSearchParams(location.search);
}
