// Two traces side by side: `/trace/a...b`, either of which may be missing, with `cohort find tab node level x all`.

import {
  choice,
  custom,
  type Field,
  type Fields,
  flag,
  LIST_ITEMS_MAX,
  type Params,
  shortened,
  text,
} from './fields.ts';
import { parseTraceId, type TraceId } from './ids.ts';
import type { CompareState, CompareTab } from './state.ts';
import { text as words } from './text.ts';

export const SIDES = '...';

const cohort: Field<readonly TraceId[]> = {
  read: (params) => {
    const ids = params.all('cohort').map((value) => parseSide(value, params));
    return [...new Set(ids.filter((id) => id !== null))];
  },
  print: (ids) => ids.map((id) => ['cohort', id]),
};

export const COMPARE: Fields<Omit<CompareState, 'a' | 'b'>> = {
  cohort,
  find: text('find'),
  tab: choice<CompareTab>('tab', ['tree', 'side', 'attributes']),
  node: custom<number | null>('node', null, parseRow, (row) => (row === null ? '' : String(row))),
  level: custom<number | null>('level', null, parseRow, (level) => (level === null ? '' : String(level))),
  except: custom<readonly number[]>('x', [], parseRows, (rows) => rows.join(',')),
  all: flag('all', false),
};

function parseRow(value: string): number | null {
  return /^\d{1,9}$/.test(value) ? Number(value) : null;
}

function parseRows(value: string): readonly number[] | null {
  const rows = value.split(',').slice(0, LIST_ITEMS_MAX).map(parseRow);
  return rows.every((row) => row !== null) ? [...new Set(rows)] : null;
}

/** The two sides of the part of the path that holds `...`. */
export function readSides(segment: string, params: Params): Pick<CompareState, 'a' | 'b'> {
  const at = segment.indexOf(SIDES);
  return { a: parseSide(segment.slice(0, at), params), b: parseSide(segment.slice(at + SIDES.length), params) };
}

export function printSides({ a, b }: Pick<CompareState, 'a' | 'b'>): string {
  return `${a ?? ''}${SIDES}${b ?? ''}`;
}

function parseSide(value: string, params: Params): TraceId | null {
  if (value === '') return null;
  const id = parseTraceId(value);
  if (id === null) params.note(words.noTraceId(shortened(value)));
  return id;
}
