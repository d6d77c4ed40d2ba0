// The time side of the waterfall: one bar for each row that is on screen.
//
// A bar is light where a child was running and full where none was, so that self time is seen. On it: the critical path
// as a line with a halo, ticks of events, a mark for errors, and the duration: beside the bar where there is room, else
// inside.
// A row that hides rows which end later has a thin tail; a folded run is one band with its members as marks in it.
//
// Work depends on what is on screen: looking for gaps between children stops after `CHILDREN_MAX`. Everything snaps to
// device pixels and nothing is narrower than one.

import type { Ns, RowIndex, TraceColumns } from '../model/columns.ts';
import { FLAG } from '../model/columns.ts';
import type { CriticalIndex } from '../model/critical.ts';
import { subtreeEnd } from '../model/tree.ts';
import { type Surface, textWidth } from './surface.ts';
import { colourOfSlot, isHatched, mix, type RowColours, slotOfRow, type Theme, textOn } from './theme.ts';

const CHILDREN_MAX = 2_000;

export interface BarRow {
  readonly row: RowIndex;
  /** Members of a folded run, when the row stands for one. */
  readonly members: readonly RowIndex[] | null;
  /** What is below the row is not shown. */
  readonly isClosed: boolean;
  /** Shown only for what is below it. */
  readonly isDimmed: boolean;
}

export interface BarsInput {
  readonly columns: TraceColumns;
  readonly rows: readonly BarRow[];
  readonly theme: Theme;
  readonly colours: RowColours;
  readonly window: { readonly from: Ns; readonly to: Ns };
  /** CSS pixels. `top` is where the first row begins (0 or less while scrolling). */
  readonly width: number;
  readonly height: number;
  readonly rowHeight: number;
  readonly top: number;
  /** Device pixels a CSS pixel. */
  readonly scale: number;
  readonly critical: CriticalIndex | null;
  /** Times of a row's events. */
  readonly eventsOf: ((row: RowIndex) => ArrayLike<number>) | null;
  /** The latest end below a closed row; cached by who knows when it changes. */
  readonly latestEnd: (row: RowIndex) => Ns;
  readonly durationText: (ns: Ns) => string;
}

interface Geometry {
  readonly x: (at: Ns) => number;
  /** Where a bar begins: what begins in the window has a pixel in it, at its very end too. */
  readonly left: (at: Ns) => number;
  readonly width: number;
  readonly barTop: number;
  readonly barHeight: number;
  readonly unit: number;
  readonly fontPx: number;
}

export function paintBars(surface: Surface, input: BarsInput): void {
  const { theme, scale, window: w } = input;
  const width = Math.round(input.width * scale);
  surface.fillStyle = theme.background;
  surface.fillRect(0, 0, width, Math.round(input.height * scale));
  const fontPx = Math.round(11 * scale);
  surface.font = `${fontPx}px "Inter Variable", system-ui, sans-serif`;
  surface.textBaseline = 'middle';
  const perNs = width / (w.to - w.from);
  const inset = Math.max(2, Math.round(input.rowHeight * scale * 0.22));
  input.rows.forEach((row, i) => {
    const top = Math.round((input.top + i * input.rowHeight) * scale);
    const bottom = Math.round((input.top + (i + 1) * input.rowHeight) * scale);
    // Far outside is as good as just outside, and keeps numbers small at deep zoom.
    const x = (at: Ns): number => Math.round(Math.min(Math.max((at - w.from) * perNs, -10), width + 10));
    paintRow(surface, input, row, {
      x,
      left: (at) => (at <= w.to ? Math.min(x(at), width - 1) : x(at)),
      width,
      barTop: top + inset,
      barHeight: Math.max(1, bottom - top - 2 * inset),
      unit: Math.max(1, Math.round(scale)),
      fontPx,
    });
  });
}

function paintRow(surface: Surface, input: BarsInput, bar: BarRow, g: Geometry): void {
  const { columns: c, theme } = input;
  const { row } = bar;
  const slot = slotOfRow(input.colours, row);
  const full = bar.isDimmed ? mix(theme.background, colourOfSlot(theme, slot), 0.35) : colourOfSlot(theme, slot);
  const light = mix(theme.background, full, 0.45);
  if (bar.members !== null) {
    paintGroup(surface, input, bar.members, g, full);
    return;
  }
  const from = c.start[row] as number;
  const to = from + (c.dur[row] as number);
  const x0 = g.left(from);
  const x1 = Math.max(x0 + 1, g.x(to));
  const gaps = selfGaps(c, row);
  rect(surface, g, gaps === null ? full : light, x0, x1);
  for (let k = 0; gaps !== null && k < gaps.length; k += 2)
    rect(surface, g, full, g.x(gaps[k] as number), g.x(gaps[k + 1] as number));
  if (isHatched(slot)) hatch(surface, g, light, x0, x1);
  let end = x1;
  if (bar.isClosed) {
    const latest = g.x(input.latestEnd(row));
    if (latest > x1) paintTail(surface, g, full, x1, latest);
    end = Math.max(x1, latest);
  }
  paintCritical(surface, input, bar, g);
  if (input.eventsOf !== null && ((c.flags[row] as number) & FLAG.hasEvents) !== 0) {
    const times = input.eventsOf(row);
    for (let k = 0; k < times.length; k++) tick(surface, g, theme.text, g.x(times[k] as number));
  }
  if (((c.flags[row] as number) & FLAG.error) !== 0) end = paintError(surface, theme, g, x0, x1, end);
  paintLabel(surface, theme, g, input.durationText(c.dur[row] as number), { x0, x1, end }, full);
}

function paintGroup(surface: Surface, input: BarsInput, members: readonly RowIndex[], g: Geometry, full: string): void {
  const { columns: c, theme } = input;
  let first = Number.POSITIVE_INFINITY;
  let last = 0;
  let sum = 0;
  let hasError = false;
  for (const m of members) {
    first = Math.min(first, c.start[m] as number);
    last = Math.max(last, (c.start[m] as number) + (c.dur[m] as number));
    sum += c.dur[m] as number;
    hasError ||= ((c.flags[m] as number) & FLAG.error) !== 0;
  }
  const x0 = g.left(first);
  const x1 = Math.max(x0 + 1, g.x(last));
  rect(surface, g, mix(theme.background, full, 0.3), x0, x1);
  let done = -1;
  for (const m of members) {
    const from = g.x(c.start[m] as number);
    const b = Math.max(from + 1, g.x((c.start[m] as number) + (c.dur[m] as number)));
    const a = Math.max(from, done);
    // What falls into pixels that are painted adds none, or the marks would run past their band.
    if (b <= done || b < 0 || a > g.width) continue;
    surface.fillStyle = full;
    surface.fillRect(a, g.barTop + 2 * g.unit, b - a, Math.max(1, g.barHeight - 4 * g.unit));
    done = b;
  }
  const end = hasError ? paintError(surface, theme, g, x0, x1, x1) : x1;
  const text = `${members.length}× ${input.durationText(sum / Math.max(1, members.length))}`;
  // Beside the band: inside it the text would stand on the marks.
  paintLabel(surface, theme, g, text, { x0, x1: x0, end }, full);
}

/** The pieces of a row in which no child was running, as pairs; null: all of it (or too many children to look). */
function selfGaps(c: TraceColumns, row: RowIndex): number[] | null {
  const end = subtreeEnd(c, row);
  if (end === row + 1) return null;
  const to = (c.start[row] as number) + (c.dur[row] as number);
  let at = c.start[row] as number;
  const gaps: number[] = [];
  let looked = 0;
  for (let child = row + 1; child < end && at < to; child = subtreeEnd(c, child)) {
    if (++looked > CHILDREN_MAX) break;
    const from = c.start[child] as number;
    if (from > at) gaps.push(at, Math.min(from, to));
    at = Math.max(at, from + (c.dur[child] as number));
  }
  if (at < to && looked <= CHILDREN_MAX) gaps.push(at, to);
  return gaps;
}

function paintTail(surface: Surface, g: Geometry, colour: string, from: number, to: number): void {
  surface.fillStyle = colour;
  const y = g.barTop + (g.barHeight >> 1);
  const dash = 4 * g.unit;
  for (let x = Math.max(from, 0) + g.unit; x < Math.min(to, g.width); x += 2 * dash) {
    surface.fillRect(x, y, Math.min(dash, to - x), g.unit);
  }
}

/** Pieces of the row; of a closed row also those of what it hides. */
function paintCritical(surface: Surface, input: BarsInput, bar: BarRow, g: Geometry): void {
  if (input.critical === null) return;
  const until = bar.isClosed ? subtreeEnd(input.columns, bar.row) : bar.row + 1;
  const { theme } = input;
  let done = -1;
  input.critical.forEach(bar.row, until, (from, to) => {
    const x0 = g.left(from);
    const x1 = Math.max(x0 + 1, g.x(to));
    if (x1 <= 0 || x0 >= g.width || (x0 >= done - 1 && x1 <= done)) return;
    done = x1;
    const y = g.barTop + g.barHeight - 3 * g.unit;
    surface.fillStyle = theme.criticalHalo;
    surface.fillRect(x0, y, x1 - x0, 3 * g.unit);
    surface.fillStyle = theme.critical;
    surface.fillRect(x0, y + g.unit, x1 - x0, g.unit);
  });
}

function paintError(surface: Surface, theme: Theme, g: Geometry, x0: number, x1: number, end: number): number {
  if (x1 < 0 || x0 > g.width) return end;
  const size = Math.max(3, Math.min(g.barHeight, 6 * g.unit));
  const x = Math.min(Math.max(end + 2 * g.unit, 0), g.width - size);
  surface.fillStyle = theme.error;
  surface.fillRect(x, g.barTop + ((g.barHeight - size) >> 1), size, size);
  // The edge of the bar, so that an error is seen where the mark is covered.
  surface.fillRect(
    Math.max(0, x1 - Math.min(2 * g.unit, x1 - x0)),
    g.barTop,
    Math.min(2 * g.unit, x1 - x0),
    g.barHeight,
  );
  return x + size;
}

function paintLabel(
  surface: Surface,
  theme: Theme,
  g: Geometry,
  text: string,
  bar: { x0: number; x1: number; end: number },
  colour: string,
): void {
  const room = textWidth(text, g.fontPx);
  const pad = 4 * g.unit;
  const y = g.barTop + g.barHeight / 2;
  if (bar.end <= 0 || bar.x0 >= g.width) return;
  surface.fillStyle = theme.text;
  if (bar.end + pad + room <= g.width) surface.fillText(text, bar.end + pad, y);
  else if (bar.x0 - pad - room >= 0) surface.fillText(text, bar.x0 - pad - room, y);
  else {
    // On a plate, since what is below is partly light and partly full; on the bar itself, not on what is behind it.
    const end = bar.x1 > bar.x0 ? bar.x1 : bar.end;
    const x = Math.max(0, Math.min(end, g.width) - room - 2 * pad);
    surface.fillStyle = colour;
    surface.fillRect(Math.round(x), g.barTop, Math.round(room + 2 * pad), g.barHeight);
    surface.fillStyle = textOn(colour);
    surface.fillText(text, Math.round(x) + pad, y);
  }
}

function rect(surface: Surface, g: Geometry, colour: string, x0: number, x1: number): void {
  const a = Math.max(0, x0);
  const b = Math.min(g.width, x1);
  if (b <= a) return;
  surface.fillStyle = colour;
  surface.fillRect(a, g.barTop, b - a, g.barHeight);
}

function hatch(surface: Surface, g: Geometry, colour: string, x0: number, x1: number): void {
  surface.fillStyle = colour;
  const step = 6 * g.unit;
  const start = x0 >= 0 ? x0 + step / 2 : step / 2;
  for (let x = start; x < Math.min(x1, g.width); x += step) surface.fillRect(x, g.barTop, g.unit, g.barHeight);
}

function tick(surface: Surface, g: Geometry, colour: string, x: number): void {
  if (x < 0 || x >= g.width) return;
  surface.fillStyle = colour;
  surface.fillRect(x, g.barTop - g.unit, g.unit, g.barHeight + 2 * g.unit);
}
