// The search page in a link: `q range from to scope sort cols group view limit run live`, and the traces to list as
// `traceID=` or, with the spans to show in them, `span=<id> <id>@<traceID>`, which are Jaeger's own forms.

import type { Scope, Sort } from '../api/types.ts';
import {
  choice,
  custom,
  type Field,
  type Fields,
  flag,
  LIST_ITEMS_MAX,
  list,
  optionalText,
  type Params,
  shortened,
  text,
  timeRange,
} from './fields.ts';
import { parseSpanId, parseTraceId, type SpanId, type TraceId } from './ids.ts';
import { fromJaegerView } from './jaeger.ts';
import type { ListedTrace, SearchState, SearchView } from './state.ts';
import { text as words } from './text.ts';
import { parseLast } from './timeRange.ts';

/** The server has its own limit; this one is against nonsense. */
const LIMIT_MAX = 100_000;

/** How far back a search looks that says nothing of it; links leave this one out. */
let usualRange = '1h';

/** The server may say another, before the first link is read. */
export function setUsualSearchRange(last: string): void {
  usualRange = parseLast(last) ?? usualRange;
}

const listedTraces: Field<readonly ListedTrace[]> = { read: readTraces, print: printTraces };

export const SEARCH: Fields<SearchState> = {
  q: text('q'),
  range: timeRange(() => usualRange),
  scope: choice<Scope>('scope', ['traces', 'entry', 'spans']),
  sort: choice<Sort>('sort', ['newest', 'slowest']),
  cols: list('cols'),
  group: optionalText('group'),
  traces: listedTraces,
  view: custom<SearchView>('view', 'list', parseView, (view) => view),
  limit: custom<number | null>('limit', null, parseLimit, (limit) => (limit === null ? '' : String(limit))),
  run: flag('run', true),
  live: flag('live', false),
};

function parseView(value: string): SearchView | null {
  return value === 'list' || value === 'graph' ? value : fromJaegerView(value);
}

function parseLimit(value: string): number | null {
  const limit = /^\d{1,9}$/.test(value) ? Number(value) : 0;
  return limit > 0 && limit <= LIMIT_MAX ? limit : null;
}

function readTraces(params: Params): ListedTrace[] {
  const traces = new Map<TraceId, SpanId[]>();
  for (const value of params.all('traceID')) {
    const traceId = parseTraceId(value);
    if (traceId === null) params.note(words.noTraceId(shortened(value)));
    else if (!traces.has(traceId)) traces.set(traceId, []);
  }
  for (const value of params.all('span')) {
    const at = value.lastIndexOf('@');
    const traceId = parseTraceId(value.slice(at + 1));
    if (at < 0 || traceId === null) {
      params.note(words.noTraceOfSpan(shortened(value)));
      continue;
    }
    const spans = traces.get(traceId) ?? [];
    traces.set(traceId, spans);
    for (const word of value.slice(0, at).split(/[\s,]+/)) addSpan(word, spans, params);
  }
  return [...traces].map(([traceId, spanIds]) => ({ traceId, spanIds }));
}

function addSpan(word: string, spans: SpanId[], params: Params): void {
  if (word === '') return;
  const spanId = parseSpanId(word);
  if (spanId === null) params.note(words.noSpanId(shortened(word)));
  else if (!spans.includes(spanId) && spans.length < LIST_ITEMS_MAX) spans.push(spanId);
}

/** All in one form, so that their order stays: `span=@id` lists a trace without a span. */
function printTraces(traces: readonly ListedTrace[]): (readonly [string, string])[] {
  if (traces.every(({ spanIds }) => spanIds.length === 0)) return traces.map(({ traceId }) => ['traceID', traceId]);
  return traces.map(({ traceId, spanIds }) => ['span', `${spanIds.join(' ')}@${traceId}`]);
}
