// What a row says in words: for its cells, and as one sentence for screen readers.

import { formatDuration } from '../../../format/duration.ts';
import { FLAG, type RowIndex } from '../../../model/columns.ts';
import type { TraceSession } from '../state/session.ts';
import { text } from './text.ts';

export function serviceOf(session: TraceSession, row: RowIndex): string {
  const { columns } = session;
  return columns.services[columns.service[row] as number] || text.noService;
}

export function nameOf(session: TraceSession, row: RowIndex): string {
  const { columns } = session;
  return columns.names[columns.name[row] as number] || text.noName;
}

/** "inventory SELECT items, 41 ms, starts at 120 ms, error, 340 repeats" */
export function rowLabel(session: TraceSession, row: RowIndex, isGroup: boolean): string {
  const { columns } = session;
  const flags = columns.flags[row] as number;
  const parts = [`${serviceOf(session, row)} ${nameOf(session, row)}`];
  if (isGroup) {
    const run = session.distribution(row);
    parts.push(text.sum(formatDuration(run.sum)), text.startsAt(formatDuration(run.from)));
    if (run.errors > 0) parts.push(text.error);
    parts.push(text.repeats(run.count));
    return parts.join(', ');
  }
  parts.push(formatDuration(columns.dur[row] as number), text.startsAt(formatDuration(columns.start[row] as number)));
  if ((flags & FLAG.error) !== 0) parts.push(text.error);
  if ((flags & FLAG.orphan) !== 0) parts.push(text.orphan);
  if ((flags & FLAG.incomplete) !== 0) parts.push(text.incomplete);
  return parts.join(', ');
}

export type Badge = { readonly short: string; readonly long: string };

/** What is odd about a row; errors have their own mark. */
export function badgesOf(flags: number): Badge[] {
  const badges: Badge[] = [];
  if ((flags & FLAG.orphan) !== 0) badges.push({ short: text.orphan, long: text.orphanLong });
  if ((flags & FLAG.incomplete) !== 0) badges.push({ short: text.incomplete, long: text.incompleteLong });
  if ((flags & FLAG.skewAdjusted) !== 0) badges.push({ short: text.skew, long: text.skewLong });
  return badges;
}
