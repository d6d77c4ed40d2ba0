// The window of time that waterfall, flame and minimap show: changed many times a second, so outside of React and of
// the address, which follows when it rests.

import { fitAll, type Viewport } from '../../../canvas/viewport.ts';
import type { Zoom } from '../../../url/index.ts';

type Bounds = { readonly from: number; readonly to: number };

export class TimeWindow {
  #bounds: Bounds;
  #durationNs: number;
  readonly #listeners = new Set<() => void>();
  /** Where the pointer is over the view of time, as a share of its width; null: elsewhere. */
  pointer: number | null = null;

  constructor(durationNs: number, zoom: Zoom | null) {
    this.#durationNs = durationNs;
    const all = fitAll({ durationNs }, 1);
    this.#bounds = zoom === null ? all : { from: zoom.fromNs, to: zoom.toNs };
  }

  get durationNs(): number {
    return this.#durationNs;
  }

  get bounds(): Bounds {
    return this.#bounds;
  }

  get isWhole(): boolean {
    const all = fitAll({ durationNs: this.#durationNs }, 1);
    return this.#bounds.from <= 0 && this.#bounds.to >= all.to;
  }

  view(width: number): Viewport {
    return { from: this.#bounds.from, to: this.#bounds.to, width };
  }

  set(next: Bounds): void {
    if (next.from === this.#bounds.from && next.to === this.#bounds.to) return;
    this.#bounds = { from: next.from, to: next.to };
    for (const listener of this.#listeners) listener();
  }

  showAll(): void {
    this.set(fitAll({ durationNs: this.#durationNs }, 1));
  }

  /** The trace has grown: a window on all of it stays one. */
  setDuration(durationNs: number): void {
    const wasWhole = this.isWhole;
    this.#durationNs = durationNs;
    if (wasWhole) this.showAll();
  }

  /** As the address has it. */
  get zoom(): Zoom | null {
    return this.isWhole ? null : { fromNs: this.#bounds.from, toNs: this.#bounds.to };
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
}
