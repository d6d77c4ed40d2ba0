// The axis of latency beside a heatmap, whose rows are all of one height whatever they stand for: where a latency is on
// it, and round labels that do not touch.

import { type LogTick, logTicks } from './durationAxis.ts';

export type LatencyRow = { readonly fromNs: number; readonly toNs: number };
/** `share`: of the height, from the bottom. */
export type LatencyTick = { readonly label: string; readonly share: number };

/** A label and some air. */
const LABEL_PX = 16;
/** Fewer do not make a scale: then 2 and 5 of each decade are named, too. */
const TICKS_MIN = 3;

/** The height of a latency, 0 to 1: rows are of one height, within a row it is logarithmic. */
export function latencyShare(rows: readonly LatencyRow[], ns: number): number {
  const last = rows.at(-1);
  if (last === undefined || ns >= last.toNs) return 1;
  const at = rows.findIndex(({ toNs }) => ns < toNs);
  const row = rows[at];
  if (row === undefined || ns <= row.fromNs) return Math.max(0, at) / Math.max(1, rows.length);
  const from = Math.max(1, row.fromNs);
  return (at + Math.log(Math.max(1, ns) / from) / Math.log(Math.max(2, row.toNs) / from)) / rows.length;
}

/** The lowest row may begin at nothing, which has no logarithm. */
export function latencyTicks(rows: readonly LatencyRow[], heightPx: number): LatencyTick[] {
  const first = rows[0] ?? { fromNs: 1e6, toNs: 1e9 };
  const low = Math.max(1, first.fromNs, first.toNs / 4);
  // All of them: which ones fit depends on the rows.
  const all = logTicks(low, rows.at(-1)?.toNs ?? 1e9, Number.MAX_SAFE_INTEGER).toReversed();
  const kept: LatencyTick[] = [];
  const keep = ({ at, label }: LogTick) => {
    const share = latencyShare(rows, at);
    // The lowest would stand below the axis.
    const isClear = kept.every((other) => Math.abs(other.share - share) * heightPx >= LABEL_PX);
    if (isClear && share > 0.02) kept.push({ label, share });
  };
  all.filter(({ isMajor }) => isMajor).forEach(keep);
  if (kept.length < TICKS_MIN) all.filter(({ isMajor }) => !isMajor).forEach(keep);
  return kept.sort((a, b) => b.share - a.share);
}
