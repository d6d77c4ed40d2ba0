// The window of time that is looked at, and how it maps to pixels.
//
// Values, not objects with state: every function gives a new window. Positions are computed from the difference to the
// window's start, which a double holds exactly at any zoom (1 ns within 10 h), and only then scaled.

import type { Ns, Px } from '../model/columns.ts';

export interface Viewport {
  readonly from: Ns;
  readonly to: Ns;
  /** CSS pixels (or device pixels: whatever the painter counts in). */
  readonly width: Px;
}

/** What can be looked at: from 0 to the end of the trace. */
export type Extent = { readonly durationNs: Ns };

/** Below this many nanoseconds across the window nothing more is to be seen. */
export const WINDOW_NS_MIN = 10;

export function fitAll(extent: Extent, width: Px): Viewport {
  return { from: 0, to: Math.max(WINDOW_NS_MIN, extent.durationNs), width };
}

export function nsPerPx(view: Viewport): number {
  return (view.to - view.from) / Math.max(1, view.width);
}

export function nsToPx(view: Viewport, at: Ns): Px {
  return ((at - view.from) / (view.to - view.from)) * view.width;
}

export function pxToNs(view: Viewport, x: Px): Ns {
  return view.from + (x / Math.max(1, view.width)) * (view.to - view.from);
}

/** Makes the window `factor` times as long (< 1 zooms in); the time under `x` stays there unless an end is reached. */
export function zoomAt(view: Viewport, extent: Extent, x: Px, factor: number): Viewport {
  const length = Math.min(Math.max((view.to - view.from) * factor, WINDOW_NS_MIN), fitAll(extent, 1).to);
  const share = x / Math.max(1, view.width);
  const from = view.from + share * (view.to - view.from - length);
  return clamp({ ...view, from, to: from + length }, extent);
}

export function panBy(view: Viewport, extent: Extent, pixels: Px): Viewport {
  const by = pixels * nsPerPx(view);
  return clamp({ ...view, from: view.from + by, to: view.to + by }, extent);
}

/** Shows `[from, to]` with a little room at both sides. */
export function fitTo(view: Viewport, extent: Extent, from: Ns, to: Ns): Viewport {
  const margin = Math.max((to - from) * 0.05, WINDOW_NS_MIN / 4);
  return clamp({ ...view, from: from - margin, to: to + margin }, extent);
}

/** Pans as little as needed for `[from, to]` to be seen; a longer piece shows its start. */
export function reveal(view: Viewport, extent: Extent, from: Ns, to: Ns): Viewport {
  if (from < view.to && to > view.from) return view;
  const length = view.to - view.from;
  const start = from - Math.max(0, Math.min(length * 0.1, length - (to - from)));
  return clamp({ ...view, from: start, to: start + length }, extent);
}

/** Within the trace, and neither reversed nor too short. */
export function clamp(view: Viewport, extent: Extent): Viewport {
  const end = Math.max(WINDOW_NS_MIN, extent.durationNs);
  const low = Number.isFinite(view.from) ? Math.min(view.from, view.to) : 0;
  const high = Number.isFinite(view.to) ? Math.max(view.from, view.to) : end;
  const length = Math.min(Math.max(high - low, WINDOW_NS_MIN), end);
  const middle = (low + high) / 2;
  const wanted = high - low < length ? middle - length / 2 : low;
  const from = Math.min(Math.max(0, wanted), end - length);
  return { from, to: from + length, width: view.width };
}

export interface Tick {
  readonly at: Ns;
  readonly x: Px;
}

/** Marks at round times (1, 2 or 5 times a power of ten, whole minutes above a minute), at least `minPx` apart. */
export function ticks(view: Viewport, minPx: Px): Tick[] {
  const step = roundStep(nsPerPx(view) * minPx);
  const marks: Tick[] = [];
  for (let n = Math.ceil(view.from / step); n * step <= view.to && marks.length < 1_000; n++) {
    marks.push({ at: n * step, x: nsToPx(view, n * step) });
  }
  return marks;
}

const MINUTE = 60e9;
const LONG_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1_440].map((minutes) => minutes * MINUTE);

function roundStep(least: Ns): Ns {
  if (least > 30e9)
    return LONG_STEPS.find((step) => step >= least) ?? Math.ceil(least / (1_440 * MINUTE)) * 1_440 * MINUTE;
  if (least > 20e9) return 30e9;
  const power = 10 ** Math.floor(Math.log10(Math.max(least, 1)));
  return [1, 2, 5, 10].map((k) => k * power).find((step) => step >= least) ?? 10 * power;
}
