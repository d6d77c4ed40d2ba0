// How many would match without each of the conditions: what an empty list says about its query. Asked only then, of at
// most eight conditions, two at a time.

import { useQuery, useQueryClient } from '@tanstack/react-query';
import { overviewQuestion, type Window } from '../../api/questions.ts';
import type { Chip, Scope } from '../../api/types.ts';
import { queryOf, withoutChip } from '../../query/chips.ts';

export const CONDITIONS_MAX = 8;
const AT_ONCE = 2;

export type Without = {
  /** By condition; null where nobody knows. */
  readonly counts: readonly (number | null)[];
  /** In this time at all; null where nobody knows. */
  readonly all: number | null;
};

export function useWithout(chips: readonly Chip[], scope: Scope, window: Window): Without | undefined {
  const client = useQueryClient();
  // A single condition is left out by asking for everything.
  const queries = chips.slice(0, CONDITIONS_MAX).map((_, at) => queryOf(withoutChip(chips, at)));
  const { data } = useQuery({
    queryKey: ['without', scope, queries, `${window.from}-${window.to}`],
    queryFn: async () => {
      const count = async (q: string): Promise<number | null> => {
        const asked = overviewQuestion({ q, scope, steps: 1, facets: [] }, window);
        // What can't be counted, or fails, is left out: the list itself has been answered.
        return client.fetchQuery({ ...asked, retry: false }).then(
          ({ points }) => points,
          () => null,
        );
      };
      const found = new Map<string, number | null>();
      const left = ['', ...queries.filter((q) => q !== '')];
      const work = async () => {
        for (let q = left.shift(); q !== undefined; q = left.shift()) {
          found.set(q, await count(q));
          // Where there is nothing at all, no condition is to blame.
          if (q === '' && found.get('') === 0) left.length = 0;
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, work));
      return { counts: queries.map((q) => found.get(q) ?? null), all: found.get('') ?? null };
    },
    enabled: chips.length > 0,
    retry: false,
  });
  return data;
}
