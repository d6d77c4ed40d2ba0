// Spans as OTLP's JSON, which any collector and this page read again. Pure.

import type { AttributeValue, KeyValue, SpanDetails } from '../../../api/types.ts';
import { KINDS, STATUSES } from '../../../model/stats.ts';

type Json = Record<string, unknown>;

function anyValue(value: AttributeValue): Json {
  switch (value.type) {
    case 'string':
      return { stringValue: value.value };
    case 'int':
      return { intValue: value.value };
    case 'double':
      return { doubleValue: Number.isFinite(Number(value.value)) ? Number(value.value) : value.value };
    case 'bool':
      return { boolValue: value.value };
    case 'bytes':
      return { bytesValue: value.value };
    case 'json':
      return fromJson(value.value);
    case 'empty':
      return {};
  }
}

/** Lists and maps come as JSON. */
function fromJson(text: string): Json {
  try {
    return plain(JSON.parse(text));
  } catch {
    return { stringValue: text };
  }
}

function plain(value: unknown): Json {
  if (value === null || value === undefined) return {};
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number')
    return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(plain) } };
  const values = Object.entries(value).map(([key, one]) => ({ key, value: plain(one) }));
  return { kvlistValue: { values } };
}

function attributesOf(attributes: readonly KeyValue[]): Json[] {
  return attributes.map(({ key, value }) => ({ key, value: anyValue(value) }));
}

function spanOf(traceId: string, span: SpanDetails): Json {
  const endNs = BigInt(span.startNs) + BigInt(Math.round(span.durationNs));
  return {
    traceId,
    spanId: span.spanId,
    ...(span.parentSpanId !== null && { parentSpanId: span.parentSpanId }),
    ...(span.traceState !== '' && { traceState: span.traceState }),
    flags: span.flags,
    name: span.name,
    kind: KINDS.indexOf(span.kind),
    startTimeUnixNano: span.startNs,
    endTimeUnixNano: String(endNs),
    attributes: attributesOf(span.attributes),
    droppedAttributesCount: span.droppedAttributes,
    events: span.events.map((event) => ({
      timeUnixNano: event.timeNs,
      name: event.name,
      attributes: attributesOf(event.attributes),
      droppedAttributesCount: event.droppedAttributes,
    })),
    droppedEventsCount: span.droppedEvents,
    links: span.links.map((link) => ({
      traceId: link.traceId,
      spanId: link.spanId,
      ...(link.traceState !== '' && { traceState: link.traceState }),
      attributes: attributesOf(link.attributes),
      droppedAttributesCount: link.droppedAttributes,
    })),
    droppedLinksCount: span.droppedLinks,
    status: {
      ...(span.status !== 'unset' && { code: STATUSES.indexOf(span.status) }),
      ...(span.statusMessage !== '' && { message: span.statusMessage }),
    },
  };
}

/** Spans of one resource, and within it of one scope, stand together, as they do when they are sent. */
export function otlpOf(traceId: string, spans: readonly SpanDetails[]): { resourceSpans: Json[] } {
  const resources = new Map<string, Map<string, SpanDetails[]>>();
  for (const span of spans) {
    const resource = JSON.stringify(span.resource);
    const scope = JSON.stringify(span.scope);
    const scopes = resources.get(resource) ?? new Map<string, SpanDetails[]>();
    resources.set(resource, scopes);
    const members = scopes.get(scope) ?? [];
    scopes.set(scope, members);
    members.push(span);
  }
  const resourceSpans = Array.from(resources.values(), (scopes): Json => {
    const first = [...scopes.values()][0]?.[0];
    return {
      resource: { attributes: attributesOf(first?.resource ?? []) },
      scopeSpans: Array.from(scopes.values(), (members) => ({
        scope: {
          name: members[0]?.scope.name ?? '',
          version: members[0]?.scope.version ?? '',
          attributes: attributesOf(members[0]?.scope.attributes ?? []),
        },
        spans: members.map((span) => spanOf(traceId, span)),
      })),
    };
  });
  return { resourceSpans };
}
