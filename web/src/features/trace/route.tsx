// The page of one trace: gets it, and shows it or says why not.

import type { RouteOf } from '../../url/index.ts';
import { TraceLoading } from './TraceLoading.tsx';

export default function Trace({ route }: { route: RouteOf<'trace'> }) {
  return <TraceLoading key={route.state.traceId} route={route} />;
}
