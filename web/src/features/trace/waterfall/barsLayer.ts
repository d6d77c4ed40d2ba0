// The canvas beside the rows: paints what is on screen with the painter of bars. Where rows are not evenly spaced (a
// gap with details, or bars below their names), the painter still paints even rows, and what it paints is moved to
// its row.

import { paintBars } from '../../../canvas/bars.ts';
import type { Surface } from '../../../canvas/surface.ts';
import type { RowColours, Theme } from '../../../canvas/theme.ts';
import { formatDuration } from '../../../format/duration.ts';
import type { RowIndex } from '../../../model/columns.ts';
import type { TraceSession } from '../state/session.ts';

export type BarsScene = {
  readonly session: TraceSession;
  readonly theme: Theme;
  readonly colours: RowColours;
  readonly eventTimes: ((row: RowIndex) => Float64Array) | null;
  readonly showsCritical: boolean;
  readonly window: { readonly from: number; readonly to: number };
  readonly width: number;
  readonly height: number;
  readonly first: number;
  readonly last: number;
  /** Where the bar of an entry begins, from the top of the canvas. */
  readonly topOf: (index: number) => number;
  readonly barHeight: number;
  /** Entries are `barHeight` apart: nothing has to be moved. */
  readonly isEven: boolean;
};

export function drawBars(canvas: HTMLCanvasElement, scene: BarsScene): void {
  const context = canvas.getContext('2d', { alpha: false });
  if (context === null || scene.width <= 0 || scene.height <= 0) return;
  const scale = globalThis.devicePixelRatio || 1;
  const width = Math.round(scene.width * scale);
  const height = Math.round(scene.height * scale);
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
    canvas.style.width = `${scene.width}px`;
    canvas.style.height = `${scene.height}px`;
  }
  const { session, first, last, barHeight, eventTimes } = scene;
  const rows = [];
  for (let i = first; i < last; i++) rows.push(session.barAt(i));
  const top = scene.isEven ? scene.topOf(first) : 0;
  const surface = scene.isEven
    ? context
    : new MovedSurface(context, {
        height,
        rowPx: barHeight * scale,
        shiftOf: (i) => Math.round((scene.topOf(first + i) - i * barHeight) * scale),
      });
  paintBars(surface, {
    columns: session.columns,
    rows,
    theme: scene.theme,
    colours: scene.colours,
    window: scene.window,
    width: scene.width,
    height: scene.height,
    rowHeight: barHeight,
    top,
    scale,
    critical: scene.showsCritical ? session.critical : null,
    eventsOf: eventTimes,
    latestEnd: session.latestEnd,
    durationText: formatDuration,
  });
}

type Moves = { readonly height: number; readonly rowPx: number; readonly shiftOf: (row: number) => number };

class MovedSurface implements Surface {
  readonly #to: Surface;
  readonly #moves: Moves;

  constructor(to: Surface, moves: Moves) {
    this.#to = to;
    this.#moves = moves;
  }

  get fillStyle(): Surface['fillStyle'] {
    return this.#to.fillStyle;
  }
  set fillStyle(style: Surface['fillStyle']) {
    this.#to.fillStyle = style;
  }
  get font(): string {
    return this.#to.font;
  }
  set font(font: string) {
    this.#to.font = font;
  }
  get textBaseline(): CanvasTextBaseline {
    return this.#to.textBaseline;
  }
  set textBaseline(baseline: CanvasTextBaseline) {
    this.#to.textBaseline = baseline;
  }

  fillRect(x: number, y: number, width: number, height: number): void {
    const isGround = y === 0 && height >= this.#moves.height;
    this.#to.fillRect(x, isGround ? y : y + this.#shift(y), width, height);
  }

  fillText(text: string, x: number, y: number): void {
    this.#to.fillText(text, x, y + this.#shift(y));
  }

  #shift(y: number): number {
    return this.#moves.shiftOf(Math.floor(y / this.#moves.rowPx));
  }
}
