// Spans of OTLP's JSON (`resourceSpans`) as the details that the panel shows.
//
// Reads what exporters, the Collector's file exporter and query APIs write: numbers as texts or as numbers, enums by
// number or by name, ids in hex or in base64.

import type { AttributeValue, KeyValue, SpanDetails, SpanEvent, SpanKind, SpanLink } from '../api/types.ts';
import type { FileSpan } from './files.ts';
import { countOf, doubleOf, idOf, idOrNull, integerOf, isRecord, type JsonRecord, recordsOf, textOf } from './json.ts';
import { KINDS } from './stats.ts';
import { text as words } from './text.ts';

export function otlpSpans(resourceSpans: unknown, skip: (what: string, why: string) => void): FileSpan[] {
  const found: FileSpan[] = [];
  for (const ofResource of recordsOf(resourceSpans)) {
    const resource = attributesOf(isRecord(ofResource['resource']) ? ofResource['resource']['attributes'] : undefined);
    const scopes = ofResource['scopeSpans'] ?? ofResource['instrumentationLibrarySpans'];
    for (const ofScope of recordsOf(scopes)) {
      const scope = scopeOf(ofScope['scope'] ?? ofScope['instrumentationLibrary']);
      for (const span of recordsOf(ofScope['spans'])) {
        const details = detailsOf(span, resource, scope);
        if (details === null) skip(words.span(textOf(span['spanId'])), words.noStart);
        else found.push({ traceId: idOf(span['traceId'], 16), details });
      }
    }
  }
  return found;
}

function detailsOf(span: JsonRecord, resource: KeyValue[], scope: SpanDetails['scope']): SpanDetails | null {
  const start = integerOf(span['startTimeUnixNano']);
  const end = integerOf(span['endTimeUnixNano']);
  if (start === null) return null;
  const status = isRecord(span['status']) ? span['status'] : {};
  const service = resource.find(({ key }) => key === 'service.name')?.value;
  return {
    spanId: idOf(span['spanId'], 8),
    parentSpanId: idOrNull(span['parentSpanId'], 8),
    service: service?.type === 'string' ? service.value : '',
    name: textOf(span['name']),
    kind: kindOf(span['kind']),
    status: statusOf(status['code']),
    statusMessage: textOf(status['message']),
    startNs: String(start),
    // An end of zero is what senders write for a span that has not ended.
    durationNs: end === null || end === 0n ? Number.NaN : Number(end - start),
    traceState: textOf(span['traceState']),
    flags: countOf(span['flags']),
    attributes: attributesOf(span['attributes']),
    droppedAttributes: countOf(span['droppedAttributesCount']),
    events: recordsOf(span['events']).map(eventOf),
    droppedEvents: countOf(span['droppedEventsCount']),
    links: recordsOf(span['links']).map(linkOf),
    droppedLinks: countOf(span['droppedLinksCount']),
    resource,
    scope,
    warnings: [],
  };
}

function eventOf(event: JsonRecord): SpanEvent {
  return {
    timeNs: String(integerOf(event['timeUnixNano']) ?? 0n),
    name: textOf(event['name']),
    attributes: attributesOf(event['attributes']),
    droppedAttributes: countOf(event['droppedAttributesCount']),
  };
}

function linkOf(link: JsonRecord): SpanLink {
  return {
    traceId: idOf(link['traceId'], 16),
    spanId: idOf(link['spanId'], 8),
    traceState: textOf(link['traceState']),
    attributes: attributesOf(link['attributes']),
    droppedAttributes: countOf(link['droppedAttributesCount']),
  };
}

function scopeOf(scope: unknown): SpanDetails['scope'] {
  const record = isRecord(scope) ? scope : {};
  return {
    name: textOf(record['name']),
    version: textOf(record['version']),
    attributes: attributesOf(record['attributes']),
  };
}

function attributesOf(attributes: unknown): KeyValue[] {
  return recordsOf(attributes).map((one) => ({ key: textOf(one['key']), value: attributeValueOf(one['value']) }));
}

function attributeValueOf(value: unknown): AttributeValue {
  if (!isRecord(value)) return { type: 'empty' };
  if ('stringValue' in value) return { type: 'string', value: textOf(value['stringValue']) };
  if ('boolValue' in value) return { type: 'bool', value: value['boolValue'] === true };
  if ('intValue' in value) return { type: 'int', value: String(integerOf(value['intValue']) ?? 0n) };
  if ('doubleValue' in value) return doubleOf(value['doubleValue']);
  if ('bytesValue' in value) return { type: 'bytes', value: textOf(value['bytesValue']) };
  if ('arrayValue' in value || 'kvlistValue' in value) return { type: 'json', value: JSON.stringify(plainOf(value)) };
  return { type: 'empty' };
}

/** An `AnyValue` as the JSON that a reader expects. */
function plainOf(value: unknown): unknown {
  if (!isRecord(value)) return null;
  const array = value['arrayValue'];
  if (isRecord(array)) return Array.isArray(array['values']) ? array['values'].map(plainOf) : [];
  const list = value['kvlistValue'];
  if (isRecord(list))
    return Object.fromEntries(recordsOf(list['values']).map((one) => [textOf(one['key']), plainOf(one['value'])]));
  return Object.values(value)[0] ?? null;
}

function kindOf(kind: unknown): SpanKind {
  const name = textOf(kind).toLowerCase().replace('span_kind_', '');
  return KINDS[Number(name)] ?? KINDS.find((one) => one === name) ?? 'unspecified';
}

function statusOf(code: unknown): SpanDetails['status'] {
  const name = textOf(code).toLowerCase().replace('status_code_', '');
  return name === '2' || name === 'error' ? 'error' : name === '1' || name === 'ok' ? 'ok' : 'unset';
}
