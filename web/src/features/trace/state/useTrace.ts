// Gets a trace: from a file that was opened in this tab, else from the server, through the worker. What has come is
// shown while the rest is on its way, and what is shown stays while a newer version is fetched.

import { useCallback, useEffect, useRef, useState } from 'react';
import { urlOf } from '../../../api/client.ts';
import { openedTrace } from '../../../core/openedTraces.ts';
import { dropTraceClient, traceClient } from './client.ts';
import { TraceSession } from './session.ts';

export type LoadFailure = {
  readonly message: string;
  readonly hint: string | null;
  /** 0: no answer, or none that could be read. */
  readonly status: number;
  readonly url: string;
};

type TraceLoad = {
  readonly session: TraceSession | null;
  /** Rows are still coming. */
  readonly isPartial: boolean;
  readonly isLoading: boolean;
  readonly failure: LoadFailure | null;
  /** Where the trace is from, when it is a file. */
  readonly fileName: string | null;
  readonly startedAt: number;
};

const NOTHING: TraceLoad = {
  session: null,
  isPartial: false,
  isLoading: true,
  failure: null,
  fileName: null,
  startedAt: 0,
};

export type TraceSource = TraceLoad & { readonly reload: () => void; readonly cancel: () => void };

export function useTrace(traceId: string): TraceSource {
  const [load, setLoad] = useState<TraceLoad & { traceId: string }>({ ...NOTHING, traceId, startedAt: now() });
  const running = useRef<AbortController | null>(null);

  const begin = useCallback(() => {
    running.current?.abort();
    const file = openedTrace(traceId);
    const abort = new AbortController();
    running.current = abort;
    if (file !== undefined) {
      const session = new TraceSession(file.columns, file.flame);
      setLoad({ ...NOTHING, traceId, session, isLoading: false, fileName: file.fileName });
      return;
    }
    setLoad((before) => {
      const isSame = before.traceId === traceId;
      return { ...(isSame ? before : NOTHING), traceId, isLoading: true, failure: null, startedAt: now() };
    });
    const isStale = () => abort.signal.aborted;
    void open(traceId, abort.signal, (session, isPartial) => {
      if (isStale()) return;
      setLoad((before) => {
        // A newer version replaces a whole one only when it is whole itself.
        if (isPartial && before.session !== null && !before.isPartial) return before;
        return { ...before, traceId, session, isPartial, isLoading: isPartial, failure: null };
      });
    }).catch(async (error: unknown) => {
      if (isStale()) return;
      const failure = await failureOf(traceId, error);
      if (!isStale()) setLoad((before) => ({ ...before, isLoading: false, failure }));
    });
  }, [traceId]);

  useEffect(() => {
    begin();
    return () => running.current?.abort();
  }, [begin]);

  const cancel = useCallback(() => {
    running.current?.abort();
    const failure: LoadFailure = { message: '', hint: null, status: -1, url: skeletonUrl(traceId) };
    setLoad((before) => ({ ...before, isLoading: false, failure: before.session === null ? failure : null }));
  }, [traceId]);

  // While the address has changed and the effect has not run yet, the old trace is not shown under the new name.
  const shown = load.traceId === traceId ? load : { ...NOTHING, startedAt: now() };
  return { ...shown, reload: begin, cancel };
}

export function skeletonUrl(traceId: string): string {
  return urlOf(`traces/${traceId}/skeleton`);
}

async function open(
  traceId: string,
  signal: AbortSignal,
  show: (session: TraceSession, isPartial: boolean) => void,
): Promise<void> {
  const { columns, flame } = await traceClient().open(skeletonUrl(traceId), {
    signal,
    onPartial: (some) => {
      if (some.count > 0) show(new TraceSession(some, null), true);
    },
  });
  show(new TraceSession(columns, flame), false);
}

async function failureOf(traceId: string, error: unknown): Promise<LoadFailure> {
  const message = error instanceof Error ? error.message : String(error);
  const hint = error instanceof Error && 'hint' in error && typeof error.hint === 'string' ? error.hint : null;
  const url = skeletonUrl(traceId);
  if (/worker/.test(message)) dropTraceClient();
  // The worker passes the server's words on, but not its status.
  const answer = await fetch(url, { method: 'HEAD' }).catch(() => null);
  return { message, hint, url, status: answer?.status ?? 0 };
}

function now(): number {
  return performance.now();
}
