// What the find field means: words are looked up here, in names and services; a query is asked of the server.

import { useQuery } from '@tanstack/react-query';
import { useDeferredValue, useMemo } from 'react';
import { ApiError } from '../../../api/client.ts';
import { findQuestion } from '../../../api/questions.ts';
import { findText, type Matches, matchesOf } from '../../../model/find.ts';
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

export function useFind(session: TraceSession, find: string, isFile: boolean): FindState {
  const text = useDeferredValue(find.trim());
  const query = queryOfFind(text);
  const { columns } = session;
  const words = useMemo(
    () => (text === '' || (query !== null && !isFile) ? null : findText(columns, text)),
    [columns, text, query, isFile],
  );
  const isAsked = query !== null && !isFile;
  const asked = useQuery({
    ...findQuestion(columns.traceId, query ?? ''),
    queryKey: ['find', columns.traceId, columns.version, query],
    enabled: isAsked,
    retry: false,
  });
  const found = asked.data;
  const rows = useMemo(() => (found === undefined ? null : matchesOf(columns, found.rows)), [columns, found]);
  if (!isAsked) return { query: null, matches: words, isLoading: false, error: null };
  const wrong = found?.diagnostics.find(({ severity }) => severity === 'error')?.message ?? null;
  return { query, matches: rows, isLoading: asked.isFetching, error: messageOf(asked.error) ?? wrong };
}

function messageOf(error: Error | null): string | null {
  if (error === null) return null;
  return (error instanceof ApiError ? error.diagnostics[0]?.message : undefined) ?? error.message;
}
