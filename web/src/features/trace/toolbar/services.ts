// Which services are shown, as the address says it: a list of those that are, empty for all.

import { update } from '../state/page.tsx';
import type { TraceSession } from '../state/session.ts';

function shownNames(session: TraceSession, hidden: ReadonlySet<number>): string[] {
  return session.facts.services.filter(({ service }) => !hidden.has(service)).map(({ name }) => name);
}

export function showServices(session: TraceSession, names: readonly string[]): void {
  const all = session.facts.services.length;
  const isAll = names.length === 0 || names.length >= all;
  update({ services: isAll ? [] : [...names], svcFilter: null }, 'push');
}

export function toggleService(session: TraceSession, hidden: ReadonlySet<number>, name: string): void {
  const shown = shownNames(session, hidden);
  showServices(session, shown.includes(name) ? shown.filter((one) => one !== name) : [...shown, name]);
}
