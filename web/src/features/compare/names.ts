// Names and colours of the comparison: a service has one colour on both sides.

import type { TraceColumns } from '../../model/columns.ts';
import type { TraceDiff } from '../../model/diff.ts';
import { assignColours, type Slot } from '../../theme/palette.ts';
import type { TraceId } from '../../url/index.ts';

export type Slots = ReadonlyMap<string, Slot>;

/** As within one trace that holds the spans of both. */
export function slotsOf(diff: Pick<TraceDiff, 'count' | 'service' | 'services' | 'countA' | 'countB'>): Slots {
  const spans = new Array<number>(diff.services.length).fill(0);
  for (let node = 0; node < diff.count; node += 1) {
    const service = diff.service[node] ?? 0;
    spans[service] = (spans[service] ?? 0) + (diff.countA[node] ?? 0) + (diff.countB[node] ?? 0);
  }
  return assignColours(diff.services.map((service, i) => ({ service, spans: spans[i] ?? 0 })));
}

export function nodeName(diff: Pick<TraceDiff, 'service' | 'services' | 'name' | 'names'>, node: number) {
  return {
    service: diff.services[diff.service[node] ?? 0] ?? '',
    operation: diff.names[diff.name[node] ?? 0] ?? '',
  };
}

export function rootName(trace: TraceColumns): string {
  if (trace.count === 0) return '';
  return `${trace.services[trace.service[0] ?? 0] ?? ''} ${trace.names[trace.name[0] ?? 0] ?? ''}`;
}

/** As much of an id as people recognise; ids of 64 bits begin with zeros that say nothing. */
export function shortId(id: TraceId): string {
  return id.replace(/^0+(?=.)/, '').slice(0, 8);
}
