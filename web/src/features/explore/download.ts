// Results as files: CSV for sheets, JSON lines for programs. Made in the browser from what is shown.

import type { ResultRow } from './rows.ts';

function instant(ns: bigint): string {
  const rest = ((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const seconds = new Date(Number((ns - rest) / 1_000_000n)).toISOString().slice(0, 19);
  return `${seconds}.${String(rest).padStart(9, '0')}Z`;
}

/** Quoted where it must be; a text that a sheet would run as a formula gets an apostrophe in front. */
function cell(value: string | number): string {
  if (typeof value === 'number') return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function csvOf(rows: readonly ResultRow[], cols: readonly string[]): string {
  const head = ['trace_id', 'span_id', 'start', 'service', 'name', 'duration_ns', 'spans', 'errors', ...cols];
  const body = rows.map(({ trace, span, startNs, service, name, durationNs, columns }) => [
    trace.traceId,
    span?.spanId ?? '',
    instant(startNs),
    service,
    name,
    durationNs,
    trace.spans,
    trace.errors,
    ...cols.map((_, i) => columns[i] ?? ''),
  ]);
  return `${[head, ...body].map((line) => line.map(cell).join(',')).join('\r\n')}\r\n`;
}

export function jsonLinesOf(rows: readonly ResultRow[], cols: readonly string[]): string {
  return rows
    .map(({ trace, span, startNs, service, name, durationNs, columns }) => {
      const line = {
        traceId: trace.traceId,
        spanId: span?.spanId ?? null,
        start: instant(startNs),
        startNs: String(startNs),
        service,
        name,
        durationNs,
        spans: trace.spans,
        errors: trace.errors,
        services: trace.services,
        columns: Object.fromEntries(cols.map((col, i) => [col, columns[i] ?? null])),
      };
      return `${JSON.stringify(line)}\n`;
    })
    .join('');
}

export function saveText(text: string, name: string, type: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser reads it after this; a minute is ages.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
