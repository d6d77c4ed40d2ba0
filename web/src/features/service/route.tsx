// A service: how it behaves, which of its operations matter, who calls it and whom it calls, where which version runs.

import { edgesQuestion, overviewQuestion, redQuestion, statusQuestion } from '../../api/questions.ts';
import { go } from '../../core/navigation.ts';
import { useAsked, useRanged } from '../../core/ranged.ts';
import { serviceQuery } from '../../core/serviceQuery.ts';
import type { RouteOf, ServiceState } from '../../url/index.ts';
import { INSTANCE_FACETS } from './Instances.tsx';
import { ServicePage } from './ServicePage.tsx';

const EVERY_MS = 30_000;
/** Points of a chart; of the small courses in the table. */
const CHART_STEPS = 90;
const TABLE_STEPS = 30;

export default function Service({ route }: { route: RouteOf<'service'> }) {
  const { state } = route;
  const { service, kind, range } = state;
  const kinds = kind === null ? [] : [kind];
  const red = useRanged(
    range,
    (window) => redQuestion({ by: 'service', service: [service], kind: kinds, steps: CHART_STEPS }, window),
    { everyMs: EVERY_MS },
  );
  // Of all kinds: another choice of kind asks nothing again, and it tells which kinds there are.
  const operations = useRanged(
    range,
    (window) => redQuestion({ by: 'operation', service: [service], steps: TABLE_STEPS }, window),
    { everyMs: EVERY_MS },
  );
  const edges = useRanged(range, edgesQuestion, { everyMs: EVERY_MS });
  const instances = useRanged(
    range,
    (window) =>
      overviewQuestion({ q: serviceQuery({ service }), scope: 'spans', steps: 1, facets: INSTANCE_FACETS }, window),
    { everyMs: EVERY_MS },
  );
  // When it is silent: whether it was ever heard of.
  const status = useAsked(statusQuestion(), { isEnabled: red.data?.series.length === 0 });
  const lastNs = status.data?.services.find((one) => one.service === service)?.lastNs;
  const change = (changes: Partial<ServiceState>, options: { replace: boolean }) =>
    go({ page: 'service', state: { ...state, ...changes } }, options);
  return (
    <ServicePage
      red={red}
      operations={operations}
      edges={edges}
      instances={instances}
      lastHeardNs={status.data === undefined ? undefined : (lastNs ?? null)}
      state={state}
      onChange={change}
    />
  );
}
