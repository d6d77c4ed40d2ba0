// One search: asks page after page and holds what came so far. Answers are lines; readers are told once a batch, so
// that a thousand rows are drawn in a few frames.

import { ApiError } from '../../api/client.ts';
import type { Diagnostic, Skipped, TraceSummary } from '../../api/types.ts';
import { readPage, type SearchAsked, searchUrl } from './searchPage.ts';

export type Phase = 'waiting' | 'streaming' | 'done' | 'failed' | 'cancelled';

export type SearchState = {
  readonly phase: Phase;
  readonly traces: readonly TraceSummary[];
  /** Null: there are no more. */
  readonly cursor: string | null;
  readonly elapsedMs: number;
  readonly skipped: readonly Skipped[];
  readonly diagnostics: readonly Diagnostic[];
  readonly error: ApiError | null;
  /** As of `performance.now()`. */
  readonly startedAt: number;
  /** Whether the last page had any traces: else the next one is asked for only by hand. */
  readonly wasFruitful: boolean;
};

function start(): SearchState {
  return {
    phase: 'waiting',
    traces: [],
    cursor: null,
    elapsedMs: 0,
    skipped: [],
    diagnostics: [],
    error: null,
    startedAt: performance.now(),
    wasFruitful: false,
  };
}

export function isRunning({ phase }: SearchState): boolean {
  return phase === 'waiting' || phase === 'streaming';
}

export class SearchRun {
  readonly asked: SearchAsked;
  state: SearchState = start();
  #abort = new AbortController();
  readonly #listeners = new Set<() => void>();

  constructor(asked: SearchAsked) {
    this.asked = asked;
    void this.#page(null);
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      // Nobody waits for it any more: what goes on at the server ends. It may be wanted again in a moment, though.
      setTimeout(() => {
        if (this.#listeners.size === 0 && isRunning(this.state)) forget(this);
      }, LEAVE_MS);
    };
  };

  readonly snapshot = (): SearchState => this.state;

  /** The next page, when there is one and nothing is under way. */
  readonly more = (): void => {
    if (this.state.phase === 'done' && this.state.cursor !== null) void this.#page(this.state.cursor);
  };

  readonly cancel = (): void => {
    if (!isRunning(this.state)) return;
    this.#abort.abort();
    this.#set({ phase: 'cancelled', elapsedMs: performance.now() - this.state.startedAt });
  };

  readonly retry = (): void => {
    if (isRunning(this.state)) return;
    this.state = start();
    this.#tell();
    void this.#page(null);
  };

  get url(): string {
    return searchUrl(this.asked);
  }

  async #page(cursor: string | null): Promise<void> {
    const abort = new AbortController();
    this.#abort = abort;
    const before = this.state.traces.length;
    if (cursor !== null) this.#set({ phase: 'streaming', startedAt: performance.now() });
    try {
      const end = await readPage(this.asked, cursor, {
        signal: abort.signal,
        onTraces: (batch, elapsedMs) => {
          const traces = batch.length === 0 ? this.state.traces : [...this.state.traces, ...batch];
          this.#set({ phase: 'streaming', traces, ...(elapsedMs !== null && { elapsedMs }) });
        },
      });
      const wasFruitful = this.state.traces.length > before;
      const { cursor: next, elapsedMs, skipped, diagnostics } = end;
      this.#set({ phase: 'done', cursor: next, elapsedMs, skipped, diagnostics, wasFruitful });
    } catch (error) {
      if (abort.signal.aborted) return;
      const told = error instanceof ApiError ? error : new ApiError(String(error), 0, null, [], this.url);
      this.#set({ phase: 'failed', error: told, diagnostics: told.diagnostics });
    }
  }

  #set(changes: Partial<SearchState>): void {
    this.state = { ...this.state, ...changes };
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

const KEPT_MAX = 6;
const LEAVE_MS = 1_000;
const kept = new Map<string, SearchRun>();

function forget(run: SearchRun): void {
  run.cancel();
  for (const [key, other] of kept) if (other === run) kept.delete(key);
}

function keyOf({ from, to, ...rest }: SearchAsked): string {
  return JSON.stringify({ ...rest, from: String(from), to: String(to) });
}

/** The search of this question; one that was asked lately is kept, so that Back shows it at once. */
export function searchOf(asked: SearchAsked): SearchRun {
  const key = keyOf(asked);
  const known = kept.get(key);
  const run = known ?? new SearchRun(asked);
  kept.delete(key);
  kept.set(key, run);
  for (const [oldest, old] of kept) {
    if (kept.size <= KEPT_MAX) break;
    old.cancel();
    kept.delete(oldest);
  }
  return run;
}

export function forgetSearches(): void {
  for (const run of kept.values()) run.cancel();
  kept.clear();
}
