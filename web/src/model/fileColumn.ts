// The fields of a file's spans and their values by row, as the server tells them of its own traces.

import type { KeyValue, SpanDetails, TraceKey } from '../api/types.ts';
import { attributeField } from '../url/queryText.ts';
import { scopedKey } from './fileQuery.ts';
import type { FieldValues } from './stats.ts';

const OWN: Readonly<Record<string, (span: SpanDetails) => string>> = {
  name: (span) => span.name,
  'span:name': (span) => span.name,
  kind: (span) => span.kind,
  'span:kind': (span) => span.kind,
  status: (span) => span.status,
  'span:status': (span) => span.status,
  statusMessage: (span) => span.statusMessage,
  'span:statusMessage': (span) => span.statusMessage,
  'resource.service.name': (span) => span.service,
  'instrumentation:name': (span) => span.scope.name,
  'instrumentation:version': (span) => span.scope.version,
};

/** Values that are not there are 0 in `rows`; the most frequent value is 1. */
export function columnOfFile(details: readonly SpanDetails[], field: string): FieldValues {
  const textOf = reader(field);
  const codes = new Map<string, number>();
  const spans: number[] = [];
  const found = details.map((span) => {
    const text = textOf(span);
    if (text === null) return -1;
    const code = codes.get(text) ?? codes.size;
    codes.set(text, code);
    spans[code] = (spans[code] ?? 0) + 1;
    return code;
  });
  const values = [...codes.keys()];
  const order = values.map((_, code) => code).sort((a, b) => (spans[b] ?? 0) - (spans[a] ?? 0));
  const places = new Uint32Array(values.length);
  order.forEach((code, place) => {
    places[code] = place + 1;
  });
  return {
    values: order.map((code) => values[code] ?? ''),
    rows: Uint32Array.from(found, (code) => (code < 0 ? 0 : (places[code] as number))),
  };
}

/** The fields that the spans have, the most frequent first. */
export function keysOfFile(details: readonly SpanDetails[]): Pick<TraceKey, 'field' | 'spans'>[] {
  const spans = new Map<string, number>();
  const count = (scope: 'span' | 'resource', attributes: readonly KeyValue[]) => {
    for (const key of new Set(attributes.map((one) => one.key))) {
      const field = attributeField(key, scope);
      spans.set(field, (spans.get(field) ?? 0) + 1);
    }
  };
  for (const span of details) {
    count('span', span.attributes);
    count('resource', span.resource);
  }
  const keys = Array.from(spans, ([field, n]) => ({ field, spans: n }));
  return keys.sort((a, b) => b.spans - a.spans || (a.field < b.field ? -1 : 1));
}

function reader(field: string): (span: SpanDetails) => string | null {
  const own = OWN[field];
  if (own !== undefined) return own;
  const { holder, key } = scopedKey(field);
  const of = (attributes: readonly KeyValue[]): string | null => {
    const value = attributes.find((one) => one.key === key)?.value;
    return value === undefined || value.type === 'empty' ? null : String(value.value);
  };
  switch (holder) {
    case 'span':
      return (span) => of(span.attributes);
    case 'resource':
      return (span) => of(span.resource);
    case 'instrumentation':
      return (span) => of(span.scope.attributes);
    case 'event':
      return (span) => span.events.map((event) => of(event.attributes)).find((text) => text !== null) ?? null;
    default:
      return (span) => of(span.attributes) ?? of(span.resource);
  }
}
