// The waterfall as one surface: how far it is scrolled, which rows and bars are drawn, at most once a frame. React
// gives it what to show; wheel and keys move it without React.

import type { RowColours, Theme } from '../../../canvas/theme.ts';
import type { Bits } from '../../../model/bits.ts';
import type { RowIndex } from '../../../model/columns.ts';
import { maxDepth } from '../../../model/tree.ts';
import type { TraceSession } from '../state/session.ts';
import type { TimeWindow } from '../state/timeWindow.ts';
import type { ValueColumn } from '../state/useValueColumns.ts';
import { drawBars } from './barsLayer.ts';
import { clampScroll, type Geometry, indexAt, isInGap, scrollTo, topOf, totalHeight } from './geometry.ts';
import { RowPool } from './rowPool.ts';

/** The bar stands below the name where there is no room beside it. */
const BAR_BELOW_PX = 18;
const INDENT_PX = 12;
const INDENT_PX_MIN = 3;
const RESTS_MS = 150;

export type SurfaceParts = {
  readonly body: HTMLElement;
  readonly rows: HTMLElement;
  readonly canvas: HTMLCanvasElement;
  readonly gap: HTMLElement;
};

export type SurfaceInput = {
  readonly id: string;
  readonly session: TraceSession;
  readonly window: TimeWindow;
  readonly theme: Theme;
  readonly colours: RowColours;
  readonly values: readonly ValueColumn[];
  readonly matches: Bits | null;
  readonly eventTimes: ((row: RowIndex) => Float64Array) | null;
  readonly showsCritical: boolean;
  /** Entry of the selection; -1: none. */
  readonly active: number;
  readonly rowHeight: number;
  /** Names are above their bars. */
  readonly isStacked: boolean;
  /** Where the time side begins, in px: behind the names with all columns beside them. */
  readonly timeLeft: number;
  /** Height of the details below the selected entry; 0: none. */
  readonly gapPx: number;
};

export class WaterfallSurface {
  readonly #parts: SurfaceParts;
  readonly #pool: RowPool;
  readonly #listeners = new Set<() => void>();
  #input: SurfaceInput | null = null;
  #stamp = 0;
  #top = 0;
  #width = 0;
  #height = 0;
  #frame = 0;
  #rest: ReturnType<typeof setTimeout> | undefined;
  #depth: { session: TraceSession; deepest: number } | null = null;

  constructor(parts: SurfaceParts) {
    this.#parts = parts;
    this.#pool = new RowPool(parts.rows);
  }

  show(input: SurfaceInput): void {
    this.#input = input;
    this.#stamp += 1;
    this.#top = clampScroll(this.geometry, this.#top, this.#height);
    this.invalidate();
  }

  resize(width: number, height: number): void {
    // What was chosen and in view stays so when details take room.
    const active = this.#input?.active ?? -1;
    const wasSeen = active >= 0 && this.#isSeen(active);
    this.#width = width;
    this.#height = height;
    this.#top = clampScroll(this.geometry, this.#top, height);
    if (wasSeen) this.reveal(active);
    this.invalidate();
  }

  get height(): number {
    return this.#height;
  }

  get top(): number {
    return this.#top;
  }

  /** Of the time side. */
  get timeWidth(): number {
    const input = this.#input;
    return Math.max(1, this.#width - (input?.timeLeft ?? 0));
  }

  get geometry(): Geometry {
    const input = this.#input;
    if (input === null) return { count: 0, rowHeight: 24, gap: null };
    const gap = input.gapPx > 0 && input.active >= 0 ? { after: input.active, height: input.gapPx } : null;
    const rowHeight = input.rowHeight + (input.isStacked ? BAR_BELOW_PX : 0);
    return { count: input.session.rows.length, rowHeight, gap };
  }

  scrollTo(top: number): void {
    const next = clampScroll(this.geometry, top, this.#height);
    if (next === this.#top) return;
    this.#top = next;
    this.invalidate();
  }

  scrollBy(pixels: number): void {
    this.scrollTo(this.#top + pixels);
  }

  reveal(index: number): void {
    if (index >= 0) this.scrollTo(scrollTo(this.geometry, index, this.#top, this.#height));
  }

  #isSeen(index: number): boolean {
    const y = topOf(this.geometry, index);
    return y + this.geometry.rowHeight > this.#top && y < this.#top + this.#height;
  }

  /** The entry at a height of the body; -1: none. */
  indexAt(y: number): number {
    const g = this.geometry;
    const at = this.#top + y;
    if (isInGap(g, at)) return -1;
    const index = indexAt(g, at);
    return index >= 0 && index < g.count ? index : -1;
  }

  focus(index: number): void {
    this.draw();
    this.#pool.focus(index);
  }

  get hasFocus(): boolean {
    return this.#pool.hasFocus;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly invalidate = (): void => {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => this.draw());
  };

  draw(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const input = this.#input;
    if (input === null || this.#height <= 0) return;
    const g = this.geometry;
    const top = this.#top;
    const first = Math.max(0, indexAt(g, top));
    const last = Math.min(g.count, indexAt(g, top + this.#height) + 1);
    const revision = String(input.session.revision());
    this.#pool.draw(first, last, (index) => topOf(g, index) - top, {
      session: input.session,
      id: input.id,
      colours: input.colours,
      values: input.values,
      matches: input.matches,
      active: input.active,
      indentPx: this.#indent(input),
      revision,
      stamp: `${this.#stamp} ${revision}`,
    });
    drawBars(this.#parts.canvas, {
      ...{ session: input.session, theme: input.theme, colours: input.colours, eventTimes: input.eventTimes },
      showsCritical: input.showsCritical,
      window: input.window.bounds,
      width: this.timeWidth,
      height: this.#height,
      ...{ first, last },
      topOf: (index) => topOf(g, index) - top + (input.isStacked ? input.rowHeight - 2 : 0),
      barHeight: input.isStacked ? BAR_BELOW_PX : g.rowHeight,
      isEven: g.gap === null && !input.isStacked,
    });
    this.#placeGap(g);
    this.#tellHeight(totalHeight(g));
    for (const listener of this.#listeners) listener();
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => this.#pool.sort(), RESTS_MS);
  }

  dispose(): void {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#rest);
  }

  /** Scrolled as a scroll bar has it: in entries. */
  get bar(): { value: number; page: number; total: number } {
    const g = this.geometry;
    return { value: this.#top / g.rowHeight, page: this.#height / g.rowHeight, total: totalHeight(g) / g.rowHeight };
  }

  /** Deep trees are indented less, so that names have room. */
  #indent(input: SurfaceInput): number {
    const { session } = input;
    if (this.#depth?.session !== session) this.#depth = { session, deepest: maxDepth(session.columns) };
    const room = (input.isStacked ? this.#width : input.timeLeft) * 0.4;
    return Math.max(INDENT_PX_MIN, Math.min(INDENT_PX, room / Math.max(1, this.#depth.deepest)));
  }

  /** For a page around a frame, which may make room for all rows. */
  #tellHeight(height: number): void {
    const { dataset } = this.#parts.body;
    if (dataset['fullHeight'] !== String(height)) dataset['fullHeight'] = String(height);
  }

  #placeGap(g: Geometry): void {
    const { gap } = this.#parts;
    gap.hidden = g.gap === null;
    if (g.gap === null) return;
    gap.style.transform = `translateY(${(g.gap.after + 1) * g.rowHeight - this.#top}px)`;
    gap.style.height = `${g.gap.height}px`;
  }
}
