// A trace as a file: the server's public answers, which other tools read too.

export type TraceFormat = 'otlp' | 'jaeger';

export function downloadUrl(traceId: string, format: TraceFormat): string {
  const path = format === 'otlp' ? `api/v3/traces/${traceId}` : `api/traces/${traceId}`;
  return new URL(path, document.baseURI).href;
}

export function save(traceId: string, format: TraceFormat): void {
  const link = document.createElement('a');
  link.href = downloadUrl(traceId, format);
  link.download = `trace-${traceId}${format === 'otlp' ? '.otlp' : ''}.json`;
  link.click();
}
