// What the matching spans are made of: fields with their values and counts. Any value includes or excludes itself.

import { Plus } from 'lucide-react';
import { Suspense, useState } from 'react';
import type { Facet } from '../../api/types.ts';
import { prefer, preferences, usePreferences } from '../../core/preferences.ts';
import { formatPercent } from '../../format/number.ts';
import { Button } from '../../ui/Button/Button.tsx';
import { Popover, PopoverTrigger } from '../../ui/Popover/Popover.tsx';
import { SearchField } from '../../ui/SearchField/SearchField.tsx';
import { Skeleton } from '../../ui/Skeleton/Skeleton.tsx';
import { FacetGroup } from './FacetGroup.tsx';
import css from './Facets.module.css';
import { AddFacet } from './lazies.ts';
import { text } from './text.ts';
import type { Changes } from './useExplore.ts';

function toggleStar(field: string): void {
  const { starred } = preferences();
  prefer({ starred: starred.includes(field) ? starred.filter((one) => one !== field) : [...starred, field] });
}

type FacetsProps = {
  /** Null while nothing is known. */
  facets: readonly Facet[] | null;
  share: number;
  isStale: boolean;
  /** False: only which values there are is known. */
  isCounted?: boolean;
  others: readonly string[];
  cols: readonly string[];
  changes: Changes;
};

export function Facets({ facets, share, isStale, isCounted = true, others, cols, changes }: FacetsProps) {
  const [typed, setTyped] = useState('');
  const { starred } = usePreferences();
  const wanted = typed.trim().toLowerCase();
  return (
    <div className={css['facets']} data-stale={isStale || undefined}>
      <div className={css['search']}>
        <SearchField label={text.facetSearch} value={typed} onChange={setTyped} />
      </div>
      {/* Scrolls by keys, too. */}
      <div className={css['scroller']} tabIndex={-1}>
        {facets === null && <Skeleton rows={16} columns="3fr 1fr" />}
        {isCounted && facets?.some(({ values }) => values.length > 0) && (
          <p className={css['unit']} title={text.facetUnitLong}>
            {text.facetUnit}
          </p>
        )}
        {facets?.map((facet) => (
          <FacetGroup
            key={facet.field}
            facet={facet}
            wanted={wanted}
            isCounted={isCounted}
            isStarred={starred.includes(facet.field)}
            onStar={() => toggleStar(facet.field)}
            changes={changes}
            onColumn={cols.includes(facet.field) ? undefined : () => changes.setCols([...cols, facet.field])}
          />
        ))}
        {facets !== null && others.length > 0 && (
          <PopoverTrigger>
            <Button size="small" variant="quiet" icon={Plus} className={css['add']}>
              {text.facetAdd}
            </Button>
            <Popover label={text.facetAdd}>
              {(close) => (
                <Suspense>
                  <AddFacet
                    fields={others}
                    onAdd={(field) => {
                      close();
                      toggleStar(field);
                    }}
                  />
                </Suspense>
              )}
            </Popover>
          </PopoverTrigger>
        )}
        {share < 1 && facets !== null && facets.length > 0 && (
          <p className={css['note']}>{text.facetShare(formatPercent(share))}</p>
        )}
      </div>
    </div>
  );
}
