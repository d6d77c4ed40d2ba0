// What the reader can change: every change is a new address, from which everything follows.

import { useMemo, useRef } from 'react';
import type { Scope, Sort } from '../../api/types.ts';
import { go } from '../../core/navigation.ts';
import { conditionOf, plusChip, withoutChip } from '../../query/chips.ts';
import type { RouteOf, TimeRange } from '../../url/index.ts';
import { withConjunct } from '../../url/queryText.ts';
import { type ParsedQuery, useNoteChips } from './useParsedQuery.ts';

export type State = RouteOf<'search'>['state'];

export type Changes = {
  readonly set: (changes: Partial<State>, options?: { replace?: boolean }) => void;
  /** Runs this query; the traces of a list go, since it is about others. */
  readonly run: (q: string) => void;
  readonly setChips: (chips: NonNullable<ParsedQuery['chips']>) => void;
  readonly include: (field: string, literal: string) => void;
  readonly exclude: (field: string, literal: string) => void;
  /** Further conditions as text, and a time range with them where one was chosen. */
  readonly narrow: (conditions: readonly string[], range?: TimeRange) => void;
  /** Whether the query has this condition now. */
  readonly has: (field: string, literal: string) => boolean;
  readonly setScope: (scope: Scope) => void;
  readonly setSort: (sort: Sort) => void;
  readonly setCols: (cols: readonly string[]) => void;
};

export function useExplore(route: RouteOf<'search'>, parsed: ParsedQuery): Changes {
  const noteChips = useNoteChips();
  const latest = useRef({ route, parsed, noteChips });
  latest.current = { route, parsed, noteChips };
  return useMemo(() => {
    const set: Changes['set'] = (changes, options) => {
      const { state } = latest.current.route;
      go({ page: 'search', state: { ...state, ...changes } }, options);
    };
    const run = (q: string) => set({ q, run: true, traces: [] });
    const withText = (q: string, condition: string) => withConjunct(q, condition) ?? q;
    const add = (field: string, literal: string, isExcluded: boolean) => {
      const { route: now, parsed: read } = latest.current;
      const condition = conditionOf(field, literal, isExcluded);
      if (read.chips === null) return run(withText(now.state.q, condition.text));
      const at = read.chips.findIndex(({ text }) => text === condition.text);
      const chips = at >= 0 ? withoutChip(read.chips, at) : plusChip(read.chips, condition);
      run(latest.current.noteChips(chips));
    };
    return {
      set,
      run,
      setChips: (chips) => run(latest.current.noteChips(chips)),
      include: (field, literal) => add(field, literal, false),
      exclude: (field, literal) => add(field, literal, true),
      narrow: (conditions, range) => {
        const q = conditions.reduce(withText, latest.current.route.state.q);
        set({ q, run: true, traces: [], ...(range && { range }) });
      },
      has: (field, literal) => {
        const condition = conditionOf(field, literal).text;
        return latest.current.parsed.chips?.some(({ text }) => text === condition) ?? false;
      },
      setScope: (scope) => set({ scope }),
      setSort: (sort) => set({ sort }),
      setCols: (cols) => set({ cols }),
    };
  }, []);
}
