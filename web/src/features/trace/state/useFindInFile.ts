// Find in a trace that is from a file: words and comparisons mean what they mean to the server, and what is not
// understood here is told.

import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import { openedTrace } from '../../../core/openedTraces.ts';
import type { TraceColumns } from '../../../model/columns.ts';
import { findText, matchesOf } from '../../../model/find.ts';
import type { ReadQuery, readInFile } from './readInFile.ts';
import type { FindState } from './useFind.ts';

const NOTHING: ReadQuery = { near: null, sought: null, error: null };

export function useFindInFile(columns: TraceColumns, text: string, query: string | null): FindState {
  const isQuery = text !== '' && query !== null;
  const reader = useReader(isQuery);
  const { near, sought, error } = useMemo((): ReadQuery => {
    if (text === '') return NOTHING;
    if (query === null) return { near: findText(columns, text), sought: { words: text }, error: null };
    return reader === null ? NOTHING : reader(columns, query);
  }, [columns, text, query, reader]);
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
  const isLoading = asked.isFetching || (isQuery && reader === null);
  return { query, matches, isLoading, error: error ?? asked.error?.message ?? null };
}

function useReader(isWanted: boolean): typeof readInFile | null {
  const [reader, setReader] = useState<typeof readInFile | null>(null);
  useEffect(() => {
    if (!isWanted) return;
    import('./readInFile.ts').then(
      (parts) => setReader(() => parts.readInFile),
      () => undefined,
    );
  }, [isWanted]);
  return reader;
}
