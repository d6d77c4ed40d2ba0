// Why there is nothing: nothing has ever arrived, nothing matches, or not in this time range; each with the way out.

import { SearchX } from 'lucide-react';
import type { Window } from '../../api/questions.ts';
import type { Chip, Scope } from '../../api/types.ts';
import { mayLookBack } from '../../core/boot.ts';
import { useLastSeen } from '../../core/lastSeen.ts';
import { hrefOf } from '../../core/navigation.ts';
import { defaults } from '../../core/places.ts';
import { withoutChip } from '../../query/chips.ts';
import { Button } from '../../ui/Button/Button.tsx';
import { EmptyState } from '../../ui/EmptyState/EmptyState.tsx';
import { lastSeenText, NoData } from '../../ui/NoData/NoData.tsx';
import { timeRangeText } from '../../ui/TimeRangePicker/TimeRangePicker.tsx';
import { lastNs as lengthNs } from '../../url/timeRange.ts';
import { text } from './text.ts';
import type { Changes } from './useExplore.ts';
import { useWithout } from './useWithout.ts';

const WIDER = ['24h', '7d'];
/** Shown of the time in which something came last. */
const BEFORE_LAST_NS = 3_600_000_000_000n;

type EmptyProps = { chips: readonly Chip[]; scope: Scope; window: Window; nowNs: bigint; changes: Changes };

export function Empty({ chips, scope, window, nowNs, changes }: EmptyProps) {
  const { lastNs, isPending } = useLastSeen();
  const without = useWithout(chips, scope, window);
  if (isPending) return null;
  if (lastNs === null) return <NoData homeHref={hrefOf(defaults.home())} />;
  const isLonger = (range: string) => nowNs - lengthNs(range) < window.from || window.to < nowNs;
  const wider = WIDER.filter((range) => mayLookBack(range) && isLonger(range)).map((range) => (
    <Button key={range} size="small" onPress={() => changes.set({ range: { kind: 'relative', last: range } })}>
      {timeRangeText({ range }, 'UTC')}
    </Button>
  ));
  const all = without?.all ?? null;
  const isTimeEmpty = all === null ? lastNs !== undefined && lastNs < window.from : all === 0;
  if (chips.length === 0 || isTimeEmpty) {
    return (
      <EmptyState
        icon={SearchX}
        title={text.notInRange}
        actions={
          <>
            {lastNs !== undefined && lastNs < window.from && (
              <Button
                size="small"
                onPress={() =>
                  changes.set({ range: { kind: 'absolute', fromNs: lastNs - BEFORE_LAST_NS, toNs: lastNs + 1n } })
                }
              >
                {text.showLast}
              </Button>
            )}
            {wider}
          </>
        }
      >
        {lastNs !== undefined && lastSeenText(lastNs, nowNs)}
      </EmptyState>
    );
  }
  // The condition that keeps out the most stands first; one that can't be counted can be dropped all the same.
  const ways = (without?.counts ?? [])
    .map((count, at) => ({ count, at }))
    .filter(({ count }) => count !== 0)
    .sort((a, b) => (b.count ?? 0) - (a.count ?? 0));
  return (
    <EmptyState
      icon={SearchX}
      title={text.noMatch}
      actions={
        <>
          {ways.map(({ count, at }, i) => (
            <Button
              key={at}
              size="small"
              variant={i === 0 && count !== null ? 'primary' : undefined}
              onPress={() => changes.setChips(withoutChip(chips, at))}
            >
              {text.withoutChip(chips[at]?.text ?? '', count)}
            </Button>
          ))}
          {wider}
        </>
      }
    >
      {ways.length > 0 ? text.noMatchHint : text.noMatchAny}
    </EmptyState>
  );
}
