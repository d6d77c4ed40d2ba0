// Conditions on what the columns of a trace say, for traces that no server knows: opened files.
//
// A condition is a small tree, made by whoever reads the query. It means what the query language says: types are not
// mixed, durations are nanoseconds, regular expressions are anchored to the whole value. What the columns do not hold
// (attributes) cannot be written down in this tree; the query's reader says so.

import { Bits } from './bits.ts';
import { FLAG, type TraceColumns } from './columns.ts';
import { KINDS, STATUSES } from './stats.ts';

export type NumberField = 'duration' | 'selfTime' | 'start' | 'depth';
export type TextField = 'service' | 'name' | 'kind' | 'status';
export type NumberOp = '=' | '!=' | '>' | '>=' | '<' | '<=';
export type TextOp = '=' | '!=' | '=~' | '!~';

export type Condition =
  | { readonly type: 'number'; readonly field: NumberField; readonly op: NumberOp; readonly value: number }
  | { readonly type: 'text'; readonly field: TextField; readonly op: TextOp; readonly value: string }
  | { readonly type: 'critical' }
  | { readonly type: 'and' | 'or'; readonly of: readonly Condition[] }
  | { readonly type: 'not'; readonly of: Condition };

/** Rows for which the condition is true. An expression that is none fails with a `SyntaxError`. */
export function evaluate(columns: TraceColumns, condition: Condition): Bits {
  switch (condition.type) {
    case 'number':
      return numbers(columns, condition.field, condition.op, condition.value);
    case 'text':
      return texts(columns, condition.field, condition.op, condition.value);
    case 'critical':
      return where(columns.count, (row) => ((columns.flags[row] as number) & FLAG.critical) !== 0);
    case 'not':
      return inverted(evaluate(columns, condition.of));
    case 'and':
      return condition.of.map((one) => evaluate(columns, one)).reduce(both, inverted(new Bits(columns.count)));
    case 'or':
      return inverted(
        condition.of.map((one) => inverted(evaluate(columns, one))).reduce(both, inverted(new Bits(columns.count))),
      );
  }
}

function numbers(columns: TraceColumns, field: NumberField, op: NumberOp, value: number): Bits {
  const values = { duration: columns.dur, selfTime: columns.self, start: columns.start, depth: columns.depth }[field];
  const test = {
    '=': (v: number) => v === value,
    '!=': (v: number) => v !== value,
    '>': (v: number) => v > value,
    '>=': (v: number) => v >= value,
    '<': (v: number) => v < value,
    '<=': (v: number) => v <= value,
  }[op];
  return where(columns.count, (row) => test(values[row] as number));
}

function texts(columns: TraceColumns, field: TextField, op: TextOp, value: string): Bits {
  const [words, codes] = {
    service: [columns.services, columns.service] as const,
    name: [columns.names, columns.name] as const,
    kind: [KINDS, columns.kind] as const,
    status: [STATUSES, columns.status] as const,
  }[field];
  const expression = op === '=~' || op === '!~' ? new RegExp(`^(?:${value})$`, 'su') : null;
  const isWanted = words.map(
    (word) => (expression === null ? word === value : expression.test(word)) === (op === '=' || op === '=~'),
  );
  return where(columns.count, (row) => isWanted[codes[row] as number] === true);
}

function where(count: number, test: (row: number) => boolean): Bits {
  const bits = new Bits(count);
  for (let row = 0; row < count; row++) if (test(row)) bits.add(row);
  return bits;
}

function inverted(bits: Bits): Bits {
  const words = bits.words.map((word) => ~word);
  // Past the last row nothing is a member.
  if ((bits.length & 31) !== 0)
    words[words.length - 1] = (words[words.length - 1] as number) & ~(-1 << (bits.length & 31));
  return new Bits(bits.length, words);
}

function both(a: Bits, b: Bits): Bits {
  return new Bits(
    a.length,
    a.words.map((word, i) => word & (b.words[i] as number)),
  );
}
