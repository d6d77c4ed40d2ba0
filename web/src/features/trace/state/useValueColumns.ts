// The columns of attributes beside the names: a column of the server for each field, as numbers by row.

import { useQueries } from '@tanstack/react-query';
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
  return useQueries({
    queries: fields.map((field) => ({
      ...traceColumnQuestion(traceId, field),
      queryKey: ['column', traceId, version, field],
      enabled: !isFile,
      retry: false,
    })),
    combine: (answers) =>
      answers.map(({ data, isFetching, error }, i) => ({
        field: fields[i] ?? '',
        textOf: (row: RowIndex) => data?.values[(data.rows[row] ?? 0) - 1] ?? '',
        isLoading: isFetching,
        error: error?.message ?? null,
      })),
  });
}
