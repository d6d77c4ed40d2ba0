// Spans as they arrive, the newest first.

import { Pause, Play, Square } from 'lucide-react';
import { useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import type { TailSpan, TraceSummary } from '../../api/types.ts';
import type { Zone } from '../../format/time.ts';
import { Button } from '../../ui/Button/Button.tsx';
import { EmptyState } from '../../ui/EmptyState/EmptyState.tsx';
import css from './Results.module.css';
import { Results } from './Results.tsx';
import { type ResultRow, spanRow } from './rows.ts';
import { Tail, type TailState } from './tail.ts';
import { text } from './text.ts';
import type { Changes } from './useExplore.ts';

const NOTHING: TailState = { phase: 'connecting', spans: [], received: 0, dropped: 0, isPaused: false };
const noop = () => () => undefined;

function useTail(q: string): { state: TailState; setPaused: (isPaused: boolean) => void } {
  const [tail, setTail] = useState<Tail | null>(null);
  useEffect(() => {
    const next = new Tail(q);
    setTail(next);
    return () => next.close();
  }, [q]);
  const state = useSyncExternalStore(tail?.subscribe ?? noop, tail?.snapshot ?? (() => NOTHING));
  return { state, setPaused: (isPaused) => tail?.setPaused(isPaused) };
}

/** Of its trace nothing is known but this span. */
function rowOf({ traceId, span }: TailSpan): ResultRow {
  const isError = span.status === 'error';
  const trace: TraceSummary = {
    traceId,
    startNs: span.startNs,
    durationNs: span.durationNs,
    spans: 1,
    errors: isError ? 1 : 0,
    root: null,
    services: [{ service: span.service, spans: 1, errors: isError ? 1 : 0 }],
    isComplete: true,
    matched: [],
    matchedSpans: 1,
  };
  return spanRow(trace, { ...span, columns: [] });
}

type LiveResultsProps = { q: string; zone: Zone; nowNs: bigint; changes: Changes };

export function LiveResults({ q, zone, nowNs, changes }: LiveResultsProps) {
  const { state, setPaused } = useTail(q);
  const rows = useMemo(() => state.spans.map(rowOf), [state.spans]);
  const { phase, received, dropped, isPaused } = state;
  return (
    <>
      <Results
        key={q}
        listKey={`live ${q}`}
        rows={rows}
        scope="spans"
        isLive
        q=""
        cols={[]}
        zone={zone}
        nowNs={nowNs}
        hasDates={false}
        isStale={false}
        empty={<EmptyState isSmall title={phase === 'lost' ? text.liveLost : text.liveConnecting} />}
        changes={changes}
      />
      <div className={css['foot']}>
        <span role="status">{phase === 'lost' ? text.liveLost : text.liveTitle}</span>
        <span className={css['live']}>{text.liveOpen(received)}</span>
        {dropped > 0 && <span>{text.liveDropped(dropped)}</span>}
        <span className={css['footEnd']}>
          <Button size="small" variant="quiet" icon={isPaused ? Play : Pause} onPress={() => setPaused(!isPaused)}>
            {isPaused ? text.liveResume : text.livePause}
          </Button>
          <Button size="small" variant="quiet" icon={Square} onPress={() => changes.set({ live: false })}>
            {text.liveStop}
          </Button>
        </span>
      </div>
    </>
  );
}
