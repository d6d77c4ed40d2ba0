// The whole trace in a strip: its levels from top to bottom over all of its time.
//
// The same raster as the flame view's; where there are more levels than lines, levels share a line and the worst span
// is seen. Errors are two pixels wide at least, so that one of a million is not missed; the critical path is a line.

import { FLAG, type TraceColumns } from '../model/columns.ts';
import { type FlameIndex, wins } from './flameIndex.ts';
import { ownersOfDepth } from './flameOwners.ts';
import { Pixels } from './pixels.ts';
import { colourOfSlot, mix, packed, type RowColours, slotOfRow, type Theme } from './theme.ts';
import { WINDOW_NS_MIN } from './viewport.ts';

export const MINIMAP_WIDTH = 1_600;
export const MINIMAP_HEIGHT = 64;
/** A level is never taller, so that a trace of two levels is not two slabs. */
const LEVEL_PX_MAX = 12;

export interface MinimapInput {
  readonly columns: TraceColumns;
  readonly index: FlameIndex;
  readonly theme: Theme;
  readonly colours: RowColours;
  readonly width: number;
  readonly height: number;
}

export function rasterMinimap(input: MinimapInput): Pixels {
  const { columns, index, theme, width, height } = input;
  const pixels = new Pixels(width, height);
  pixels.data.fill(packed(theme.background));
  const depths = index.offsets.length - 1;
  if (depths <= 0) return pixels;
  const window = { from: 0, to: Math.max(WINDOW_NS_MIN, columns.durationNs), width };
  const used = Math.min(height, depths * LEVEL_PX_MAX);
  const topOf = (depth: number): number => Math.floor((depth * used) / depths);
  const colourOf = coloursOf(input);
  const error = packed(theme.error);

  const line = new Int32Array(width).fill(-1);
  const owners = new Int32Array(width);
  for (let depth = 0; depth < depths; depth++) {
    ownersOfDepth(columns, index, window, depth, owners);
    for (let x = 0; x < width; x++) {
      const owner = owners[x] as number;
      const other = line[x] as number;
      if (owner >= 0 && (other < 0 || wins(columns, owner, other))) line[x] = owner;
    }
    const top = topOf(depth);
    const bottom = topOf(depth + 1);
    if (bottom === top) continue;
    // The line that is left free tells levels apart where they are tall enough.
    const tall = Math.max(1, bottom - top - (bottom - top >= 3 ? 1 : 0));
    for (let x = 0; x < width; x++) {
      const owner = line[x] as number;
      if (isErrorAt(columns, owner) || (x > 0 && isErrorAt(columns, line[x - 1] as number)))
        pixels.fill(x, top, 1, tall, error);
      else if (owner >= 0) pixels.fill(x, top, 1, tall, colourOf(owner));
    }
    line.fill(-1);
  }
  paintCritical(input, pixels, topOf);
  return pixels;
}

function isErrorAt(columns: TraceColumns, row: number): boolean {
  return row >= 0 && ((columns.flags[row] as number) & FLAG.error) !== 0;
}

function coloursOf(input: MinimapInput): (row: number) => number {
  const { theme, colours } = input;
  const table = Array.from({ length: 25 }, (_, i) => packed(mix(theme.background, colourOfSlot(theme, i - 1), 0.75)));
  return (row) => table[Math.max(-1, Math.min(23, slotOfRow(colours, row))) + 1] as number;
}

function paintCritical(input: MinimapInput, pixels: Pixels, topOf: (depth: number) => number): void {
  const { columns, theme } = input;
  const { row, from, to } = columns.critical;
  const perNs = pixels.width / Math.max(WINDOW_NS_MIN, columns.durationNs);
  const pixel = packed(theme.critical);
  for (let k = 0; k < row.length; k++) {
    const depth = columns.depth[row[k] as number] as number;
    const y = Math.max(topOf(depth), ((topOf(depth) + topOf(depth + 1)) >> 1) - 1);
    const x0 = Math.floor((from[k] as number) * perNs);
    pixels.fill(x0, y, Math.max(1, Math.ceil((to[k] as number) * perNs) - x0), 1, pixel);
  }
}
