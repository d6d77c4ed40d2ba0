// Spans as they arrive. The newest are first; when they come faster than anyone can read, the oldest go, and what the
// server had to leave out is counted.

import { urlOf } from '../../api/client.ts';
import type { TailEvent, TailSpan } from '../../api/types.ts';

export const TAIL_ROWS_MAX = 500;
/** Readers are told at most so often: a list that moves more cannot be read. */
const TELL_EVERY_MS = 250;

export type TailState = {
  readonly phase: 'connecting' | 'open' | 'lost';
  readonly spans: readonly TailSpan[];
  readonly received: number;
  readonly dropped: number;
  readonly isPaused: boolean;
};

export class Tail {
  state: TailState = { phase: 'connecting', spans: [], received: 0, dropped: 0, isPaused: false };
  readonly #source: EventSource;
  readonly #listeners = new Set<() => void>();
  #waiting: TailSpan[] = [];
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(q: string) {
    this.#source = new EventSource(urlOf('tail', { q }));
    this.#source.onopen = () => this.#set({ phase: 'open' });
    this.#source.onmessage = (event: MessageEvent<string>) => this.#take(event.data);
    // The browser tries again by itself.
    this.#source.onerror = () => this.#set({ phase: 'lost' });
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

  close(): void {
    this.#source.close();
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #take(data: string): void {
    const event = JSON.parse(data) as TailEvent;
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
    this.#set({ spans, phase: 'open' });
  }

  #set(changes: Partial<TailState>): void {
    this.state = { ...this.state, ...changes };
    for (const listener of this.#listeners) listener();
  }
}
