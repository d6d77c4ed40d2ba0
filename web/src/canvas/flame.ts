// The flame view: one line of pixels a depth, painted by the processor into memory.
//
// The view stretches the lines to the height of its rows with smoothing off, so that work is width times depth, not
// spans: blocks of spans that fall into one pixel are looked at once (see flameIndex.ts). A pixel shows the worst span
// in it: an error, then the critical path, then the longest.

import type { Bits } from '../model/bits.ts';
import { FLAG, type RowIndex, type TraceColumns } from '../model/columns.ts';
import type { FlameIndex } from './flameIndex.ts';
import { type FlameWindow, ownersOfDepth, scaleOf } from './flameOwners.ts';
import { Pixels } from './pixels.ts';
import { colourOfSlot, isHatched, mix, packed, type RowColours, slotOfRow, type Theme } from './theme.ts';

export const LABELS_MAX = 400;
/** A box at least this wide keeps one pixel free on its right, so that neighbours of one colour are told apart. */
const GAP_FROM_PX = 4;

export interface FlameInput {
  readonly columns: TraceColumns;
  readonly index: FlameIndex;
  readonly window: FlameWindow;
  readonly firstDepth: number;
  readonly depths: number;
  readonly theme: Theme;
  readonly colours: RowColours;
  /** When not null, the others are dimmed. */
  readonly highlight: Bits | null;
  /** Boxes at least this wide are reported for text. */
  readonly labelPx: number;
}

export interface FlameLabel {
  readonly row: RowIndex;
  readonly depth: number;
  /** Pixels of the box: `[x0, x1)`. */
  readonly x0: number;
  readonly x1: number;
}

export interface FlameFrame {
  /** A line a depth. */
  readonly boxes: Pixels;
  /** A line a depth: the critical path, nothing (0) elsewhere. */
  readonly critical: Pixels;
  /** From the top, as many as `LABELS_MAX`. */
  readonly labels: readonly FlameLabel[];
}

/** Paints into `reuse` where that has the right size. */
export function rasterFlame(input: FlameInput, reuse: FlameFrame | null = null): FlameFrame {
  const { columns, window, theme } = input;
  const { width } = window;
  const isFit = reuse !== null && reuse.boxes.width === width && reuse.boxes.height === input.depths;
  const boxes = isFit ? reuse.boxes : new Pixels(width, input.depths);
  const critical = isFit ? reuse.critical : new Pixels(width, input.depths);
  const labels: FlameLabel[] = [];
  const owners = new Int32Array(width);
  const paint = painterOf(input);
  for (let line = 0; line < input.depths; line++) {
    const depth = input.firstDepth + line;
    ownersOfDepth(columns, input.index, window, depth, owners);
    let x = 0;
    while (x < width) {
      const owner = owners[x] as number;
      let end = x + 1;
      while (end < width && owners[end] === owner) end++;
      paint(boxes, line, owner, x, end);
      if (owner >= 0 && end - x >= input.labelPx && labels.length < LABELS_MAX)
        labels.push({ row: owner, depth, x0: x, x1: end });
      x = end;
    }
  }
  critical.data.fill(0);
  paintCriticalLines(input, critical, packed(theme.critical));
  return { boxes, critical, labels };
}

function painterOf(input: FlameInput): (pixels: Pixels, line: number, owner: number, x: number, end: number) => void {
  const { columns, theme, highlight, colours } = input;
  const background = packed(theme.background);
  const error = packed(theme.error);
  const dim = (colour: string): string => mix(theme.background, colour, 0.3);
  const slots = Array.from({ length: 25 }, (_, i) => colourOfSlot(theme, i - 1));
  const full = slots.map(packed);
  const dimmed = slots.map((colour) => packed(dim(colour)));
  const light = slots.map((colour) => packed(mix(theme.background, colour, 0.6)));
  const dimmedError = packed(dim(theme.error));
  return (pixels, line, owner, x, end) => {
    const at = line * pixels.width;
    if (owner < 0) {
      for (let p = at + x; p < at + end; p++) pixels.data[p] = background;
      return;
    }
    const slot = Math.max(-1, Math.min(23, slotOfRow(colours, owner)));
    const isDim = highlight !== null && !highlight.has(owner);
    const isError = ((columns.flags[owner] as number) & FLAG.error) !== 0;
    const pixel = (isError ? (isDim ? dimmedError : error) : (isDim ? dimmed : full)[slot + 1]) as number;
    // Most runs are a pixel or two: a call of `fill` would cost more than they.
    const { data } = pixels;
    for (let p = at + x; p < at + end; p++) data[p] = pixel;
    if (!isError && isHatched(slot)) {
      for (let h = (x + 3) & ~3; h < end; h += 4) pixels.data[at + h] = light[slot + 1] as number;
    }
    if (end - x >= GAP_FROM_PX && end < pixels.width) pixels.data[at + end - 1] = background;
  };
}

function paintCriticalLines(input: FlameInput, lines: Pixels, pixel: number): void {
  const { columns, window } = input;
  const { row, from, to } = columns.critical;
  const scale = scaleOf(window);
  for (let k = 0; k < row.length; k++) {
    if ((to[k] as number) < window.from || (from[k] as number) > window.to) continue;
    const line = (columns.depth[row[k] as number] as number) - input.firstDepth;
    const x0 = Math.max(0, Math.floor(((from[k] as number) - scale.from) * scale.perNs));
    const x1 = Math.min(lines.width, Math.max(x0 + 1, Math.ceil(((to[k] as number) - scale.from) * scale.perNs)));
    if (line >= 0 && line < lines.height && x1 > x0)
      lines.data.fill(pixel, line * lines.width + x0, line * lines.width + x1);
  }
}
