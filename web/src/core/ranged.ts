// Questions about a time range, asked as of now: each time such a question is asked again, "the last hour" is another
// hour. The answer carries the window that it is about, and is kept under the range as the link says it.

import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';
import { ApiError, curlOf } from '../api/client.ts';
import type { Window } from '../api/questions.ts';
import { nowNs } from '../format/now.ts';
import { resolveRange, type TimeRange } from '../url/index.ts';
import { printInstant } from '../url/timeRange.ts';

type Question<T> = {
  readonly queryKey: readonly unknown[];
  readonly queryFn: (context: { signal: AbortSignal }) => Promise<T>;
};

/** What a page needs to show an answer in each of its states. */
export type Asked<T> = {
  /** The last answer, also while another one is under way. */
  readonly data: T | undefined;
  /** What `data` is about. */
  readonly window: Window;
  /** Milliseconds since the epoch at which `data` came; 0: never. */
  readonly updatedAt: number;
  /** What is shown is of another range, until its own answer comes. */
  readonly isOld: boolean;
  readonly isWaiting: boolean;
  readonly error: { readonly message: string; readonly hint: string | null; readonly curl: string | undefined } | null;
  readonly retry: () => void;
  readonly cancel: () => void;
};

export type AskedOptions<T> = {
  /** Asks again, as long as the page is seen. */
  readonly everyMs?: number | ((data: T | undefined) => number);
  readonly isEnabled?: boolean;
};

const NOWHEN: Window = { from: 0n, to: 0n };

/** What tells one range from another. */
export function rangeKey(range: TimeRange): string {
  if (range.kind === 'relative') return range.last;
  return `${printInstant(range.fromNs)} ${range.toNs === null ? 'now' : printInstant(range.toNs)}`;
}

export function errorOf(error: Error | null): Asked<unknown>['error'] {
  if (error === null) return null;
  const isOurs = error instanceof ApiError;
  return {
    message: error.message,
    hint: isOurs ? error.hint : null,
    curl: isOurs && error.url !== '' ? curlOf(error.url) : undefined,
  };
}

type Told<T> = { readonly window: Window; readonly data: T };

function useTold<T>(
  queryKey: readonly unknown[],
  queryFn: (signal: AbortSignal) => Promise<Told<T>>,
  { everyMs, isEnabled = true }: AskedOptions<T>,
): Asked<T> {
  const client = useQueryClient();
  const query = useQuery<Told<T>>({
    queryKey,
    queryFn: ({ signal }) => queryFn(signal),
    // Of the same question about another range; what is asked about another thing never stands for it.
    placeholderData: (before, asked) =>
      JSON.stringify(asked?.queryKey.slice(2)) === JSON.stringify(queryKey.slice(2)) ? before : undefined,
    enabled: isEnabled,
    refetchInterval: (asked) => (typeof everyMs === 'function' ? everyMs(asked.state.data?.data) : (everyMs ?? false)),
  });
  const { refetch } = query;
  const retry = useCallback(() => void refetch(), [refetch]);
  return {
    data: query.data?.data,
    window: query.data?.window ?? NOWHEN,
    updatedAt: query.dataUpdatedAt,
    isOld: query.isPlaceholderData,
    isWaiting: query.isFetching,
    error: errorOf(query.error),
    retry,
    cancel: () => void client.cancelQueries({ queryKey }),
  };
}

/** Asks about a range; the question's own key is taken without a window. */
export function useRanged<T>(
  range: TimeRange,
  ask: (window: Window) => Question<T>,
  options: AskedOptions<T> = {},
): Asked<T> {
  const key = ['ranged', rangeKey(range), ...ask(NOWHEN).queryKey];
  const told = async (signal: AbortSignal) => {
    const { fromNs, toNs } = resolveRange(range, nowNs());
    const window = { from: fromNs, to: toNs };
    return { window, data: await ask(window).queryFn({ signal }) };
  };
  return useTold(key, told, options);
}

/** A question that is about no range. */
export function useAsked<T>(question: Question<T>, options: AskedOptions<T> = {}): Asked<T> {
  const told = async (signal: AbortSignal) => ({ window: NOWHEN, data: await question.queryFn({ signal }) });
  return useTold(['asked', '', ...question.queryKey], told, options);
}
