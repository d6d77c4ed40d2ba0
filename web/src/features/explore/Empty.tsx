// Why there is nothing: nothing has ever arrived, nothing matches, or not in this time range; each with the way out.

import { useQueries, useQuery } from '@tanstack/react-query';
import { Inbox, SearchX } from 'lucide-react';
import { overviewQuestion, statusQuestion, type Window } from '../../api/questions.ts';
import type { Chip, Scope } from '../../api/types.ts';
import { mayLookBack } from '../../core/boot.ts';
import { go } from '../../core/navigation.ts';
import { defaults } from '../../core/places.ts';
import { relativeTime } from '../../format/time.ts';
import { queryOf, withoutChip } from '../../query/chips.ts';
import { Button } from '../../ui/Button/Button.tsx';
import { EmptyState } from '../../ui/EmptyState/EmptyState.tsx';
import { timeRangeText } from '../../ui/TimeRangePicker/TimeRangePicker.tsx';
import { text } from './text.ts';
import type { Changes } from './useExplore.ts';

const CHIPS_MAX = 6;
const WIDER = ['24h', '7d'];

/** How many would match without each of the conditions; null where nobody knows. */
function useWithout(chips: readonly Chip[], scope: Scope, window: Window): (number | null)[] {
  const answers = useQueries({
    queries: chips.slice(0, CHIPS_MAX).map((_, at) => ({
      ...overviewQuestion({ q: queryOf(withoutChip(chips, at)), scope, steps: 1, facets: [] }, window),
      enabled: chips.length > 1,
    })),
  });
  return answers.map(({ data }) => data?.points ?? null);
}

type EmptyProps = { chips: readonly Chip[]; scope: Scope; window: Window; nowNs: bigint; changes: Changes };

export function Empty({ chips, scope, window, nowNs, changes }: EmptyProps) {
  const { data: status, isPending } = useQuery(statusQuestion());
  const counts = useWithout(chips, scope, window);
  if (isPending) return null;
  const last = (status?.services ?? []).reduce((max, { lastNs }) => (BigInt(lastNs) > max ? BigInt(lastNs) : max), 0n);
  if (status && last === 0n && status.services.length === 0) {
    return (
      <EmptyState
        icon={Inbox}
        title={text.noData}
        actions={<Button onPress={() => go(defaults.home())}>{text.toHome}</Button>}
      >
        {text.noDataHint}
      </EmptyState>
    );
  }
  const wider = WIDER.filter(mayLookBack).map((range) => (
    <Button key={range} size="small" onPress={() => changes.set({ range: { kind: 'relative', last: range } })}>
      {timeRangeText({ range }, 'UTC')}
    </Button>
  ));
  if (chips.length === 0) {
    return (
      <EmptyState icon={SearchX} title={text.notInRange} actions={wider}>
        {last > 0n && text.lastSeen(relativeTime(last, nowNs))}
      </EmptyState>
    );
  }
  // The condition that keeps out the most stands first.
  const ways = counts
    .map((count, at) => ({ count: count ?? 0, at }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count);
  return (
    <EmptyState
      icon={SearchX}
      title={text.noMatch}
      actions={
        <>
          {ways.map(({ count, at }) => (
            <Button key={at} size="small" onPress={() => changes.setChips(withoutChip(chips, at))}>
              {text.withoutChip(chips[at]?.text ?? '', count)}
            </Button>
          ))}
          {wider}
        </>
      }
    >
      {text.noMatchHint}
    </EmptyState>
  );
}
