// Services: all of them with rate, errors and durations, to be sorted and searched.

import { redQuestion } from '../../api/questions.ts';
import { go } from '../../core/navigation.ts';
import { useRanged } from '../../core/ranged.ts';
import type { RouteOf, ServicesState } from '../../url/index.ts';
import { ServicesPage } from './ServicesPage.tsx';

const EVERY_MS = 30_000;
/** Of the small courses in the table. */
const STEPS = 30;

export default function Services({ route }: { route: RouteOf<'services'> }) {
  const { state } = route;
  const asked = useRanged(state.range, (window) => redQuestion({ by: 'service', steps: STEPS }, window), {
    everyMs: EVERY_MS,
  });
  const change = (changes: Partial<ServicesState>) =>
    go({ page: 'services', state: { ...state, ...changes } }, { replace: true });
  return <ServicesPage asked={asked} state={state} onChange={change} />;
}
