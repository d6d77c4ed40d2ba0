// Opens trace files in the browser: Jaeger's JSON and OTLP's, whole or a document a line. Nothing is sent anywhere.
//
// The file's spans become traces as those of the server, with everything else about a span kept for the panel, by row.
// What is not a span is skipped and said; a file without any span is an answer too, with the reason.

import type { Skipped, SpanDetails } from '../api/types.ts';
import { buildTrace, type SpanInput } from './build.ts';
import type { TraceColumns } from './columns.ts';
import { jaegerSpans } from './jaegerFile.ts';
import { isRecord, textOf } from './json.ts';
import { jsonFault } from './jsonFault.ts';
import { otlpSpans } from './otlpFile.ts';
import { KINDS, STATUSES } from './stats.ts';
import { text as words } from './text.ts';

export interface FileTrace {
  readonly columns: TraceColumns;
  /** One a row. */
  readonly details: readonly SpanDetails[];
}

export interface FileAnswer {
  readonly traces: readonly FileTrace[];
  readonly skipped: readonly Skipped[];
}

/** A span as a file has it. */
export interface FileSpan {
  readonly traceId: string;
  readonly details: SpanDetails;
}

/** Reasons that are listed one by one. */
const SKIPPED_MAX = 20;

export function readTraceFile(text: string, name: string): FileAnswer {
  const skipped: Skipped[] = [];
  let left = 0;
  const skip = (what: string, why: string): void => {
    if (skipped.length < SKIPPED_MAX) skipped.push({ what, why });
    else left++;
  };
  const byTrace = new Map<string, SpanDetails[]>();
  for (const document of documentsOf(text, name, skip)) {
    for (const { traceId, details } of spansOf(document, name, skip)) {
      const spans = byTrace.get(traceId) ?? [];
      byTrace.set(traceId, spans);
      spans.push(details);
    }
  }
  if (left > 0) skipped.push({ what: words.more(left), why: words.moreWhy });
  if (byTrace.size === 0 && skipped.length === 0) skipped.push({ what: name, why: words.noSpans });
  const traces = Array.from(byTrace, ([traceId, spans]): FileTrace => {
    const { columns, inputOf } = buildTrace(traceId, spans.map(toInput));
    return { columns, details: Array.from(inputOf, (i) => withDuration(spans[i] as SpanDetails)) };
  });
  return { traces, skipped };
}

type Skip = (what: string, why: string) => void;

function* documentsOf(text: string, name: string, skip: Skip): Generator<unknown> {
  const body = text.startsWith('\ufeff') ? text.slice(1) : text;
  try {
    yield JSON.parse(body);
    return;
  } catch (cause) {
    // A document a line, unless the first line is none.
    const lines = body.split('\n');
    if (lines.length === 1 || !isJson(lines.find((line) => line.trim() !== '') ?? '')) {
      const fault = jsonFault(body);
      if (fault === null) skip(name, cause instanceof Error ? cause.message : String(cause));
      else skip(words.at(name, fault.line, fault.column), words.noJson(fault.why));
      return;
    }
    for (const [i, line] of lines.entries()) {
      if (line.trim() === '') continue;
      try {
        yield JSON.parse(line);
      } catch {
        const fault = jsonFault(line);
        skip(words.at(name, i + 1, fault?.column ?? 1), words.noJson(fault?.why ?? ''));
      }
    }
  }
}

function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}

function spansOf(document: unknown, name: string, skip: Skip): FileSpan[] {
  if (Array.isArray(document)) return document.flatMap((one) => spansOf(one, name, skip));
  if (isRecord(document)) {
    if (Array.isArray(document['resourceSpans'])) return otlpSpans(document['resourceSpans'], skip);
    // Tempo's name for the same.
    if (Array.isArray(document['batches'])) return otlpSpans(document['batches'], skip);
    if (Array.isArray(document['spans']) && isRecord(document['processes'])) return jaegerSpans(document, skip);
    // Answers of APIs around a trace.
    for (const key of ['data', 'result', 'trace']) {
      const inner = document[key];
      if (Array.isArray(inner) || isRecord(inner)) return spansOf(inner, name, skip);
    }
  }
  skip(name, words.noTrace);
  return [];
}

/** A duration that can be shown: what is known of it is 0, as in the columns. */
function withDuration(details: SpanDetails): SpanDetails {
  if (details.durationNs >= 0) return details;
  return {
    ...details,
    durationNs: 0,
    warnings: [...details.warnings, words.noEnd],
  };
}

function toInput(details: SpanDetails): SpanInput {
  return {
    spanId: details.spanId,
    parentId: details.parentSpanId,
    startNs: BigInt(details.startNs),
    durationNs: details.durationNs,
    service: details.service,
    name: details.name,
    kind: KINDS.indexOf(details.kind),
    status: STATUSES.indexOf(details.status),
    isError: details.status === 'error',
    hasEvents: details.events.length > 0,
    hasLinks: details.links.length > 0,
    host: hostOf(details.resource),
  };
}

/** As the server tells hosts apart; empty: not known. */
function hostOf(resource: SpanDetails['resource']): string {
  for (const key of ['host.id', 'host.ip', 'host.name']) {
    const value = resource.find((one) => one.key === key)?.value;
    const text = value?.type === 'string' ? value.value : value?.type === 'json' ? firstOf(value.value) : '';
    if (text !== '') return text;
  }
  return '';
}

function firstOf(json: string): string {
  const list: unknown = JSON.parse(json);
  return Array.isArray(list) ? textOf(list[0]) : '';
}
