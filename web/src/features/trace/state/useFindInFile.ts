// Find in a trace that is from a file: words and comparisons mean what they mean to the server, and what is not
// understood here is told.

import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { openedTrace } from '../../../core/openedTraces.ts';
import type { TraceColumns } from '../../../model/columns.ts';
import { evaluate } from '../../../model/evaluate.ts';
import { type FileSought, readFileQuery } from '../../../model/fileQuery.ts';
import { findText, Matches, matchesOf } from '../../../model/find.ts';
import type { FindState } from './useFind.ts';

type Read = {
  /** What the columns know at once. */
  readonly near: Matches | null;
  /** What has to be looked up in the file. */
  readonly sought: FileSought | null;
  readonly error: string | null;
};

function read(columns: TraceColumns, text: string, query: string | null): Read {
  if (text === '') return { near: null, sought: null, error: null };
  if (query === null) return { near: findText(columns, text), sought: { words: text }, error: null };
  try {
    const { conditions, tests } = readFileQuery(query);
    const near = new Matches(evaluate(columns, { type: 'and', of: conditions }));
    return { near, sought: tests.length > 0 ? { tests } : null, error: null };
  } catch (error) {
    return { near: null, sought: null, error: error instanceof Error ? error.message : String(error) };
  }
}

export function useFindInFile(columns: TraceColumns, text: string, query: string | null): FindState {
  const { near, sought, error } = useMemo(() => read(columns, text, query), [columns, text, query]);
  const asked = useQuery({
    queryKey: ['find in file', columns.traceId, columns.version, text],
    queryFn: () => (sought && openedTrace(columns.traceId)?.find(sought)) ?? new Uint32Array(),
    enabled: sought !== null,
    retry: false,
  });
  const rows = sought === null ? undefined : asked.data;
  const isTests = sought !== null && 'tests' in sought;
  const matches = useMemo(() => {
    // Of words some are known before the rest; of a query only all of it is an answer.
    if (rows === undefined) return isTests ? null : near;
    return matchesOf(columns, isTests ? rows.filter((row) => near?.bits.has(row)) : rows);
  }, [columns, near, rows, isTests]);
  return { query, matches, isLoading: asked.isFetching, error: error ?? asked.error?.message ?? null };
}
