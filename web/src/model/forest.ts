// Small traces written down as text, for tests: a line a span, indented by two spaces a level.
//
// `service name from..to flags`, times in nanoseconds; flags are `!` error, `*` critical over its whole length, `~`
// orphan, `e` has events.

import { FLAG, type TraceColumns } from './columns.ts';
import { emptyColumns } from './decode.ts';
import { markGroups } from './groups.ts';

export function traceOf(text: string): TraceColumns {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const margin = Math.min(...lines.map((line) => line.search(/\S/)));
  const columns = emptyColumns(lines.length);
  const services: string[] = [];
  const names: string[] = [];
  const critical: [number, number, number][] = [];
  const code = (list: string[], word: string): number =>
    list.includes(word) ? list.indexOf(word) : list.push(word) - 1;
  lines.forEach((line, i) => {
    const [service = '', name = '', times = '', flags = ''] = line.trim().split(/\s+/);
    const [from = 0, to = 0] = times.split('..').map(Number);
    columns.depth[i] = (line.search(/\S/) - margin) / 2;
    columns.start[i] = from;
    columns.dur[i] = to - from;
    columns.service[i] = code(services, service);
    columns.name[i] = code(names, name);
    columns.spanId[i * 8 + 7] = i + 1;
    columns.spanId[i * 8 + 6] = (i + 1) >>> 8;
    if (flags.includes('!')) columns.flags[i] = FLAG.error;
    if (flags.includes('~')) columns.flags[i] = (columns.flags[i] as number) | FLAG.orphan;
    if (flags.includes('e')) columns.flags[i] = (columns.flags[i] as number) | FLAG.hasEvents;
    if (flags.includes('*')) {
      columns.flags[i] = (columns.flags[i] as number) | FLAG.critical;
      critical.push([i, from, to]);
    }
  });
  lines.forEach((_, i) => {
    let end = i + 1;
    while (end < lines.length && (columns.depth[end] as number) > (columns.depth[i] as number)) end++;
    columns.subtree[i] = end - i;
    // Enough for tests: children one after the other.
    let covered = 0;
    for (let child = i + 1; child < end; child++)
      if (columns.depth[child] === (columns.depth[i] as number) + 1) covered += columns.dur[child] as number;
    columns.self[i] = Math.max(0, (columns.dur[i] as number) - covered);
  });
  const trace: TraceColumns = {
    traceId: '0'.repeat(31).concat('1'),
    version: '1',
    isComplete: true,
    startNs: 0n,
    durationNs: columns.start.reduce((latest, start, i) => Math.max(latest, start + (columns.dur[i] as number)), 0),
    errors: columns.flags.reduce((sum, flags) => sum + (flags & FLAG.error), 0),
    warnings: [],
    count: lines.length,
    ...columns,
    services,
    names,
    critical: {
      row: Uint32Array.from(critical, ([row]) => row),
      from: Float64Array.from(critical, ([, from]) => from),
      to: Float64Array.from(critical, ([, , to]) => to),
    },
  };
  markGroups(trace);
  return trace;
}
