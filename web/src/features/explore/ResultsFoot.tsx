// How many rows there are, how long it took, whether there are more; and since when it is so.

import { useEffect, useState } from 'react';
import type { Scope } from '../../api/types.ts';
import { relativeTime } from '../../format/time.ts';
import { Button } from '../../ui/Button/Button.tsx';
import css from './Results.module.css';
import { isRunning, type SearchState } from './searchRun.ts';
import { text } from './text.ts';

const STALE_MS = 60_000;

function useClock(everyMs: number): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

type ResultsFootProps = {
  state: SearchState;
  shown: number;
  scope: Scope;
  /** About how many match; null: nobody knows yet. */
  all: number | null;
  nowNs: bigint;
  onMore: () => void;
  onCancel: () => void;
  onRefresh: () => void;
};

export function ResultsFoot({ state, shown, scope, all, nowNs, onMore, onCancel, onRefresh }: ResultsFootProps) {
  const now = useClock(20_000);
  const clockNs = BigInt(now) * 1_000_000n;
  const isOld = clockNs - nowNs > BigInt(STALE_MS) * 1_000_000n;
  const isMore = state.cursor !== null && state.phase === 'done';
  const isPart = (isRunning(state) || isMore) && all !== null && all > shown;
  return (
    <div className={css['foot']}>
      <span role="status">
        {state.phase === 'waiting' && text.searching}
        {/* Nothing was counted: no rows are not none that match. */}
        {state.phase !== 'waiting' &&
          (state.error === null || shown > 0) &&
          (isPart ? text.ofAbout(scope, shown, all) : text.shown(scope, shown))}
      </span>
      {state.phase === 'streaming' && <span className={css['live']}>{text.streaming}</span>}
      {state.phase === 'cancelled' && <span>{text.cancelled(state.elapsedMs)}</span>}
      {isRunning(state) && (
        <Button size="small" variant="quiet" onPress={onCancel}>
          {text.cancel}
        </Button>
      )}
      {isMore && (
        <Button size="small" variant="quiet" onPress={onMore}>
          {state.wasFruitful ? text.more : text.lookFurther}
        </Button>
      )}
      <span className={css['footEnd']}>
        {state.phase === 'done' && <span>{text.elapsed(state.elapsedMs)}</span>}
        {isOld && <span>{text.updated(relativeTime(nowNs, clockNs))}</span>}
        {(isOld || state.phase === 'cancelled') && (
          <Button size="small" variant="quiet" onPress={onRefresh}>
            {state.phase === 'cancelled' ? text.again : text.refresh}
          </Button>
        )}
      </span>
    </div>
  );
}
