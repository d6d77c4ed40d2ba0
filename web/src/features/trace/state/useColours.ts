// What rows are coloured by: their service, or the values of a field that the server has.

import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { traceColumnQuestion } from '../../../api/questions.ts';
import type { RowColours } from '../../../canvas/theme.ts';
import { assignColours, type Slot } from '../../../theme/palette.ts';
import { canvasSlot, type TraceSession } from './session.ts';

type LegendValue = { readonly value: string; readonly slot: Slot; readonly spans: number };

export type PageColours = {
  readonly rows: RowColours;
  /** Null: by service. */
  readonly field: string | null;
  /** The values of the field, the most frequent first. */
  readonly legend: readonly LegendValue[];
  readonly isLoading: boolean;
  readonly error: string | null;
};

export function useColours(session: TraceSession, colour: string, isFile: boolean): PageColours {
  const { columns, slots } = session;
  const isField = colour !== 'service' && !isFile;
  const { data, isFetching, error } = useQuery({
    ...traceColumnQuestion(columns.traceId, colour),
    queryKey: ['column', columns.traceId, columns.version, colour],
    enabled: isField,
    retry: false,
  });
  const byService = useMemo<RowColours>(() => ({ code: columns.service, slotOf: slots }), [columns, slots]);
  const byField = useMemo(() => (data === undefined ? null : coloursOf(data.values, data.rows)), [data]);
  return useMemo(() => {
    const isReady = isField && byField !== null;
    return {
      rows: isReady ? byField.rows : byService,
      field: isReady ? colour : null,
      legend: isReady ? byField.legend : [],
      isLoading: isField && isFetching,
      error: isField ? (error?.message ?? null) : null,
    };
  }, [isField, byField, byService, colour, isFetching, error]);
}

function coloursOf(
  values: readonly string[],
  rows: readonly number[],
): { rows: RowColours; legend: readonly LegendValue[] } {
  const spans = new Uint32Array(values.length + 1);
  for (const code of rows) spans[code] = (spans[code] ?? 0) + 1;
  const sizes = values.map((value, i) => ({ service: value, spans: spans[i + 1] ?? 0 }));
  const slots = assignColours(sizes);
  const slotOf = Int8Array.from([-1, ...values.map((value) => canvasSlot(slots.get(value)))]);
  return {
    rows: { code: Uint32Array.from(rows), slotOf },
    legend: sizes.map(({ service, spans: count }, i) => ({
      value: service,
      slot: slotOf[i + 1] ?? -1,
      spans: count,
    })),
  };
}
