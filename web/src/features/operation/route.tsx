// An operation of a service: how it behaves, how its durations are spread over time, what its time is made of.

import { overviewQuestion, pathQuestion, redQuestion } from '../../api/questions.ts';
import { go } from '../../core/navigation.ts';
import { useRanged } from '../../core/ranged.ts';
import { serviceQuery } from '../../core/serviceQuery.ts';
import { stepsFor } from '../../model/red.ts';
import type { OperationState, RouteOf } from '../../url/index.ts';
import { OperationPage } from './OperationPage.tsx';

const EVERY_MS = 30_000;
const CHART_STEPS = 90;
const HEAT_STEPS = 120;

export default function Operation({ route }: { route: RouteOf<'operation'> }) {
  const { state } = route;
  const { service, operation, kind, range } = state;
  const red = useRanged(
    range,
    (window) => redQuestion({ by: 'operation', service: [service], steps: CHART_STEPS }, window),
    { everyMs: EVERY_MS },
  );
  const q = serviceQuery({ service, operation, kind });
  const overview = useRanged(
    range,
    (window) => {
      const steps = window.to > window.from ? stepsFor(window.from, window.to, HEAT_STEPS) : HEAT_STEPS;
      return overviewQuestion({ q, scope: 'spans', steps, facets: [] }, window);
    },
    { everyMs: EVERY_MS },
  );
  const path = useRanged(range, (window) => pathQuestion({ service, operation, kind }, window));
  const fields = path.data?.attributes ?? [];
  const attributes = useRanged(
    range,
    (window) => overviewQuestion({ q, scope: 'spans', steps: 1, facets: fields }, window),
    { isEnabled: fields.length > 0 },
  );
  const change = (changes: Partial<OperationState>, options: { replace: boolean }) =>
    go({ page: 'operation', state: { ...state, ...changes } }, options);
  return (
    <OperationPage
      red={red}
      overview={overview}
      path={path}
      attributes={fields.length > 0 ? attributes : undefined}
      q={q}
      state={state}
      onChange={change}
    />
  );
}
