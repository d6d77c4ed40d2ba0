// Words in all that the spans of a file hold, meant as the server means them: a span matches when any of the words is
// in its name, its service, or in a key or a value of its attributes, events, resource or scope, in any case, or is its
// id; leading zeros don't count. `-key` leaves the attributes of a key out.

import type { KeyValue, SpanDetails } from '../api/types.ts';

type Words = { readonly any: readonly string[]; readonly withoutKeys: ReadonlySet<string> };

function read(text: string): Words {
  const any: string[] = [];
  const withoutKeys = new Set<string>();
  for (const [, quoted, plain = ''] of text.matchAll(/"([^"]*)"?|(\S+)/g)) {
    const word = (quoted ?? plain).toLowerCase();
    if (quoted === undefined && word.startsWith('-')) withoutKeys.add(word.slice(1));
    else if (word !== '') any.push(word);
  }
  return { any, withoutKeys };
}

/** The rows of the spans that hold any of the words. */
export function rowsThatHold(details: readonly SpanDetails[], text: string): Uint32Array {
  const { any, withoutKeys } = read(text);
  if (any.length === 0) return new Uint32Array();
  const ids = new Set(any.map(idOf).filter((id) => id !== ''));
  // Texts repeat from span to span.
  const known = new Map<string, boolean>();
  const holds = (value: string): boolean => {
    const before = known.get(value);
    if (before !== undefined) return before;
    const lower = value.toLowerCase();
    const found = any.some((word) => lower.includes(word));
    known.set(value, found);
    return found;
  };
  const inAttribute = ({ key, value }: KeyValue): boolean =>
    !(withoutKeys.size > 0 && withoutKeys.has(key.toLowerCase())) &&
    (holds(key) || (value.type !== 'empty' && holds(String(value.value))));
  // A file's spans share the attributes of their resource.
  const inResource = new Map<readonly KeyValue[], boolean>();
  const holdsResource = (resource: readonly KeyValue[]): boolean => {
    const found = inResource.get(resource) ?? resource.some(inAttribute);
    inResource.set(resource, found);
    return found;
  };
  const of = (key: string, value: string): KeyValue => ({ key, value: { type: 'string', value } });
  const inSpan = (span: SpanDetails): boolean =>
    [span.name, span.service, span.statusMessage, span.scope.name, span.scope.version].some(holds) ||
    (span.kind !== 'unspecified' && inAttribute(of('span.kind', span.kind))) ||
    (span.status === 'error' && inAttribute(of('error', 'true'))) ||
    span.attributes.some(inAttribute) ||
    holdsResource(span.resource) ||
    span.scope.attributes.some(inAttribute) ||
    span.events.some((event) => holds(event.name) || event.attributes.some(inAttribute)) ||
    ids.has(idOf(span.spanId));
  const rows: number[] = [];
  details.forEach((span, row) => {
    if (inSpan(span)) rows.push(row);
  });
  return Uint32Array.from(rows);
}

function idOf(word: string): string {
  return word.toLowerCase().replace(/^0+/, '');
}
