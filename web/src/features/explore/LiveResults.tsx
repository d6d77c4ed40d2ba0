// Spans as they arrive, the newest first.

import { Pause, Play, Square } from 'lucide-react';
import { useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import { curlOf } from '../../api/client.ts';
import type { Scope, TailSpan, TraceSummary } from '../../api/types.ts';
import type { Zone } from '../../format/time.ts';
import { Button } from '../../ui/Button/Button.tsx';
import { EmptyState } from '../../ui/EmptyState/EmptyState.tsx';
import { ErrorBox } from '../../ui/ErrorBox/ErrorBox.tsx';
import css from './Results.module.css';
import { Results } from './Results.tsx';
import { type ResultRow, spanRow } from './rows.ts';
import { NOTHING_YET, Tail, type TailState } from './tail.ts';
import { text } from './text.ts';
import type { Changes } from './useExplore.ts';

const noop = () => () => undefined;

/** What is followed is known by its key: the columns of a link are another array at every look. */
function useTail(key: string): { state: TailState; tail: Tail | null } {
  const [tail, setTail] = useState<Tail | null>(null);
  useEffect(() => {
    const next = new Tail(JSON.parse(key));
    setTail(next);
    return () => next.close();
  }, [key]);
  const state = useSyncExternalStore(tail?.subscribe ?? noop, tail?.snapshot ?? (() => NOTHING_YET));
  return { state, tail };
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
  return spanRow(trace, span);
}

type LiveResultsProps = {
  q: string;
  scope: Scope;
  cols: readonly string[];
  zone: Zone;
  nowNs: bigint;
  changes: Changes;
};

export function LiveResults({ q, scope, cols, zone, nowNs, changes }: LiveResultsProps) {
  const key = JSON.stringify({ q, scope, cols });
  const { state, tail } = useTail(key);
  const rows = useMemo(() => state.spans.map(rowOf), [state.spans]);
  const { phase, received, dropped, isPaused, error } = state;
  return (
    <>
      {error && tail && (
        <ErrorBox
          title={text.liveRefused}
          message={error.message}
          hint={error.hint}
          curl={curlOf(tail.url)}
          onRetry={tail.retry}
        />
      )}
      <Results
        key={key}
        listKey={`live ${key}`}
        rows={rows}
        scope="spans"
        isLive
        q=""
        cols={cols}
        zone={zone}
        nowNs={nowNs}
        hasDates={false}
        isStale={false}
        empty={error ? null : <EmptyState isSmall title={phase === 'lost' ? text.liveLost : text.liveConnecting} />}
        changes={changes}
      />
      <div className={css['foot']}>
        <span role="status">{footOf(phase)}</span>
        {phase !== 'refused' && <span className={css['live']}>{text.liveOpen(received)}</span>}
        {dropped > 0 && <span>{text.liveDropped(dropped)}</span>}
        <span className={css['footEnd']}>
          {phase !== 'refused' && (
            <Button
              size="small"
              variant="quiet"
              icon={isPaused ? Play : Pause}
              onPress={() => tail?.setPaused(!isPaused)}
            >
              {isPaused ? text.liveResume : text.livePause}
            </Button>
          )}
          <Button size="small" variant="quiet" icon={Square} onPress={() => changes.set({ live: false })}>
            {text.liveStop}
          </Button>
        </span>
      </div>
    </>
  );
}

function footOf(phase: TailState['phase']): string {
  if (phase === 'refused') return text.liveRefused;
  return phase === 'lost' ? text.liveLost : text.liveTitle;
}
