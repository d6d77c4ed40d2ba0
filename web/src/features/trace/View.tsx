// The view that the address names. All but the waterfall come when they are first wanted.

import { lazy, type ReactNode, Suspense } from 'react';
import { Skeleton } from '../../ui/Skeleton/Skeleton.tsx';
import { useTracePage } from './state/page.tsx';
import { Legend } from './toolbar/Legend.tsx';
import { Waterfall } from './waterfall/Waterfall.tsx';

const FlameView = lazy(() => import('./flame/FlameView.tsx').then((m) => ({ default: m.FlameView })));
const SpanTable = lazy(() => import('./table/SpanTable.tsx').then((m) => ({ default: m.SpanTable })));
const StatsView = lazy(() => import('./stats/StatsView.tsx').then((m) => ({ default: m.StatsView })));
const EventsView = lazy(() => import('./events/EventsView.tsx').then((m) => ({ default: m.EventsView })));

export function View({ inline }: { inline: ReactNode }) {
  const { state, session } = useTracePage();
  const { view } = state;
  if (view === 'waterfall') {
    return (
      <>
        <Waterfall inline={inline} />
        <Legend />
      </>
    );
  }
  return (
    <Suspense fallback={<Skeleton rows={12} />}>
      {view === 'flame' && session.flame !== null && <FlameView flame={session.flame} />}
      {view === 'table' && <SpanTable />}
      {view === 'stats' && <StatsView />}
      {view === 'events' && <EventsView />}
      {view === 'flame' && <Legend />}
    </Suspense>
  );
}
