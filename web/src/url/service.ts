// The pages about services: `/services`, `/services/<service>` and `/services/<service>/<operation>` with
// `range from to kind`. And those with little to say: Home and Status.

import type { SpanKind } from '../api/types.ts';
import { choice, custom, type Fields, optionalText, timeRange } from './fields.ts';
import type { HomeState, ServiceState, ServicesState, StatusState } from './state.ts';

const KINDS: readonly SpanKind[] = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'];

export const HOME: Fields<HomeState> = { range: timeRange('1h') };

export const SERVICES: Fields<ServicesState> = { range: timeRange('1h') };

export const SERVICE: Fields<Omit<ServiceState, 'service'>> = {
  range: timeRange('1h'),
  kind: custom<SpanKind | null>('kind', null, parseKind, (kind) => kind ?? ''),
};

export const STATUS: Fields<StatusState> = {
  tab: choice<StatusState['tab']>('tab', ['overview', 'quality']),
  service: optionalText('service'),
  range: timeRange('48h'),
};

/** `server`, in any case. */
export function parseKind(value: string): SpanKind | null {
  return KINDS.find((kind) => kind === value.toLowerCase()) ?? null;
}
