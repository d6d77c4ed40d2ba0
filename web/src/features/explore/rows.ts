// The rows of the results: a trace each, or a matching span each. Pure.

import type { MatchedSpan, Scope, TraceSummary } from '../../api/types.ts';

export type ResultRow = {
  readonly key: string;
  readonly trace: TraceSummary;
  /** The span that the row is about; in the scope of traces the first that matches. */
  readonly span: MatchedSpan | null;
  /** The spans that a link names in this trace. */
  readonly named?: readonly string[];
  readonly service: string;
  readonly name: string;
  readonly startNs: bigint;
  readonly durationNs: number;
  readonly hasError: boolean;
  /** The values of the columns that were asked for. */
  readonly columns: readonly (string | null)[];
};

export function rowsOf(traces: readonly TraceSummary[], scope: Scope): ResultRow[] {
  if (scope === 'traces') return traces.map(traceRow);
  return traces.flatMap((trace) => (trace.matched.length === 0 ? [traceRow(trace)] : spanRows(trace)));
}

function traceRow(trace: TraceSummary): ResultRow {
  const span = trace.matched[0] ?? null;
  return {
    key: trace.traceId,
    trace,
    span,
    service: trace.root?.service ?? trace.services[0]?.service ?? '',
    name: trace.root?.name ?? '',
    startNs: BigInt(trace.startNs),
    durationNs: trace.durationNs,
    hasError: trace.errors > 0,
    columns: span?.columns ?? [],
  };
}

function spanRows(trace: TraceSummary): ResultRow[] {
  return trace.matched.map((span) => spanRow(trace, span));
}

export function spanRow(trace: TraceSummary, span: MatchedSpan): ResultRow {
  return {
    key: `${trace.traceId}/${span.spanId}`,
    trace,
    span,
    service: span.service,
    name: span.name,
    startNs: BigInt(span.startNs),
    durationNs: span.durationNs,
    hasError: span.status === 'error',
    columns: span.columns,
  };
}

/** The shares of the services of a trace, the largest first. */
export function sharesOf(trace: TraceSummary): TraceSummary['services'] {
  return [...trace.services].sort((a, b) => b.spans - a.spans || (a.service < b.service ? -1 : 1));
}
