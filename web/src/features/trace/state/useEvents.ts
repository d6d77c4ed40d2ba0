// All events of a trace by time: from the server, or from the file that the trace is from.

import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { traceEventsQuestion } from '../../../api/questions.ts';
import type { TraceEvent, TraceEventsAnswer } from '../../../api/types.ts';
import { openedTrace } from '../../../core/openedTraces.ts';
import { FLAG, type RowIndex } from '../../../model/columns.ts';
import { eventTimes } from '../../../model/events.ts';
import { findFlags } from '../../../model/find.ts';
import type { TraceSession } from './session.ts';

export type TraceEvents = {
  /** Null until they are known. */
  readonly answer: TraceEventsAnswer | null;
  readonly isLoading: boolean;
  readonly error: Error | null;
  readonly retry: () => void;
};

export function useEvents(session: TraceSession, isOff: boolean): TraceEvents {
  const { columns } = session;
  const flagged = useMemo(() => findFlags(columns, FLAG.hasEvents), [columns]);
  const hasEvents = flagged.count > 0;
  const { queryFn } = traceEventsQuestion(columns.traceId);
  const { data, error, isFetching, refetch } = useQuery({
    queryKey: ['events', columns.traceId, columns.version],
    queryFn: async (context) => {
      const file = openedTrace(columns.traceId);
      if (file === undefined) return queryFn(context);
      const rows: RowIndex[] = [];
      for (let row = flagged.bits.next(0); row >= 0; row = flagged.bits.next(row + 1)) rows.push(row);
      const details = await file.details(rows);
      const events = rows.flatMap((row, at) =>
        (details[at]?.events ?? []).map((event): TraceEvent => ({ row, event })),
      );
      const timeOf = ({ event }: TraceEvent) => BigInt(event.timeNs);
      events.sort((a, b) => (timeOf(a) < timeOf(b) ? -1 : timeOf(a) > timeOf(b) ? 1 : 0));
      return { version: columns.version, events, isAll: true, skipped: [] };
    },
    enabled: hasEvents && !isOff,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
  const none = useMemo<TraceEventsAnswer>(
    () => ({ version: columns.version, events: [], isAll: true, skipped: [] }),
    [columns],
  );
  return {
    answer: hasEvents || isOff ? (data ?? null) : none,
    error,
    isLoading: isFetching,
    retry: () => void refetch(),
  };
}

/** For each row the times of its events; null until they are known. */
export function useEventTimes(session: TraceSession, events: TraceEvents): ((row: RowIndex) => Float64Array) | null {
  const { columns } = session;
  const { answer } = events;
  return useMemo(() => {
    if (answer === null || answer.events.length === 0) return null;
    return eventTimes(
      columns,
      answer.events.map(({ row, event }) => ({ row, timeNs: event.timeNs })),
    );
  }, [columns, answer]);
}
