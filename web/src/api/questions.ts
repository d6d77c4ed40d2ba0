// The questions of the pages, each with the key that its answer is kept under.

import { ask, getJson, postJson } from './client.ts';
import type {
  CompletionAnswer,
  EdgesAnswer,
  FindAnswer,
  HomeAnswer,
  OverviewAnswer,
  PathAnswer,
  QueryAnswer,
  RedAnswer,
  Scope,
  SentAnswer,
  SpanDetails,
  SpanKind,
  SpansAnswer,
  StatusAnswer,
  TraceColumnAnswer,
  TraceEventsAnswer,
  TraceKeysAnswer,
} from './types.ts';

/** From and to as the server takes them. */
export type Window = { readonly from: bigint; readonly to: bigint };

const keyOf = (window: Window) => `${window.from}-${window.to}`;

/** What a question is kept under, and how it is asked. */
type Question<T> = { queryKey: readonly unknown[]; queryFn: (context: { signal: AbortSignal }) => Promise<T> };

function question<T>(queryKey: readonly unknown[], ask: (signal: AbortSignal) => Promise<T>): Question<T> {
  return { queryKey, queryFn: ({ signal }) => ask(signal) };
}

export const homeQuestion = (window: Window): Question<HomeAnswer> =>
  question(['home', keyOf(window)], (signal) => getJson('home', { ...window }, signal));

export type RedAsked = {
  readonly by: 'service' | 'operation';
  readonly service?: readonly string[];
  readonly kind?: readonly SpanKind[];
  readonly steps?: number;
};
export const redQuestion = (asked: RedAsked, window: Window): Question<RedAnswer> =>
  question(['red', asked, keyOf(window)], (signal) => getJson('red', { ...asked, ...window }, signal));

export type PathAsked = { readonly service: string; readonly operation: string; readonly kind: SpanKind | null };

/** What the time of an operation goes to. */
export const pathQuestion = (asked: PathAsked, window: Window): Question<PathAnswer> =>
  question(['path', asked, keyOf(window)], (signal) => getJson('path', { ...asked, ...window }, signal));

export const edgesQuestion = (window: Window): Question<EdgesAnswer> =>
  question(['edges', keyOf(window)], (signal) => getJson('edges', { ...window }, signal));

export const statusQuestion = (): Question<StatusAnswer> =>
  question(['status'], (signal) => getJson('status', {}, signal));

export type OverviewAsked = {
  readonly q: string;
  readonly scope: Scope;
  readonly steps: number;
  readonly facets: readonly string[];
};
export const overviewQuestion = (asked: OverviewAsked, window: Window): Question<OverviewAnswer> =>
  question(['overview', asked, keyOf(window)], (signal) =>
    getJson('overview', { ...asked, facets: asked.facets, ...window }, signal),
  );

export const queryQuestion = (q: string): Question<QueryAnswer> =>
  question(['query', q], (signal) => getJson('query', { q }, signal));

export const completionQuestion = (q: string, at: number, window: Window): Question<CompletionAnswer> =>
  question(['complete', q, at], (signal) => getJson('complete', { q, at, ...window }, signal));

export const spanQuestion = (traceId: string, spanId: string): Question<SpanDetails[]> =>
  question(['span', traceId, spanId], async (signal) => {
    const answer = await postJson<SpansAnswer>(`traces/${traceId}/spans`, { spans: [spanId] }, signal);
    return answer.spans;
  });

export const traceKeysQuestion = (traceId: string): Question<TraceKeysAnswer> =>
  question(['keys', traceId], (signal) => getJson(`traces/${traceId}/keys`, {}, signal));

export const traceEventsQuestion = (traceId: string): Question<TraceEventsAnswer> =>
  question(['events', traceId], (signal) => getJson(`traces/${traceId}/events`, {}, signal));

/** By a query, or by words in all that a span holds. */
export const findQuestion = (traceId: string, asked: { q: string } | { words: string }): Question<FindAnswer> =>
  question(['find', traceId, asked], (signal) => getJson(`traces/${traceId}/find`, asked, signal));

export const sendTestTrace = (): Promise<SentAnswer> => postJson('test-trace', {});
export const sendSample = (): Promise<SentAnswer> => postJson('sample', {});

export const traceColumnQuestion = (traceId: string, field: string): Question<TraceColumnAnswer> =>
  question(['column', traceId, field], (signal) => getJson(`traces/${traceId}/column`, { field }, signal));

/** Beside the UI's own API, where Jaeger has it. */
export async function archiveTrace(traceId: string): Promise<void> {
  await ask(new URL(`api/archive/${traceId}`, document.baseURI).href, { method: 'POST' });
}
