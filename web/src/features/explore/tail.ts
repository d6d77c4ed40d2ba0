// Spans as they arrive. The newest are first; when they come faster than anyone can read, the oldest go, and what the
// server had to leave out is counted.
//
// Not by `EventSource`: it hides the status and the words of a refusal, so that one could only try again for ever.

import { ApiError, ask, events, urlOf } from '../../api/client.ts';
import type { Scope, TailEvent, TailSpan } from '../../api/types.ts';

export const TAIL_ROWS_MAX = 500;
/** Readers are told at most so often: a list that moves more cannot be read. */
const TELL_EVERY_MS = 250;
/** How long to wait before a lost connection is tried again. */
export const TRY_AGAIN_MS = 3_000;
/** Of whoever stands between: the server itself is away. */
const GATEWAY = [502, 504];

export type TailAsked = { readonly q: string; readonly scope: Scope; readonly cols: readonly string[] };

export type TailState = {
  readonly phase: 'connecting' | 'open' | 'lost' | 'refused';
  readonly spans: readonly TailSpan[];
  readonly received: number;
  readonly dropped: number;
  readonly isPaused: boolean;
  /** Why the server refused. */
  readonly error: ApiError | null;
};

export const NOTHING_YET: TailState = {
  phase: 'connecting',
  spans: [],
  received: 0,
  dropped: 0,
  isPaused: false,
  error: null,
};

export class Tail {
  state: TailState = NOTHING_YET;
  readonly url: string;
  readonly #abort = new AbortController();
  readonly #listeners = new Set<() => void>();
  #waiting: TailSpan[] = [];
  #timer: ReturnType<typeof setTimeout> | null = null;
  #again: ReturnType<typeof setTimeout> | null = null;

  constructor(asked: TailAsked) {
    this.url = urlOf('tail', asked);
    void this.#follow();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly snapshot = (): TailState => this.state;

  /** While paused, what arrives is counted and waits. */
  readonly setPaused = (isPaused: boolean): void => {
    this.#set({ isPaused });
    if (!isPaused) this.#flush();
  };

  /** Asks again after a refusal. */
  readonly retry = (): void => {
    if (this.state.phase !== 'refused') return;
    this.#set({ phase: 'connecting', error: null });
    void this.#follow();
  };

  close(): void {
    this.#abort.abort();
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#again !== null) clearTimeout(this.#again);
  }

  async #follow(): Promise<void> {
    const { signal } = this.#abort;
    try {
      const response = await ask(this.url, { signal, headers: { accept: 'text/event-stream' } });
      this.#set({ phase: 'open' });
      for await (const event of events<TailEvent>(response)) {
        if (signal.aborted) return;
        this.#take(event);
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ApiError && error.status !== 0 && !GATEWAY.includes(error.status)) {
        this.#set({ phase: 'refused', error });
        return;
      }
    }
    if (signal.aborted) return;
    this.#set({ phase: 'lost' });
    this.#again = setTimeout(() => void this.#follow(), TRY_AGAIN_MS);
  }

  #take(event: TailEvent): void {
    if (event.type === 'dropped') {
      this.#set({ dropped: this.state.dropped + event.spans });
      return;
    }
    this.#waiting = [...event.spans.toReversed(), ...this.#waiting].slice(0, TAIL_ROWS_MAX);
    this.state = { ...this.state, received: this.state.received + event.spans.length };
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#flush();
    }, TELL_EVERY_MS);
  }

  #flush(): void {
    const spans = this.state.isPaused
      ? this.state.spans
      : [...this.#waiting, ...this.state.spans].slice(0, TAIL_ROWS_MAX);
    if (!this.state.isPaused) this.#waiting = [];
    this.#set({ spans });
  }

  #set(changes: Partial<TailState>): void {
    this.state = { ...this.state, ...changes };
    for (const listener of this.#listeners) listener();
  }
}
