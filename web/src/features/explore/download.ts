// Results as files: CSV for sheets, JSON lines for programs. Made in the browser, piece by piece.

import type { Scope } from '../../api/types.ts';
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

function csvLines(lines: readonly (readonly (string | number)[])[]): string {
  return lines.map((line) => `${line.map(cell).join(',')}\r\n`).join('');
}

function csvHead(cols: readonly string[]): string {
  return csvLines([['trace_id', 'span_id', 'start', 'service', 'name', 'duration_ns', 'spans', 'errors', ...cols]]);
}

function csvBody(rows: readonly ResultRow[], cols: readonly string[]): string {
  return csvLines(
    rows.map(({ trace, span, startNs, service, name, durationNs, columns }) => [
      trace.traceId,
      span?.spanId ?? '',
      instant(startNs),
      service,
      name,
      durationNs,
      trace.spans,
      trace.errors,
      ...cols.map((_, i) => columns[i] ?? ''),
    ]),
  );
}

function jsonLinesOf(rows: readonly ResultRow[], cols: readonly string[]): string {
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

/** How a file of results begins, and what each further row adds to it. */
export type FileFormat = {
  readonly extension: string;
  readonly type: string;
  readonly head: (cols: readonly string[]) => string;
  readonly body: (rows: readonly ResultRow[], cols: readonly string[]) => string;
};

export const FORMATS = {
  csv: { extension: 'csv', type: 'text/csv', head: csvHead, body: csvBody },
  jsonl: { extension: 'jsonl', type: 'application/jsonl', head: () => '', body: jsonLinesOf },
} as const satisfies Record<string, FileFormat>;

/** `traces-2026-11-28T121500-first-100000.csv`; what is not all of the matches says so in its name. */
export function fileName(scope: Scope, format: FileFormat, part: string | null): string {
  const at = new Date().toISOString().slice(0, 19).replaceAll(':', '');
  return `${scope === 'traces' ? 'traces' : 'spans'}-${at}${part === null ? '' : `-${part}`}.${format.extension}`;
}

export function saveFile(pieces: readonly string[], name: string, type: string): void {
  const url = URL.createObjectURL(new Blob([...pieces], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser reads it after this; a minute is ages.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
