// Ticks of axes that show durations: linear ones that zoom down to a nanosecond, and logarithmic ones.
//
// Labels carry as many decimals as the step needs, each in the unit of its own size, so that neighbours never read the
// same at any zoom. The number of ticks is bounded by the pixels, never by the data.

import { formatDuration } from './duration.ts';

export type Tick = { readonly at: number; readonly label: string };
export type LogTick = Tick & { readonly isMajor: boolean };

/** No axis has more, whatever its width says. */
export const TICKS_MAX = 200;

const S = 1e9;
/** From one second on people count in sixties. */
const LONG_STEPS_NS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400,
].map((seconds) => seconds * S);

/** Ticks in [fromNs, toNs], at least `gapPx` apart on an axis of `widthPx`. */
export function linearTicks(fromNs: number, toNs: number, widthPx: number, gapPx = 80): Tick[] {
  const span = toNs - fromNs;
  if (!(span > 0) || !(widthPx > 0) || !Number.isFinite(span)) return [];
  const ticksWanted = Math.min(TICKS_MAX, Math.max(1, widthPx / gapPx));
  const step = niceStep(span / ticksWanted);
  const ticks: Tick[] = [];
  const first = Math.ceil(fromNs / step - 1e-9);
  for (let i = first; i * step <= toNs && ticks.length < TICKS_MAX; i += 1) {
    // Multiples of the step and not sums, so that rounding does not add up.
    ticks.push({ at: i * step, label: linearLabel(i * step, step) });
  }
  return ticks;
}

/** The smallest step that people like and that is at least `atLeastNs`; never below a nanosecond. */
export function niceStep(atLeastNs: number): number {
  if (atLeastNs <= 1) return 1;
  if (atLeastNs <= 0.5 * S) {
    const power = 10 ** Math.floor(Math.log10(atLeastNs) + 1e-9);
    for (const factor of [1, 2, 5, 10]) if (factor * power >= atLeastNs * (1 - 1e-9)) return Math.round(factor * power);
  }
  for (const step of LONG_STEPS_NS) if (step >= atLeastNs * (1 - 1e-9)) return step;
  const day = 86_400 * S;
  const power = 10 ** Math.floor(Math.log10(atLeastNs / day));
  for (const factor of [1, 2, 5]) if (factor * power * day >= atLeastNs) return factor * power * day;
  return 10 * power * day;
}

/** The label of a tick of an axis with this step: `0`, `500 ms`, `1.5 s`, `1.200001 s`, `2 m 05.5 s`. */
export function linearLabel(ns: number, stepNs: number): string {
  if (ns === 0) return '0';
  const sign = ns < 0 ? '−' : '';
  const size = Math.abs(ns);
  if (size < 60 * S) {
    const [unit, unitNs] = size >= S ? ['s', S] : size >= 1e6 ? ['ms', 1e6] : size >= 1e3 ? ['µs', 1e3] : ['ns', 1];
    return `${sign}${(size / unitNs).toFixed(decimalsFor(stepNs / unitNs))} ${unit}`;
  }
  if (stepNs >= 60 * S) return sign + formatDuration(size).replace(/ 00 [smh]$/, '');
  const decimals = decimalsFor(stepNs / S);
  // Rounded as one number: 119.9996 s with three decimals is `2 m 00.000 s` and never `1 m 60.000 s`.
  const seconds = Number((size / S).toFixed(decimals));
  const minutes = Math.floor(seconds / 60);
  const rest = (seconds - minutes * 60).toFixed(decimals).padStart(decimals > 0 ? decimals + 3 : 2, '0');
  const hours = Math.floor(minutes / 60);
  const head = hours > 0 ? `${hours} h ${String(minutes % 60).padStart(2, '0')} m` : `${minutes} m`;
  return `${sign}${head} ${rest} s`;
}

/** Ticks of a logarithmic axis: decades up to ten seconds, then minutes, hours and days; minor ones where they fit. */
export function logTicks(fromNs: number, toNs: number, lengthPx: number, gapPx = 24): LogTick[] {
  const from = Math.max(1, fromNs);
  if (!(toNs > from) || !(lengthPx > 0) || !Number.isFinite(toNs)) return [];
  const pxPerDecade = lengthPx / Math.log10(toNs / from);
  const inRange = (ns: number) => ns >= from && ns <= toNs;
  const major = thinned(majorLogTicks().filter(inRange), gapPx, pxPerDecade);
  const minor = pxPerDecade * Math.log10(2) >= gapPx ? minorLogTicks().filter(inRange) : [];
  const isMajor = new Set(major);
  return [...new Set([...major, ...minor])]
    .sort((a, b) => a - b)
    .map((at) => ({ at, label: formatDuration(at).replace(/ 00 [smh]$/, ''), isMajor: isMajor.has(at) }));
}

function majorLogTicks(): number[] {
  const ticks: number[] = [];
  for (let power = 0; power <= 10; power += 1) ticks.push(10 ** power);
  return [...ticks, 60 * S, 600 * S, 3_600 * S, 36_000 * S, 86_400 * S, 864_000 * S, 8_640_000 * S];
}

function minorLogTicks(): number[] {
  const ticks: number[] = [];
  for (let power = 0; power <= 9; power += 1) ticks.push(2 * 10 ** power, 5 * 10 ** power);
  return [...ticks, 20 * S, 30 * S, 120 * S, 300 * S, 1_800 * S, 7_200 * S, 18_000 * S, 43_200 * S];
}

/** Leaves out ticks that would touch their neighbour. */
function thinned(ticks: readonly number[], gapPx: number, pxPerDecade: number): number[] {
  const kept: number[] = [];
  for (const tick of ticks) {
    const before = kept.at(-1);
    if (before === undefined || Math.log10(tick / before) * pxPerDecade >= gapPx) kept.push(tick);
  }
  return kept;
}

/** Decimals that tell multiples of `step` apart. */
function decimalsFor(step: number): number {
  return step >= 1 ? 0 : Math.min(9, Math.ceil(-Math.log10(step) - 1e-9));
}
