// Comparisons with what only the details of a span tell: attributes of it, of its resource, scope and events. They mean
// what the query language says: types are not mixed, a comparison with what is not there is false, `!=` and `!~` of a
// list hold when no element is equal, and a condition on events when it holds for any of them.

import type { AttributeValue, KeyValue, SpanDetails } from '../api/types.ts';
import { rowsThatHold } from './detailWords.ts';
import type { AttributeTest, FileSought, Literal } from './fileQuery.ts';

type Scalar = { readonly type: 'text' | 'number' | 'bool'; readonly text: string };
type Judge = (details: SpanDetails) => boolean;

/** Rows that satisfy all tests, or hold any of the words. */
export function rowsOf(details: readonly SpanDetails[], sought: FileSought): Uint32Array {
  return 'words' in sought ? rowsThatHold(details, sought.words) : rowsThatPass(details, sought.tests);
}

/** Rows whose details satisfy all tests. */
export function rowsThatPass(details: readonly SpanDetails[], tests: readonly AttributeTest[]): Uint32Array {
  const judges = tests.map(judgeOf);
  const rows: number[] = [];
  details.forEach((one, row) => {
    if (judges.every((judge) => judge(one))) rows.push(row);
  });
  return Uint32Array.from(rows);
}

function judgeOf(test: AttributeTest): Judge {
  const { holder, key } = test;
  const holds = comparisonOf(test);
  const of = (attributes: readonly KeyValue[]): Scalar[] | null => {
    const found = attributes.filter((one) => one.key === key);
    return found.length === 0 ? null : found.flatMap(({ value }) => scalarsOf(value));
  };
  switch (holder) {
    case 'span':
      return (span) => holds(of(span.attributes));
    case 'resource':
      return (span) => holds(of(span.resource));
    case 'instrumentation':
      return (span) => holds(of(span.scope.attributes));
    case 'any':
      return (span) => holds(of(span.attributes) ?? of(span.resource));
    case 'event':
      // Absence is of all events, the rest of any one.
      return test.value.type === 'nil' && test.op === '='
        ? (span) => span.events.every((event) => of(event.attributes) === null)
        : (span) => span.events.some((event) => holds(of(event.attributes)));
    case 'own':
      if (key === 'event:name') return (span) => span.events.some((event) => holds(textOf(event.name)));
      return (span) => holds(textOf(ownOf(span, key)));
  }
}

function ownOf(span: SpanDetails, key: string): string {
  if (key === 'span:id') return span.spanId;
  if (key === 'span:parentID') return span.parentSpanId ?? '';
  if (key === 'statusMessage') return span.statusMessage;
  return key === 'instrumentation:version' ? span.scope.version : span.scope.name;
}

const textOf = (text: string): Scalar[] => [{ type: 'text', text }];

/** The elements of a list, or the one value; what can't be compared is none. */
function scalarsOf(value: AttributeValue): Scalar[] {
  switch (value.type) {
    case 'string':
      return textOf(value.value);
    case 'bool':
      return [{ type: 'bool', text: String(value.value) }];
    case 'int':
    case 'double':
      return [{ type: 'number', text: value.value }];
    case 'json':
      return elementsOf(value.value);
    default:
      return [];
  }
}

function elementsOf(json: string): Scalar[] {
  const list: unknown = JSON.parse(json);
  if (!Array.isArray(list)) return [];
  return list.flatMap((one): Scalar[] => {
    if (typeof one === 'string') return textOf(one);
    if (typeof one === 'number') return [{ type: 'number', text: String(one) }];
    return typeof one === 'boolean' ? [{ type: 'bool', text: String(one) }] : [];
  });
}

function comparisonOf({ op, value }: AttributeTest): (found: readonly Scalar[] | null) => boolean {
  if (value.type === 'nil') return (found) => (found === null) === (op === '=');
  const isPattern = op === '=~' || op === '!~';
  const pattern = isPattern && value.type === 'text' ? new RegExp(`^(?:${value.text})$`, 'su') : null;
  const type = value.type;
  const isEqual = (one: Scalar) => (pattern === null ? order(one, value) === 0 : pattern.test(one.text));
  return (found) => {
    const alike = found?.filter((one) => one.type === type) ?? [];
    if (alike.length === 0) return false;
    switch (op) {
      case '=':
      case '=~':
        return alike.some(isEqual);
      case '!=':
      case '!~':
        return !alike.some(isEqual);
      case '>':
        return alike.some((one) => order(one, value) > 0);
      case '>=':
        return alike.some((one) => order(one, value) >= 0);
      case '<':
        return alike.some((one) => order(one, value) < 0);
      case '<=':
        return alike.some((one) => order(one, value) <= 0);
    }
  };
}

const WHOLE = /^-?\d+$/;

/** NaN: no order. Whole numbers are compared as such, however many digits they have. */
function order(one: Scalar, literal: Exclude<Literal, { type: 'nil' }>): number {
  if (literal.type === 'bool') return one.text === String(literal.is) ? 0 : Number.NaN;
  if (literal.type === 'text') return one.text === literal.text ? 0 : one.text < literal.text ? -1 : 1;
  if (WHOLE.test(one.text) && WHOLE.test(literal.text)) {
    const difference = BigInt(one.text) - BigInt(literal.text);
    return difference === 0n ? 0 : difference < 0n ? -1 : 1;
  }
  return Number(one.text) - Number(literal.text);
}
