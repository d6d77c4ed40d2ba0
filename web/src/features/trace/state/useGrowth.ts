// A trace whose spans still arrive is asked for again while somebody looks: every two seconds at first, then less
// often. One that looks complete is asked for as well while it is young: asynchronous children end after their parents.
// The server says by the version alone that nothing is new.

import { useEffect, useRef, useState } from 'react';
import { skeletonUrl } from './useTrace.ts';

const EVERY_MS = 2_000;
const EVERY_MS_MAX = 10_000;
/** After this long a trace that is not complete never will be. */
const YOUNG_MS = 10 * 60_000;
/** For this long a complete trace may get late spans. */
const YOUNG_COMPLETE_MS = 60_000;

export type Growing = { readonly traceId: string; readonly endMs: number; readonly isComplete: boolean };

export function mayGrow({ endMs, isComplete }: Growing, nowMs: number): boolean {
  return nowMs - endMs < (isComplete ? YOUNG_COMPLETE_MS : YOUNG_MS);
}

/** True while the trace is watched. */
export function useGrowth(trace: Growing | null, version: string, reload: () => void): boolean {
  const [isWatched, setWatched] = useState(false);
  const latest = useRef(reload);
  latest.current = reload;
  const traceId = trace?.traceId ?? null;
  const endMs = trace?.endMs ?? 0;
  const isComplete = trace?.isComplete ?? true;
  useEffect(() => {
    if (traceId === null || !mayGrow({ traceId, endMs, isComplete }, Date.now())) {
      setWatched(false);
      return;
    }
    setWatched(true);
    let wait = EVERY_MS;
    let timer: ReturnType<typeof setTimeout>;
    const abort = new AbortController();
    const ask = async () => {
      if (!mayGrow({ traceId, endMs, isComplete }, Date.now())) {
        setWatched(false);
        return;
      }
      if (document.visibilityState === 'visible' && (await hasChanged(traceId, version, abort.signal))) {
        latest.current();
        return;
      }
      wait = Math.min(EVERY_MS_MAX, wait * 1.25);
      timer = setTimeout(() => void ask(), wait);
    };
    timer = setTimeout(() => void ask(), wait);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [traceId, endMs, isComplete, version]);
  return isWatched;
}

async function hasChanged(traceId: string, version: string, signal: AbortSignal): Promise<boolean> {
  try {
    const answer = await fetch(skeletonUrl(traceId), {
      headers: { 'if-none-match': `"${version}"` },
      cache: 'no-store',
      signal,
    });
    // Only the head was wanted; the worker reads the body.
    await answer.body?.cancel();
    return answer.status === 200 && answer.headers.get('etag') !== `"${version}"`;
  } catch {
    return false;
  }
}
