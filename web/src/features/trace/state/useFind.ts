// What the find field means. Words are looked up here in names and services, which is at once, and by the server in all
// that spans hold; a query is asked of the server. A file's trace is looked through here alone.

import { useQuery } from '@tanstack/react-query';
import { useDeferredValue, useMemo } from 'react';
import { ApiError } from '../../../api/client.ts';
import { findQuestion } from '../../../api/questions.ts';
import { findText, type Matches, matchesOf } from '../../../model/find.ts';
import { useDebounced } from '../../../ui/hooks/useDebounced.ts';
import type { TraceSession } from './session.ts';
import { useFindInFile } from './useFindInFile.ts';

export type FindState = {
  readonly query: string | null;
  /** Null: nothing is looked for, or it is not known yet. */
  readonly matches: Matches | null;
  readonly isLoading: boolean;
  readonly error: string | null;
};

const SETTLE_MS = 250;

/** The query that a text is, when it is one: braces, or a comparison. */
function queryOfFind(find: string): string | null {
  const text = find.trim();
  if (text.startsWith('{')) return text;
  return /(?:=|[<>]|&&|\|\|)/.test(text) ? `{ ${text} }` : null;
}

export function useFind(session: TraceSession, find: string, isFile: boolean): FindState {
  const text = useDeferredValue(find.trim());
  const asQuery = queryOfFind(text);
  const query = isFile ? null : asQuery;
  const { columns } = session;
  const inFile = useFindInFile(columns, isFile ? text : '', asQuery);
  const near = useMemo(() => (text === '' || query !== null ? null : findText(columns, text)), [columns, text, query]);
  // The server is not asked for every letter.
  const words = useDebounced(text, SETTLE_MS);
  const isAsked = text !== '' && !isFile && (query !== null || words === text);
  const asked = useQuery({
    ...findQuestion(columns.traceId, query === null ? { words: text } : { q: query }),
    queryKey: ['find', columns.traceId, columns.version, query, text],
    enabled: isAsked,
    retry: false,
  });
  const found = isAsked ? asked.data : undefined;
  const far = useMemo(() => (found === undefined ? null : matchesOf(columns, found.rows)), [columns, found]);
  if (isFile) return inFile;
  const wrong = found?.diagnostics.find(({ severity }) => severity === 'error')?.message ?? null;
  const isLoading = text !== '' && (!isAsked || asked.isFetching);
  return { query, matches: far ?? near, isLoading, error: messageOf(asked.error) ?? wrong };
}

function messageOf(error: Error | null): string | null {
  if (error === null) return null;
  return (error instanceof ApiError ? error.diagnostics[0]?.message : undefined) ?? error.message;
}
