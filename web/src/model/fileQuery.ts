// Queries in the trace of a file, which no server knows: comparisons joined by `&&`, in the words of the query language
// (docs/query-language.md). Anything else of the language is refused with the part that is not understood; nothing is
// looked for as mere words instead.
//
// What columns know is a `Condition` for `evaluate`; what only attributes tell is an `AttributeTest` for whoever has
// the details. Two kindnesses: a text needs no quotes, and an attribute no dot in front, where that leaves no doubt.

import type { Condition, NumberOp, TextOp } from './evaluate.ts';
import { KINDS, STATUSES } from './stats.ts';

type Op = NumberOp | TextOp;
export type Literal =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'number'; readonly text: string }
  | { readonly type: 'bool'; readonly is: boolean }
  | { readonly type: 'nil' };

/** Where an attribute may stand; `any`: on the span, or where the span has none, on its resource. */
export type Holder = 'any' | 'span' | 'resource' | 'event' | 'instrumentation' | 'own';
export type OwnField =
  | 'span:id'
  | 'span:parentID'
  | 'statusMessage'
  | 'event:name'
  | `instrumentation:${'name' | 'version'}`;
export type AttributeTest = {
  readonly holder: Holder;
  /** Of `own`: an `OwnField`. */
  readonly key: string;
  readonly op: Op;
  readonly value: Literal;
};

/** What is looked up in the details of a file's spans. */
export type FileSought = { readonly tests: readonly AttributeTest[] } | { readonly words: string };

export type FileQuery = { readonly conditions: readonly Condition[]; readonly tests: readonly AttributeTest[] };

/** The query is not understood here; the message says which part. */
export class FileQueryError extends Error {
  override readonly name = 'FileQueryError';
}

const FIELD = /(?:"(?:[^"\\]|\\.)*"|[^\s{}()=~!<>&|^,"`])+/y;
const OP = /=~|!~|!=|>=|<=|=|>|</y;
const VALUE = /"(?:[^"\\]|\\.)*"|`[^`]*`|(?:[^\s"`&|{}()]|&(?!&))+/y;
const AND = /&&/y;

const NUMBER = /^-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const UNIT_NS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 6e10,
  h: 3.6e12,
  d: 8.64e13,
  w: 6.048e14,
  y: 3.1536e16,
};
const DURATION = /^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h|d|w|y))+$/;

const DURATIONS: Readonly<Record<string, 'duration' | 'selfTime'>> = {
  duration: 'duration',
  'span:duration': 'duration',
  'span:selfTime': 'selfTime',
};
const TEXTS: Readonly<Record<string, 'service' | 'name' | 'kind' | 'status'>> = {
  service: 'service',
  'resource.service.name': 'service',
  name: 'name',
  'span:name': 'name',
  kind: 'kind',
  'span:kind': 'kind',
  status: 'status',
  'span:status': 'status',
};
const OWN: Readonly<Record<string, OwnField>> = {
  'span:id': 'span:id',
  'span:parentID': 'span:parentID',
  statusMessage: 'statusMessage',
  'span:statusMessage': 'statusMessage',
  'event:name': 'event:name',
  'instrumentation:name': 'instrumentation:name',
  'instrumentation:version': 'instrumentation:version',
};
/** Fields of the language that need more than a file's spans tell; as attributes they would never match. */
const ELSEWHERE =
  /^(?:(?:span|trace|event|link|instrumentation|parent):|link\.|parent\.|(?:traceDuration|rootName|rootServiceName)$)/;

type Comparison = { readonly field: string; readonly op: Op; readonly value: string; readonly source: string };

export function readFileQuery(q: string): FileQuery {
  const conditions: Condition[] = [];
  const tests: AttributeTest[] = [];
  for (const comparison of comparisonsOf(q)) {
    const condition = conditionOf(comparison);
    if (condition !== null) conditions.push(condition);
    else tests.push(testOf(comparison));
  }
  return { conditions, tests };
}

function comparisonsOf(q: string): Comparison[] {
  const inner = /^\s*\{([\s\S]*)\}\s*$/.exec(q)?.[1] ?? q;
  const found: Comparison[] = [];
  if (inner.trim() === '') return found;
  let at = 0;
  const space = (): void => {
    while (/\s/.test(inner[at] ?? '')) at++;
  };
  const take = (pattern: RegExp): string | null => {
    space();
    pattern.lastIndex = at;
    const token = pattern.exec(inner)?.[0] ?? null;
    at += token?.length ?? 0;
    return token;
  };
  for (;;) {
    space();
    const from = at;
    const field = take(FIELD);
    const op = field === null ? null : take(OP);
    const value = op === null ? null : take(VALUE);
    if (field === null || op === null || value === null) throw notUnderstood(inner.slice(from));
    found.push({ field, op: op as Op, value, source: inner.slice(from, at) });
    space();
    if (at >= inner.length) return found;
    if (take(AND) === null) throw notUnderstood(inner.slice(from));
  }
}

function notUnderstood(part: string): FileQueryError {
  const shown = part.trim().slice(0, 60);
  const what = shown === '' ? 'A comparison is missing at the end' : `“${shown}” is not understood in a file`;
  return new FileQueryError(`${what}: only comparisons such as key = value, joined by &&.`);
}

function conditionOf({ field, op, value, source }: Comparison): Condition | null {
  const duration = DURATIONS[field];
  if (duration !== undefined) {
    const ns = durationOf(value);
    if (ns === null) throw new FileQueryError(`“${source}”: a duration has a unit, such as 20ms.`);
    if (op === '=~' || op === '!~') throw new FileQueryError(`“${source}”: a duration is no text.`);
    return { type: 'number', field: duration, op, value: ns };
  }
  const text = TEXTS[field];
  if (text === undefined) return null;
  if (op !== '=' && op !== '!=' && op !== '=~' && op !== '!~')
    throw new FileQueryError(`“${source}” is not understood in a file: ${field} is compared with = != =~ !~.`);
  const wanted = textOf(value, source);
  const words: readonly string[] | null = text === 'status' ? STATUSES : text === 'kind' ? KINDS : null;
  if (words !== null && !words.includes(wanted))
    throw new FileQueryError(`“${source}”: ${field} is one of ${words.join(', ')}.`);
  if (words === null) checkPattern(op, wanted, source);
  return { type: 'text', field: text, op, value: wanted };
}

function testOf({ field, op, value, source }: Comparison): AttributeTest {
  const own = OWN[field];
  if (own === undefined && ELSEWHERE.test(field))
    throw new FileQueryError(`“${source}” is not understood in a file: ${field} is the server's to tell.`);
  if (DURATION.test(value) && own === undefined)
    throw new FileQueryError(`“${source}”: attributes are no durations; “duration” and “span:selfTime” are.`);
  const literal = op === '=~' || op === '!~' ? textLiteral(value, source) : literalOf(value, source);
  if (literal.type === 'text') checkPattern(op, literal.text, source);
  if (own !== undefined) return { holder: 'own', key: own, op, value: textLiteral(value, source) };
  if (literal.type === 'nil' && op !== '=' && op !== '!=')
    throw new FileQueryError(`“${source}”: nil is compared with = or !=.`);
  return { ...scopedKey(field), op, value: literal };
}

/** `span.http.route` as where it stands, and its key. */
export function scopedKey(field: string): { readonly holder: Holder; readonly key: string } {
  const [, scope = '', rest = field] = /^(span|resource|event|instrumentation|)\.([\s\S]+)$/.exec(field) ?? [];
  return { holder: scope === '' ? 'any' : (scope as Holder), key: unquotedKey(rest) };
}

/** `span."http header".x` is `http header.x`. */
function unquotedKey(key: string): string {
  return key.replace(/"((?:[^"\\]|\\.)*)"/g, (_, inner: string) => inner.replace(/\\(["\\])/g, '$1'));
}

function durationOf(value: string): number | null {
  if (!DURATION.test(value)) return null;
  let ns = 0;
  for (const [, count = '0', unit = 'ns'] of value.matchAll(/(\d+(?:\.\d+)?)([a-zµ]+)/g))
    ns += Number(count) * (UNIT_NS[unit] ?? 0);
  return Math.round(ns);
}

function literalOf(value: string, source: string): Literal {
  if (value === 'true' || value === 'false') return { type: 'bool', is: value === 'true' };
  if (value === 'nil') return { type: 'nil' };
  if (NUMBER.test(value)) return { type: 'number', text: value };
  return textLiteral(value, source);
}

function textLiteral(value: string, source: string): Literal {
  return { type: 'text', text: textOf(value, source) };
}

function textOf(value: string, source: string): string {
  if (value.startsWith('`')) return value.slice(1, -1);
  if (!value.startsWith('"')) return value;
  try {
    return JSON.parse(
      value
        .replace(/\\a/g, '\\u0007')
        .replace(/\\v/g, '\\u000b')
        .replace(/\\x([0-9a-f]{2})/gi, '\\u00$1'),
    );
  } catch {
    throw new FileQueryError(`“${source}”: the text has a backslash that stands for nothing.`);
  }
}

function checkPattern(op: Op, pattern: string, source: string): void {
  if (op !== '=~' && op !== '!~') return;
  try {
    new RegExp(pattern, 'su');
  } catch {
    throw new FileQueryError(`“${source}”: the pattern is not one.`);
  }
}
