// The page of one trace: gets it, and shows it or says why not.

import { useEffect } from 'react';
import type { RouteOf } from '../../url/index.ts';
import { fetchLate } from './lazies.ts';
import { warmTraceClient } from './state/client.ts';
import { TraceLoading } from './TraceLoading.tsx';

// This module is fetched when a pointer comes to a link to a trace.
warmTraceClient();

export default function Trace({ route }: { route: RouteOf<'trace'> }) {
  const hasSelection = route.state.span !== null;
  useEffect(() => fetchLate(hasSelection), [hasSelection]);
  return <TraceLoading key={route.state.traceId} route={route} />;
}
