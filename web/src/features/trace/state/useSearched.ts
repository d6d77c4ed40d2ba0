// Where a trace that is not there was looked for: how much is in the store, and since when anything is kept.

import { useQuery } from '@tanstack/react-query';
import { statusQuestion } from '../../../api/questions.ts';
import { lastNs, parseLast } from '../../../url/timeRange.ts';

export type Searched = {
  readonly spans: number;
  /** What the store keeps, in the server's words. */
  readonly retention: string;
  /** Nothing from before is kept; null: age alone takes nothing away. */
  readonly sinceNs: bigint | null;
};

/** Null until it is known. */
export function useSearched(isOn: boolean): Searched | null {
  const { data } = useQuery({ ...statusQuestion(), enabled: isOn, retry: false });
  if (data === undefined) return null;
  const { spans, retention } = data.program.store;
  const age = parseLast(/\bage (\w+)/.exec(retention)?.[1] ?? '');
  return { spans, retention, sinceNs: age === null ? null : BigInt(data.nowNs) - lastNs(age) };
}
