// What the find field means: words are looked up here, in names and services; a query is asked of the server, or where
// the trace is from a file, of the file, as far as it is understood there.

import { useQuery } from '@tanstack/react-query';
import { useDeferredValue, useMemo } from 'react';
import { ApiError } from '../../../api/client.ts';
import { findQuestion } from '../../../api/questions.ts';
import { openedTrace } from '../../../core/openedTraces.ts';
import type { TraceColumns } from '../../../model/columns.ts';
import { evaluate } from '../../../model/evaluate.ts';
import { readFileQuery } from '../../../model/fileQuery.ts';
import { findText, Matches, matchesOf } from '../../../model/find.ts';
import type { TraceSession } from './session.ts';

export type FindState = {
  readonly query: string | null;
  /** Null: nothing is looked for, or it is not known yet. */
  readonly matches: Matches | null;
  readonly isLoading: boolean;
  readonly error: string | null;
};

/** The query that a text is, when it is one: braces, or a comparison. */
function queryOfFind(find: string): string | null {
  const text = find.trim();
  if (text.startsWith('{')) return text;
  return /(?:=|[<>]|&&|\|\|)/.test(text) ? `{ ${text} }` : null;
}

/** A query in the trace of a file. */
function useFindInFile(columns: TraceColumns, query: string | null): FindState {
  const read = useMemo(() => {
    if (query === null) return null;
    try {
      const { conditions, tests } = readFileQuery(query);
      return { rows: evaluate(columns, { type: 'and', of: conditions }), tests, error: null };
    } catch (error) {
      return { rows: null, tests: [], error: error instanceof Error ? error.message : String(error) };
    }
  }, [columns, query]);
  const tests = read?.tests ?? [];
  const asked = useQuery({
    queryKey: ['find in file', columns.traceId, columns.version, query],
    queryFn: () => openedTrace(columns.traceId)?.find(tests) ?? new Uint32Array(),
    enabled: tests.length > 0,
    retry: false,
  });
  const rows = read?.rows ?? null;
  const matches = useMemo(() => {
    if (rows === null) return null;
    if (tests.length === 0) return new Matches(rows);
    return asked.data === undefined
      ? null
      : matchesOf(
          columns,
          asked.data.filter((row) => rows.has(row)),
        );
  }, [columns, rows, tests.length, asked.data]);
  return { query, matches, isLoading: asked.isFetching, error: read?.error ?? messageOf(asked.error) };
}

export function useFind(session: TraceSession, find: string, isFile: boolean): FindState {
  const text = useDeferredValue(find.trim());
  const query = queryOfFind(text);
  const { columns } = session;
  const words = useMemo(() => (text === '' || query !== null ? null : findText(columns, text)), [columns, text, query]);
  const isAsked = query !== null && !isFile;
  const asked = useQuery({
    ...findQuestion(columns.traceId, query ?? ''),
    queryKey: ['find', columns.traceId, columns.version, query],
    enabled: isAsked,
    retry: false,
  });
  const inFile = useFindInFile(columns, isFile ? query : null);
  const found = asked.data;
  const rows = useMemo(() => (found === undefined ? null : matchesOf(columns, found.rows)), [columns, found]);
  if (isFile && query !== null) return inFile;
  if (!isAsked) return { query: null, matches: words, isLoading: false, error: null };
  const wrong = found?.diagnostics.find(({ severity }) => severity === 'error')?.message ?? null;
  return { query, matches: rows, isLoading: asked.isFetching, error: messageOf(asked.error) ?? wrong };
}

function messageOf(error: Error | null): string | null {
  if (error === null) return null;
  return (error instanceof ApiError ? error.diagnostics[0]?.message : undefined) ?? error.message;
}
