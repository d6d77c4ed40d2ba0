// The flame view as one surface: a raster of the levels on screen, texts and frames over it, at most once a frame.

import { FlameBlitter } from '../../../canvas/blit.ts';
import { type FlameFrame, rasterFlame } from '../../../canvas/flame.ts';
import type { FlameIndex } from '../../../canvas/flameIndex.ts';
import { hitFlame } from '../../../canvas/flameOwners.ts';
import { boxOfRow, paintFlameTexts, paintFrame } from '../../../canvas/flameText.ts';
import { colourOfSlot, mix, type RowColours, slotOfRow, type Theme } from '../../../canvas/theme.ts';
import type { Bits } from '../../../model/bits.ts';
import { FLAG, type RowIndex } from '../../../model/columns.ts';
import type { TraceSession } from '../state/session.ts';
import type { TimeWindow } from '../state/timeWindow.ts';
import { nameOf, serviceOf } from '../waterfall/rowText.ts';

const LABEL_PX = 32;

export type FlameSurfaceInput = {
  readonly session: TraceSession;
  readonly flame: FlameIndex;
  readonly window: TimeWindow;
  readonly theme: Theme;
  readonly colours: RowColours;
  readonly highlight: Bits | null;
  readonly showsCritical: boolean;
  readonly selected: RowIndex;
  readonly hovered: RowIndex;
  readonly rowHeight: number;
};

export class FlameSurface {
  readonly #canvas: HTMLCanvasElement;
  readonly #blitter = new FlameBlitter();
  readonly #listeners = new Set<() => void>();
  #input: FlameSurfaceInput | null = null;
  #frame: FlameFrame | null = null;
  #top = 0;
  #width = 0;
  #height = 0;
  #request = 0;

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
  }

  show(input: FlameSurfaceInput): void {
    this.#input = input;
    this.scrollTo(this.#top);
    this.invalidate();
  }

  resize(width: number, height: number): void {
    this.#width = width;
    this.#height = height;
    this.scrollTo(this.#top);
    this.invalidate();
  }

  get width(): number {
    return Math.max(1, this.#width);
  }

  get height(): number {
    return this.#height;
  }

  get levels(): number {
    return this.#input === null ? 0 : this.#input.flame.offsets.length - 1;
  }

  get bar(): { value: number; page: number; total: number } {
    const rowHeight = this.#input?.rowHeight ?? 1;
    return { value: this.#top / rowHeight, page: this.#height / rowHeight, total: this.levels };
  }

  scrollTo(top: number): void {
    const most = this.levels * (this.#input?.rowHeight ?? 0) - this.#height;
    const next = Math.round(Math.min(Math.max(0, top), Math.max(0, most)));
    if (next === this.#top) return;
    this.#top = next;
    this.invalidate();
  }

  scrollBy(pixels: number): void {
    this.scrollTo(this.#top + pixels);
  }

  reveal(row: RowIndex): void {
    const input = this.#input;
    if (input === null || row < 0) return;
    const y = (input.session.columns.depth[row] as number) * input.rowHeight;
    if (y < this.#top) this.scrollTo(y);
    else if (y + input.rowHeight > this.#top + this.#height) this.scrollTo(y + input.rowHeight - this.#height);
  }

  /** The span whose colour is at a place of the canvas, or -1. */
  rowAt(x: number, y: number): RowIndex {
    const input = this.#input;
    if (input === null || x < 0 || y < 0) return -1;
    const scale = devicePixelRatio || 1;
    const window = { ...input.window.bounds, width: Math.round(this.#width * scale) };
    const depth = Math.floor((this.#top + y) / input.rowHeight);
    return hitFlame(input.session.columns, input.flame, window, x * scale, depth);
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly invalidate = (): void => {
    if (this.#request !== 0) return;
    this.#request = requestAnimationFrame(() => this.draw());
  };

  dispose(): void {
    cancelAnimationFrame(this.#request);
  }

  /** At once: a picture to keep waits for no frame. */
  draw(): void {
    this.#request = 0;
    const input = this.#input;
    const context = this.#canvas.getContext('2d', { alpha: false });
    if (input === null || context === null || this.#width <= 0 || this.#height <= 0) return;
    const scale = devicePixelRatio || 1;
    const width = Math.round(this.#width * scale);
    const height = Math.round(this.#height * scale);
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
      this.#canvas.style.width = `${this.#width}px`;
      this.#canvas.style.height = `${this.#height}px`;
    }
    const { session, theme, colours } = input;
    const { columns } = session;
    const rowPx = Math.round(input.rowHeight * scale);
    const firstDepth = Math.floor(this.#top / input.rowHeight);
    const depths = Math.max(1, Math.min(this.levels - firstDepth, Math.ceil(this.#height / input.rowHeight) + 1));
    const window = { ...input.window.bounds, width };
    const shift = Math.round((firstDepth * input.rowHeight - this.#top) * scale);
    const frame = rasterFlame(
      {
        ...{ columns, index: input.flame, window, firstDepth, depths, theme, colours },
        highlight: input.highlight,
        labelPx: LABEL_PX * scale,
      },
      this.#frame,
    );
    if (!input.showsCritical) frame.critical.data.fill(0);
    this.#frame = frame;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = theme.background;
    context.fillRect(0, 0, width, height);
    this.#blitter.draw(context, frame, shift, rowPx, scale);
    context.setTransform(1, 0, 0, 1, 0, shift);
    const colourOf = (row: RowIndex) => {
      const isError = ((columns.flags[row] as number) & FLAG.error) !== 0;
      const full = isError ? theme.error : colourOfSlot(theme, slotOfRow(colours, row));
      return input.highlight === null || input.highlight.has(row) ? full : mix(theme.background, full, 0.3);
    };
    paintFlameTexts(context, {
      labels: frame.labels,
      firstDepth,
      rowHeight: rowPx,
      scale,
      textOf: (row) => `${serviceOf(session, row)} ${nameOf(session, row)}`,
      colourOf,
    });
    for (const kind of ['hovered', 'selected'] as const) {
      const row = input[kind];
      const box = row < 0 ? null : boxOfRow(columns, window, row, firstDepth, rowPx);
      if (box !== null) paintFrame(context, theme, { ...box, height: rowPx - Math.max(1, Math.round(scale)) }, kind);
    }
    for (const listener of this.#listeners) listener();
  }
}
