// Loads a trace and stands in for it until it is there: shape of rows, how long it takes, what went wrong.

import { Suspense, useEffect } from 'react';
import { rememberTrace } from '../../core/preferences.ts';
import { useRefresh } from '../../core/refresh.ts';
import { PageTitle } from '../../ui/PageTitle/PageTitle.tsx';
import { Skeleton } from '../../ui/Skeleton/Skeleton.tsx';
import { SlowNotice } from '../../ui/SlowNotice/SlowNotice.tsx';
import type { RouteOf } from '../../url/index.ts';
import { TraceFailure } from './lazies.ts';
import { update } from './state/page.tsx';
import { useGrowth } from './state/useGrowth.ts';
import { type LoadFailure, useTrace } from './state/useTrace.ts';
import css from './Trace.module.css';
import { TraceView } from './TraceView.tsx';
import { text } from './text.ts';

export function TraceLoading({ route }: { route: RouteOf<'trace'> }) {
  const { traceId } = route.state;
  useEffect(() => {
    // An id may be short, in capitals or base64; the link to share has it in full. The rest of the link stays.
    if (!decodeURI(location.pathname).endsWith(`/${traceId}`)) update({});
  }, [traceId]);
  const source = useTrace(traceId);
  useRefresh(source.reload);
  const { session, isPartial, failure } = source;
  const columns = session?.columns ?? null;
  const watched =
    columns === null || isPartial || source.fileName !== null
      ? null
      : {
          traceId,
          isComplete: columns.isComplete,
          endMs: Number(columns.startNs / 1_000_000n) + columns.durationNs / 1e6,
        };
  const isWatched = useGrowth(watched, columns?.version ?? '', source.reload);
  const title = session === null ? '' : text.title(session.facts.rootService, session.facts.rootName);
  useEffect(() => {
    if (title !== '') rememberTrace(traceId, title);
  }, [traceId, title]);

  if (session !== null && session.columns.count > 0) {
    const isGrowing = isWatched && !session.columns.isComplete;
    return <TraceView source={source} session={session} route={route} isGrowing={isGrowing} />;
  }
  return (
    <div className={css['page']}>
      <PageTitle
        isHidden
        title={source.isLoading ? text.loading : titleOf(failure, traceId)}
        routeKey={`trace ${traceId}`}
      />
      {failure === null && source.isLoading && (
        <>
          <SlowNotice startedAt={source.startedAt} what={text.loadingWhat} onCancel={source.cancel} />
          <Skeleton rows={16} columns="36% 8% 1fr" label={text.loading} />
        </>
      )}
      {(failure !== null || !source.isLoading) && (
        <Suspense>
          <TraceFailure traceId={traceId} failure={failure} onRetry={source.reload} />
        </Suspense>
      )}
    </div>
  );
}

function titleOf(failure: LoadFailure | null, traceId: string): string {
  if (failure?.status === -1) return text.cancelled;
  if (failure === null) return text.empty;
  return failure.status === 404 ? text.notFoundTitle(traceId) : text.failed;
}
