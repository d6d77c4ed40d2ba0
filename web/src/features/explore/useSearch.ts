// The search of the page, and what is shown while a new one has nothing yet: the rows of the one before.

import { useEffect, useMemo, useRef, useSyncExternalStore } from 'react';
import type { TraceSummary } from '../../api/types.ts';
import { type OpenedTrace, openedTrace } from '../../core/openedTraces.ts';
import { rememberQuery } from '../../core/preferences.ts';
import { summarize } from '../../model/summary.ts';
import { announce } from '../../ui/LiveRegion/LiveRegion.tsx';
import { type ResultRow, rowsOf } from './rows.ts';
import type { SearchAsked } from './searchPage.ts';
import { type SearchRun, type SearchState, searchOf } from './searchRun.ts';
import { text } from './text.ts';
import type { State } from './useExplore.ts';

const IDLE: SearchState = {
  phase: 'done',
  traces: [],
  cursor: null,
  elapsedMs: 0,
  skipped: [],
  diagnostics: [],
  error: null,
  startedAt: 0,
  wasFruitful: false,
};
const never = () => () => undefined;

export type Search = {
  readonly run: SearchRun | null;
  readonly state: SearchState;
  readonly rows: readonly ResultRow[];
  /** The rows are those of the search before. */
  readonly isStale: boolean;
};

export function useSearch(asked: SearchAsked, isOn: boolean): Search {
  const run = useMemo(() => (isOn ? searchOf(asked) : null), [asked, isOn]);
  const state = useSyncExternalStore(run?.subscribe ?? never, run?.snapshot ?? (() => IDLE));
  const { scope } = asked;
  const fresh = useMemo(() => rowsOf(state.traces, scope), [state.traces, scope]);
  const before = useRef<readonly ResultRow[]>([]);
  const isStale = state.phase === 'waiting' && before.current.length > 0;
  useEffect(() => {
    if (state.phase !== 'waiting') before.current = fresh;
  }, [state.phase, fresh]);
  useEffect(() => {
    if (state.phase !== 'done' || run === null) return;
    announce(text.shown(scope, rowsOf(run.state.traces, scope).length));
    if (asked.from > 0n) rememberQuery(asked.q);
  }, [state.phase, run, scope, asked]);
  return { run, state, rows: isStale ? before.current : fresh, isStale };
}

function summaryOf({ columns }: OpenedTrace): TraceSummary {
  const facts = summarize(columns);
  return {
    traceId: columns.traceId,
    startNs: String(columns.startNs),
    durationNs: columns.durationNs,
    spans: facts.spans,
    errors: facts.errors,
    root: { service: facts.rootService, name: facts.rootName, kind: 'unspecified' },
    services: facts.services.map(({ name, spans, errors }) => ({ service: name, spans, errors })),
    isComplete: true,
    matched: [],
    matchedSpans: null,
  };
}

/** The traces of a list that come from files. */
export function openedRows(traces: State['traces']): ResultRow[] {
  const opened = traces.flatMap(({ traceId }) => openedTrace(traceId) ?? []);
  return rowsOf(opened.map(summaryOf), 'traces');
}

/** In the order of the list, with the spans that the list names; and which of them are nowhere. */
export function listedRows(found: readonly ResultRow[], traces: State['traces']) {
  const byId = new Map([...found, ...openedRows(traces)].map((row) => [row.trace.traceId, row]));
  const rows = traces.flatMap(({ traceId, spanIds }): ResultRow[] => {
    const row = byId.get(traceId);
    if (!row) return [];
    const span = row.trace.matched.find(({ spanId }) => spanIds.includes(spanId as (typeof spanIds)[number]));
    return [{ ...row, span: span ?? null, named: spanIds }];
  });
  return { rows, missing: traces.filter(({ traceId }) => !byId.has(traceId)).map(({ traceId }) => traceId) };
}
