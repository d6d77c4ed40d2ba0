// A trace as a file: Jaeger's JSON as the server has it, OTLP's made here of the details of all spans, its flame view
// as a picture.

import { postJson } from '../../../api/client.ts';
import type { SpanDetails, SpansAnswer } from '../../../api/types.ts';
import { openedTrace } from '../../../core/openedTraces.ts';
import { spanIdOf } from '../../../model/tree.ts';
import type { TracePage } from '../state/page.tsx';
import type { TraceSession } from '../state/session.ts';

/** As many as the server tells at once. */
const BATCH = 1_000;
/** Beyond this a browser has too much to hold at once. */
export const OTLP_SPANS_MAX = 100_000;

export function jaegerUrl(traceId: string): string {
  return new URL(`api/traces/${traceId}`, document.baseURI).href;
}

function save(url: string, name: string): void {
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
}

export function saveJaeger(traceId: string): void {
  save(jaegerUrl(traceId), `trace-${traceId}.json`);
}

export async function saveOtlp(session: TraceSession): Promise<void> {
  const { traceId } = session.columns;
  const [spans, { otlpOf }] = await Promise.all([allDetails(session), import('./otlpJson.ts')]);
  const text = JSON.stringify(otlpOf(traceId, spans), null, 1);
  saveBlob(new Blob([text], { type: 'application/json' }), `trace-${traceId}.otlp.json`);
}

/** The flame view with all its levels; the picture says which trace it is of. */
export async function saveFlame(page: TracePage, title: string, facts: string): Promise<void> {
  const { flamePng } = await import('../flame/savePng.ts');
  saveBlob(await flamePng(page, title, facts), `trace-${page.session.columns.traceId}-flame.png`);
}

function saveBlob(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  save(url, name);
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

async function allDetails({ columns }: TraceSession): Promise<readonly SpanDetails[]> {
  const file = openedTrace(columns.traceId);
  if (file !== undefined) return file.details(Array.from({ length: columns.count }, (_, row) => row));
  // Several spans may share an id, and are all told when it is asked for once.
  const ids = [...new Set(Array.from({ length: columns.count }, (_, row) => spanIdOf(columns, row)))];
  const spans: SpanDetails[] = [];
  for (let at = 0; at < ids.length; at += BATCH) {
    const asked = { spans: ids.slice(at, at + BATCH) };
    const answer = await postJson<SpansAnswer>(`traces/${columns.traceId}/spans`, asked);
    spans.push(...answer.spans);
  }
  return spans;
}
