// A cell of the heatmap in words: for the voice, for the card beside the pointer, for the table.

import type { Scope } from '../../api/types.ts';
import { formatDuration } from '../../format/duration.ts';
import { clockTime, dateText, dayText, type Fraction, type Zone } from '../../format/time.ts';
import { type Cell, instantAt, type Overview } from './overview.ts';
import { text } from './text.ts';

export function cellTimes(cell: { left: number; right: number }, overview: Overview, zone: Zone): string {
  const from = instantAt(overview, cell.left);
  const to = instantAt(overview, cell.right);
  const fraction: Fraction = overview.stepNs >= 1e9 ? 0 : 3;
  const end = instantAt(overview, 1);
  const day = dateText(overview.fromNs, zone) === dateText(end, zone) ? '' : `${dayText(from, zone)} `;
  return text.cellTitle(`${day}${clockTime(from, zone, fraction)}`, clockTime(to, zone, fraction));
}

export function cellLatency(cell: Cell, overview: Overview): string {
  const bucket = overview.buckets[cell.bucket];
  if (overview.asPoints !== null || bucket === undefined) return formatDuration(cell.slowest.durationNs);
  return text.cellTitle(formatDuration(bucket.fromNs), formatDuration(bucket.toNs));
}

export function cellText(cell: Cell, overview: Overview, zone: Zone, scope: Scope): string {
  const parts = [
    cellTimes(cell, overview, zone),
    cellLatency(cell, overview),
    text.cellCount(scope, cell.count),
    ...(cell.errors > 0 ? [text.cellErrors(cell.errors)] : []),
    ...(cell.count > 1 ? [text.cellSlowest(formatDuration(cell.slowest.durationNs))] : []),
  ];
  return parts.join(', ');
}
