// The columns of attributes beside the names: a column of the server for each field, as numbers by row.

import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import { traceColumnQuestion } from '../../../api/questions.ts';
import type { RowIndex } from '../../../model/columns.ts';
import type { TraceSession } from './session.ts';

export type ValueColumn = {
  readonly field: string;
  readonly textOf: (row: RowIndex) => string;
  readonly isLoading: boolean;
  readonly error: string | null;
};

export function useValueColumns(
  session: TraceSession,
  fields: readonly string[],
  isFile: boolean,
): readonly ValueColumn[] {
  const { traceId, version } = session.columns;
  const client = useQueryClient();
  const { data, isFetching } = useQuery({
    queryKey: ['columns', traceId, version, fields],
    // One question a field, each kept on its own; one that fails does not take the others with it.
    queryFn: () =>
      Promise.allSettled(
        fields.map((field) =>
          client.fetchQuery({
            ...traceColumnQuestion(traceId, field),
            // Not under the key of colours: whoever stops wanting those would cancel this.
            queryKey: ['value column', traceId, version, field],
            staleTime: Number.POSITIVE_INFINITY,
            retry: false,
          }),
        ),
      ),
    enabled: !isFile && fields.length > 0,
    placeholderData: (before) => before,
  });
  return useMemo(
    () =>
      fields.map((field, i): ValueColumn => {
        const answer = data?.[i];
        const column = answer?.status === 'fulfilled' ? answer.value : null;
        return {
          field,
          textOf: (row) => column?.values[(column.rows[row] ?? 0) - 1] ?? '',
          isLoading: isFetching,
          error: answer?.status === 'rejected' ? String(answer.reason?.message ?? answer.reason) : null,
        };
      }),
    [fields, data, isFetching],
  );
}
