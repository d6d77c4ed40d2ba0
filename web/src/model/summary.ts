// The facts above a trace: its services with their share of the time, its root, what is odd about it.

import { FLAG, type Ns, type RowIndex, type TraceColumns } from './columns.ts';

export interface ServiceSummary {
  /** Index into `services`. */
  readonly service: number;
  readonly name: string;
  readonly spans: number;
  readonly errors: number;
  readonly self: Ns;
  /** Of the self time of all spans, 0 to 1. */
  readonly share: number;
}

export interface TraceSummaryFacts {
  /** The first span with no parent, or -1 in an empty trace. */
  readonly root: RowIndex;
  readonly rootService: string;
  readonly rootName: string;
  readonly spans: number;
  readonly errors: number;
  readonly deepest: number;
  readonly orphans: number;
  readonly skewAdjusted: number;
  readonly incomplete: number;
  /** Those that have spans, the largest share first. */
  readonly services: readonly ServiceSummary[];
}

export function summarize(columns: TraceColumns): TraceSummaryFacts {
  const { count, service, self, flags, depth } = columns;
  const spans = new Uint32Array(columns.services.length);
  const failed = new Uint32Array(columns.services.length);
  const time = new Float64Array(columns.services.length);
  let errors = 0;
  let orphans = 0;
  let skewAdjusted = 0;
  let incomplete = 0;
  let deepest = 0;
  let all = 0;
  for (let i = 0; i < count; i++) {
    const s = service[i] as number;
    const f = flags[i] as number;
    const isError = f & FLAG.error;
    spans[s] = (spans[s] as number) + 1;
    time[s] = (time[s] as number) + (self[i] as number);
    failed[s] = (failed[s] as number) + isError;
    all += self[i] as number;
    errors += isError;
    if ((f & FLAG.orphan) !== 0) orphans++;
    if ((f & FLAG.skewAdjusted) !== 0) skewAdjusted++;
    if ((f & FLAG.incomplete) !== 0) incomplete++;
    if ((depth[i] as number) > deepest) deepest = depth[i] as number;
  }
  const services = columns.services
    .map((name, s) => ({
      service: s,
      name,
      spans: spans[s] as number,
      errors: failed[s] as number,
      self: time[s] as number,
      share: all > 0 ? (time[s] as number) / all : 0,
    }))
    .filter((one) => one.spans > 0)
    .sort((a, b) => b.self - a.self || b.spans - a.spans || (a.name < b.name ? -1 : 1));
  const root = count > 0 ? 0 : -1;
  return {
    root,
    rootService: columns.services[columns.service[0] ?? -1] ?? '',
    rootName: columns.names[columns.name[0] ?? -1] ?? '',
    spans: count,
    errors,
    deepest,
    orphans,
    skewAdjusted,
    incomplete,
    services,
  };
}
