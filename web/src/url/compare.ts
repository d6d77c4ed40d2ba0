// Two traces side by side: `/trace/a...b`, either of which may be missing, with `cohort find tab`.

import { choice, type Field, type Fields, type Params, shortened, text } from './fields.ts';
import { parseTraceId, type TraceId } from './ids.ts';
import type { CompareState, CompareTab } from './state.ts';

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
};

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
  if (id === null) params.note(`${shortened(value)} is not a trace id and left out`);
  return id;
}
