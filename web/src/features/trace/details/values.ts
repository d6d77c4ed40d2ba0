// What a value is beside its text: JSON to fold, SQL to lay out, a stack trace; and what a query says for it.

import type { AttributeValue, KeyValue, SpanDetails } from '../../../api/types.ts';
import type { Json } from '../../../ui/JsonTree/JsonTree.tsx';
import {
  type AttributeScope,
  attributeField,
  type Literal,
  printComparison,
  quoteName,
} from '../../../url/queryText.ts';

export function textOfValue(value: AttributeValue): string {
  if (value.type === 'empty') return '';
  return String(value.value);
}

export function isLiteral(value: AttributeValue): boolean {
  return value.type === 'int' || value.type === 'double' || value.type === 'bool';
}

/** A value that is an object or a list; plain values are not worth a tree. */
export function jsonOf(value: AttributeValue): Json | null {
  if (value.type !== 'string' && value.type !== 'json') return null;
  if (!/^\s*[[{]/.test(value.value)) return null;
  try {
    const json: unknown = JSON.parse(value.value);
    return typeof json === 'object' && json !== null ? (json as Json) : null;
  } catch {
    return null;
  }
}

const SQL_KEYS = /(^|\.)(sql|statement|query\.text|query)$/;
const SQL_START = /^\s*(select|insert|update|delete|with|merge|create|alter|drop|begin|call|explain)\b/i;

export function isSql(key: string, value: AttributeValue): boolean {
  return value.type === 'string' && SQL_KEYS.test(key) && SQL_START.test(value.value);
}

/** Which of the two dialects reads it. */
export function dialectOf(details: SpanDetails): 'mysql' | 'postgresql' {
  const system = details.attributes.find(({ key }) => key === 'db.system' || key === 'db.system.name');
  return system !== undefined && /mysql|maria/i.test(textOfValue(system.value)) ? 'mysql' : 'postgresql';
}

function literalOf(value: AttributeValue): Literal {
  if (isLiteral(value)) return { kind: 'word', word: textOfValue(value) };
  if (value.type === 'empty') return { kind: 'word', word: 'nil' };
  return { kind: 'text', text: textOfValue(value) };
}

export type FieldScope = Exclude<AttributeScope, ''>;

/** The field of an attribute: `span.http.method`. A service's name stands where queries look for it. */
export function fieldOf(key: string, scope: FieldScope): string {
  return scope === 'instrumentation' ? `instrumentation.${quoteName(key)}` : attributeField(key, scope);
}

export function comparisonOf(key: string, value: AttributeValue, scope: FieldScope, op: '=' | '!='): string {
  return printComparison({ field: fieldOf(key, scope), op, value: literalOf(value) });
}

/** Attributes as one object; a key that comes twice keeps both values. */
export function objectOf(attributes: readonly KeyValue[]): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (const { key, value } of attributes) {
    const plain = value.type === 'empty' ? null : value.type === 'int' ? plainInt(value.value) : plainOf(value);
    object[key] = key in object ? [object[key], plain].flat() : plain;
  }
  return object;
}

function plainInt(text: string): number | string {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : text;
}

function plainOf(value: Exclude<AttributeValue, { type: 'empty' }>): unknown {
  if (value.type === 'double') return Number(value.value);
  if (value.type === 'json') return jsonOf(value) ?? value.value;
  return value.value;
}

export type Namespace = { readonly name: string; readonly attributes: readonly KeyValue[] };

/** By the part of the key before the first dot; keys without one, and lone ones, come last under no name. */
export function namespacesOf(attributes: readonly KeyValue[]): Namespace[] {
  const groups = new Map<string, KeyValue[]>();
  const sorted = attributes.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  for (const attribute of sorted) {
    const at = attribute.key.indexOf('.');
    const name = at <= 0 ? '' : attribute.key.slice(0, at);
    const group = groups.get(name);
    if (group) group.push(attribute);
    else groups.set(name, [attribute]);
  }
  const lone = [...groups].filter(([name, group]) => name === '' || group.length === 1).flatMap(([, group]) => group);
  const named = [...groups].filter(([name, group]) => name !== '' && group.length > 1);
  const all = named.map(([name, group]): Namespace => ({ name, attributes: group }));
  return lone.length === 0 ? all : [...all, { name: '', attributes: lone }];
}

/** What the reader pinned, in their order; after it what the server's configuration puts on top. */
export function pinnedOf(
  attributes: readonly KeyValue[],
  pinned: readonly string[],
  prefixes: readonly string[],
): KeyValue[] {
  const own = pinned.flatMap((key) => attributes.filter((attribute) => attribute.key === key));
  const configured = prefixes.flatMap((prefix) => attributes.filter(({ key }) => key.startsWith(prefix)));
  return [...new Set([...own, ...configured])];
}
