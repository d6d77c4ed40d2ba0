// Spans of Jaeger's JSON (`{"data": [{"traceID", "spans", "processes"}]}`) as the details that the panel shows.
//
// Times are microseconds. What OpenTelemetry has of its own comes as tags there: kind, status, scope; the tags stay in
// the list all the same, as they were written.

import type { AttributeValue, KeyValue, SpanDetails, SpanEvent, SpanKind, SpanLink } from '../api/types.ts';
import type { FileSpan } from './files.ts';
import { countOf, doubleOf, idOf, idOrNull, integerOf, isRecord, type JsonRecord, recordsOf, textOf } from './json.ts';
import { KINDS } from './stats.ts';
import { text as words } from './text.ts';

export function jaegerSpans(trace: JsonRecord, skip: (what: string, why: string) => void): FileSpan[] {
  const processes = isRecord(trace['processes']) ? trace['processes'] : {};
  return recordsOf(trace['spans']).flatMap((span) => {
    const start = microsOf(span['startTime']);
    if (start === null) {
      skip(words.span(textOf(span['spanID'])), words.noStart);
      return [];
    }
    const process = isRecord(span['process']) ? span['process'] : processes[textOf(span['processID'])];
    const traceId = idOf(span['traceID'] ?? trace['traceID'], 16);
    return [{ traceId, details: detailsOf(span, traceId, start, isRecord(process) ? process : {}) }];
  });
}

function detailsOf(span: JsonRecord, traceId: string, startNs: bigint, process: JsonRecord): SpanDetails {
  const attributes = tagsOf(span['tags']);
  const find = (...keys: string[]): string => {
    const tag = attributes.find(({ key }) => keys.includes(key));
    return tag === undefined || tag.value.type === 'empty' ? '' : String(tag.value.value);
  };
  const service = textOf(process['serviceName']);
  const kind = find('span.kind').toLowerCase();
  const code = find('otel.status_code').toUpperCase();
  const isError = code === 'ERROR' || find('error') === 'true';
  const references = referencesOf(span, traceId);
  const parent =
    references.find((one) => one.traceId === traceId && one.isParent) ??
    references.find((one) => one.traceId === traceId);
  const duration = microsOf(span['duration']);
  return {
    spanId: idOf(span['spanID'], 8),
    parentSpanId: parent?.spanId ?? null,
    service,
    name: textOf(span['operationName']),
    kind: (KINDS as readonly string[]).includes(kind) ? (kind as SpanKind) : 'unspecified',
    status: isError ? 'error' : code === 'OK' ? 'ok' : 'unset',
    statusMessage: find('otel.status_description'),
    startNs: String(startNs),
    durationNs: duration === null ? Number.NaN : Number(duration),
    traceState: find('w3c.tracestate'),
    flags: countOf(span['flags']),
    attributes,
    droppedAttributes: 0,
    events: recordsOf(span['logs']).map(eventOf),
    droppedEvents: 0,
    links: references.filter((one) => one !== parent).map(linkOf),
    droppedLinks: 0,
    resource: [{ key: 'service.name', value: { type: 'string', value: service } }, ...tagsOf(process['tags'])],
    scope: {
      name: find('otel.scope.name', 'otel.library.name'),
      version: find('otel.scope.version', 'otel.library.version'),
      attributes: [],
    },
    warnings: Array.isArray(span['warnings']) ? span['warnings'].map(textOf) : [],
  };
}

interface Reference {
  readonly traceId: string;
  readonly spanId: string;
  readonly isParent: boolean;
}

function referencesOf(span: JsonRecord, traceId: string): Reference[] {
  const references = recordsOf(span['references']).flatMap((one) => {
    const spanId = idOrNull(one['spanID'], 8);
    return spanId === null
      ? []
      : [{ traceId: idOf(one['traceID'] ?? traceId, 16), spanId, isParent: one['refType'] === 'CHILD_OF' }];
  });
  // What files of old Jaeger versions have instead.
  const old = idOrNull(span['parentSpanID'], 8);
  return old === null || references.length > 0 ? references : [{ traceId, spanId: old, isParent: true }];
}

function linkOf({ traceId, spanId }: Reference): SpanLink {
  return { traceId, spanId, traceState: '', attributes: [], droppedAttributes: 0 };
}

function eventOf(log: JsonRecord): SpanEvent {
  const fields = tagsOf(log['fields']);
  const event = fields.find(({ key }) => key === 'event');
  return {
    timeNs: String(microsOf(log['timestamp']) ?? 0n),
    name: event === undefined || event.value.type === 'empty' ? 'log' : String(event.value.value),
    attributes: fields.filter((field) => field !== event),
    droppedAttributes: 0,
  };
}

function tagsOf(tags: unknown): KeyValue[] {
  return recordsOf(tags).map((tag) => ({ key: textOf(tag['key']), value: attributeValueOf(tag) }));
}

function attributeValueOf(tag: JsonRecord): AttributeValue {
  const value = tag['value'];
  switch (textOf(tag['type']).toLowerCase()) {
    case 'bool':
      return { type: 'bool', value: value === true || value === 'true' };
    case 'int64':
      return { type: 'int', value: String(integerOf(value) ?? textOf(value)) };
    case 'float64':
      return doubleOf(value);
    case 'binary':
      return { type: 'bytes', value: textOf(value) };
  }
  if (typeof value === 'boolean') return { type: 'bool', value };
  if (typeof value === 'number')
    return Number.isInteger(value) ? { type: 'int', value: String(value) } : doubleOf(value);
  if (value === null || value === undefined) return { type: 'empty' };
  return typeof value === 'string' ? { type: 'string', value } : { type: 'json', value: JSON.stringify(value) };
}

/** Microseconds, with fractions where a double has them, as nanoseconds. */
function microsOf(value: unknown): bigint | null {
  if (typeof value === 'number' && Number.isFinite(value)) {
    const whole = Math.floor(value);
    return BigInt(whole) * 1_000n + BigInt(Math.round((value - whole) * 1_000));
  }
  const integer = integerOf(value);
  return integer === null ? null : integer * 1_000n;
}
