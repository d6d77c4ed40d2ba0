// A trace that is there: head, minimap, tools, one of the five views, details.

import { Suspense, useEffect, useRef } from 'react';
import { usePreferences } from '../../core/preferences.ts';
import { announce } from '../../ui/LiveRegion/LiveRegion.tsx';
import { Skeleton } from '../../ui/Skeleton/Skeleton.tsx';
import type { RouteOf } from '../../url/index.ts';
import { usePlace } from './details/usePlace.ts';
import { Header } from './header/Header.tsx';
import { DetailsPanel, Minimap, Notices, SidePanel, Toolbar, TraceKeys } from './lazies.ts';
import { TracePageProvider } from './state/page.tsx';
import type { TraceSession } from './state/session.ts';
import { usePageState } from './state/usePageState.ts';
import type { TraceSource } from './state/useTrace.ts';
import css from './Trace.module.css';
import { text } from './text.ts';
import { View } from './View.tsx';

type Props = { source: TraceSource; session: TraceSession; route: RouteOf<'trace'>; isGrowing: boolean };

export function TraceView({ source, session, route, isGrowing }: Props) {
  const page = usePageState(session, route, source.isPartial, source.fileName);
  const { panelOpen } = usePreferences();
  const place = usePlace();
  useGrowthSaid(session, source.isPartial);
  const isShown = panelOpen && page.selection.row >= 0;
  const isInline = isShown && place === 'inline' && page.state.view === 'waterfall';
  return (
    <TracePageProvider page={page}>
      <div className={css['page']}>
        <Header />
        <Suspense>
          <Notices source={source} isGrowing={isGrowing} />
        </Suspense>
        {!page.embed.hideMinimap && (
          <Suspense fallback={<div className={css['minimapRoom']} />}>
            {session.flame === null ? <div className={css['minimapRoom']} /> : <Minimap flame={session.flame} />}
          </Suspense>
        )}
        <Suspense fallback={<div className={css['toolsRoom']} />}>
          <Toolbar />
          <TraceKeys />
        </Suspense>
        <div className={css['split']} data-place={place}>
          <div className={css['view']}>
            <View inline={isInline ? <Details /> : null} />
          </div>
          {isShown && !isInline && (
            <Suspense>
              <SidePanel>
                <Details />
              </SidePanel>
            </Suspense>
          )}
        </div>
      </div>
    </TracePageProvider>
  );
}

function Details() {
  return (
    <Suspense fallback={<Skeleton rows={8} columns="36% 1fr" />}>
      <DetailsPanel />
    </Suspense>
  );
}

/** Says how many spans have come since the last version. */
function useGrowthSaid(session: TraceSession, isPartial: boolean): void {
  const { traceId, count } = session.columns;
  const before = useRef({ traceId, count });
  useEffect(() => {
    if (isPartial) return;
    const more = count - before.current.count;
    if (before.current.traceId === traceId && more > 0 && before.current.count > 0) announce(text.grown(more));
    before.current = { traceId, count };
  }, [traceId, count, isPartial]);
}
