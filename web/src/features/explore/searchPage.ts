// One page of a search: asks for it and reads its lines. Batches of traces are handed on as they come.

import { ApiError, ask, lines, urlOf } from '../../api/client.ts';
import type { Scope, SearchLine, Sort, TraceSummary } from '../../api/types.ts';
import { text } from './text.ts';

export type SearchAsked = {
  readonly q: string;
  readonly scope: Scope;
  readonly sort: Sort;
  readonly cols: readonly string[];
  readonly limit: number;
  /** Nanoseconds since the epoch. */
  readonly from: bigint;
  readonly to: bigint;
};

/** What the last line of a page says. */
export type PageEnd = Extract<SearchLine, { type: 'done' }>;

export type PageOptions = {
  readonly signal: AbortSignal;
  readonly onTraces: (traces: readonly TraceSummary[], elapsedMs: number | null) => void;
};

export function searchUrl(asked: SearchAsked, cursor: string | null = null): string {
  return urlOf('search', { ...asked, cursor });
}

/** Fails with an `ApiError`; what came before was handed on. */
export async function readPage(
  asked: SearchAsked,
  cursor: string | null,
  { signal, onTraces }: PageOptions,
): Promise<PageEnd> {
  const url = searchUrl(asked, cursor);
  try {
    const response = await ask(url, { signal });
    let batch: TraceSummary[] = [];
    for await (const line of lines<SearchLine>(response)) {
      signal.throwIfAborted();
      if (line.type === 'trace') {
        batch.push(line.trace);
        continue;
      }
      if (batch.length > 0 || line.type === 'progress')
        onTraces(batch, line.type === 'progress' ? line.elapsedMs : null);
      batch = [];
      if (line.type === 'failed') throw new ApiError(line.message, 500, line.hint, [], url);
      if (line.type === 'done') return line;
    }
  } catch (error) {
    if (error instanceof ApiError || signal.aborted) throw error;
    // The connection broke, or what came is not what was asked for.
    throw new ApiError(error instanceof Error ? error.message : String(error), 0, null, [], url);
  }
  throw new ApiError(text.endedEarly, 0, text.endedEarlyHint, [], url);
}
