// What the page knows of fields without asking: which every span has, what type they are of, and short names for chips,
// facets and columns. The grammar is the server's (docs/query-language.md).

import { quoteText } from '../url/queryText.ts';

export const SERVICE = 'resource.service.name';
export const ROOT_SERVICE = 'rootServiceName';
export const ROOT_NAME = 'rootName';

type FieldType = 'text' | 'number' | 'duration' | 'status' | 'kind' | 'any';

const TYPES: Readonly<Record<string, FieldType>> = {
  [SERVICE]: 'text',
  name: 'text',
  'span:name': 'text',
  status: 'status',
  'span:status': 'status',
  statusMessage: 'text',
  'span:statusMessage': 'text',
  kind: 'kind',
  'span:kind': 'kind',
  duration: 'duration',
  'span:duration': 'duration',
  'span:id': 'text',
  'span:parentID': 'text',
  'span:childCount': 'number',
  'span:selfTime': 'duration',
  'span:criticalTime': 'duration',
  'trace:id': 'text',
  traceDuration: 'duration',
  'trace:duration': 'duration',
  rootName: 'text',
  rootServiceName: 'text',
  'trace:rootName': 'text',
  'trace:rootService': 'text',
  'trace:spanCount': 'number',
  'trace:errorCount': 'number',
  'event:name': 'text',
  'event:timeSinceStart': 'duration',
  'link:traceID': 'text',
  'link:spanID': 'text',
  'instrumentation:name': 'text',
  'instrumentation:version': 'text',
};

const SHORT: Readonly<Record<string, string>> = {
  [SERVICE]: 'service',
  [ROOT_SERVICE]: 'root service',
  [ROOT_NAME]: 'root name',
  traceDuration: 'trace duration',
};

export function typeOf(field: string): FieldType {
  return TYPES[field] ?? 'any';
}

/** Whether each span has it, so that `!=` is the opposite of `=`. Events and links are of any number. */
export function isAlwaysThere(field: string): boolean {
  return TYPES[field] !== undefined && !/^(?:event|link):/.test(field);
}

/** As people say it: `service`, `http.route`; other scopes than the span's stay in front. */
export function fieldLabel(field: string): string {
  return SHORT[field] ?? field.replace(/^(?:span)?\.(?=.)/, '');
}

/** A literal as people read it: a text without its quotes, where that leaves no doubt. */
export function valueLabel(literal: string): string {
  const inner = /^"([^"\\]*)"$/s.exec(literal)?.[1];
  return inner !== undefined && inner !== '' && inner.trim() === inner && !/[\n\r\t]/.test(inner) ? inner : literal;
}

/** The operators that make sense, the usual one first. */
export function operatorsOf(field: string): readonly string[] {
  switch (typeOf(field)) {
    case 'status':
    case 'kind':
      return ['=', '!='];
    case 'duration':
    case 'number':
      return ['>', '>=', '<', '<=', '=', '!='];
    case 'text':
      return ['=', '!=', '=~', '!~'];
    case 'any':
      return ['=', '!=', '=~', '!~', '>', '>=', '<', '<='];
  }
}

const NUMBER = /^-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const DURATION = /^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h|d|w|y))+$/;
const WORDS = ['true', 'false', 'nil', 'minInt', 'maxInt'];

/** What somebody typed as a value, as the language writes it: texts get their quotes. */
export function literalOf(field: string, op: string, typed: string): string {
  const text = typed.trim();
  if (/^"(?:[^"\\]|\\.)*"$/s.test(text) || /^`[^`]*`$/s.test(text)) return text;
  if (op === '=~' || op === '!~') return quoteText(text);
  switch (typeOf(field)) {
    case 'text':
      return quoteText(text);
    case 'duration':
      return text.replace(/\s+/g, '');
    case 'number':
    case 'status':
    case 'kind':
      return text;
    case 'any':
      return NUMBER.test(text) || DURATION.test(text) || WORDS.includes(text) ? text : quoteText(text);
  }
}
