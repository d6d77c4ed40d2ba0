// The query of the page as the server reads it. Chips that were just changed are known before the server has answered.

import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import { queryQuestion } from '../../api/questions.ts';
import type { Chip, Diagnostic, QueryAnswer } from '../../api/types.ts';
import { queryOf } from '../../query/chips.ts';

export type ParsedQuery = {
  /** Null: it has errors, or nobody has read it yet. */
  readonly chips: readonly Chip[] | null;
  readonly diagnostics: readonly Diagnostic[];
};

const NONE: ParsedQuery = { chips: [], diagnostics: [] };

export function useParsedQuery(q: string): ParsedQuery {
  const { data, isError, isPlaceholderData } = useQuery({
    ...queryQuestion(q),
    enabled: q !== '',
    placeholderData: keepPreviousData,
  });
  return useMemo(() => {
    if (q === '') return NONE;
    // The reader of queries is out: the text stays one chip, and the search says what is wrong.
    if (isError) return { chips: [{ text: bare(q), comparison: null }], diagnostics: [] };
    if (!data) return { chips: null, diagnostics: [] };
    const isBroken = data.diagnostics.some(({ severity }) => severity === 'error');
    return { chips: isBroken ? null : data.chips, diagnostics: isPlaceholderData ? [] : data.diagnostics };
  }, [q, data, isError, isPlaceholderData]);
}

function bare(q: string): string {
  return /^\s*\{([^{}]*)\}\s*$/s.exec(q)?.[1]?.trim() ?? q;
}

/** Notes what chips make, so that they are shown while the server reads their text. */
export function useNoteChips(): (chips: readonly Chip[]) => string {
  const client = useQueryClient();
  return (chips) => {
    const q = queryOf(chips);
    const answer: QueryAnswer = { canonical: q, chips: [...chips], diagnostics: [] };
    // As of the beginning of time: it is asked for all the same.
    client.setQueryData(['query', q], (known: QueryAnswer | undefined) => known ?? answer, { updatedAt: 1 });
    return q;
  };
}
