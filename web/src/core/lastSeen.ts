// When spans came last, for pages that have nothing to show: it tells an empty store from an empty time.

import { useQuery } from '@tanstack/react-query';
import { statusQuestion } from '../api/questions.ts';

/** Nanoseconds since the epoch; null: never; undefined: not known, yet or at all. */
export type LastSeen = bigint | null | undefined;

/** Of all services, or of one. */
export function useLastSeen(service?: string): { readonly lastNs: LastSeen; readonly isPending: boolean } {
  const { data, isPending } = useQuery(statusQuestion());
  const of = data?.services.filter((one) => service === undefined || one.service === service);
  const lastNs = of?.reduce<bigint | null>((last, one) => {
    const at = BigInt(one.lastNs);
    return last === null || at > last ? at : last;
  }, null);
  return { lastNs, isPending };
}
