// The view that the address names. All but the waterfall come when they are first wanted.

import { type ReactNode, Suspense } from 'react';
import { Skeleton } from '../../ui/Skeleton/Skeleton.tsx';
import { EventsView, FlameView, Legend, SpanTable, StatsView } from './lazies.ts';
import { useTracePage } from './state/page.tsx';
import css from './Trace.module.css';
import { Waterfall } from './waterfall/Waterfall.tsx';

function LegendLine() {
  return (
    <Suspense fallback={<div className={css['legendRoom']} />}>
      <Legend />
    </Suspense>
  );
}

export function View({ inline }: { inline: ReactNode }) {
  const { state, session } = useTracePage();
  const { view } = state;
  if (view === 'waterfall') {
    return (
      <>
        <Waterfall inline={inline} />
        <LegendLine />
      </>
    );
  }
  return (
    <Suspense fallback={<Skeleton rows={12} />}>
      {view === 'flame' && session.flame !== null && <FlameView flame={session.flame} />}
      {view === 'table' && <SpanTable />}
      {view === 'stats' && <StatsView />}
      {view === 'events' && <EventsView />}
      {view === 'flame' && <LegendLine />}
    </Suspense>
  );
}
