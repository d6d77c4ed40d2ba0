// The charts of the page in all their states.

import { ApiError, curlOf } from '../../api/client.ts';
import type { Scope } from '../../api/types.ts';
import { usePreferences } from '../../core/preferences.ts';
import type { Zone } from '../../format/time.ts';
import { Banner } from '../../ui/Banner/Banner.tsx';
import { ErrorBox } from '../../ui/ErrorBox/ErrorBox.tsx';
import { Skeleton } from '../../ui/Skeleton/Skeleton.tsx';
import css from './Charts.module.css';
import { Charts } from './Charts.tsx';
import { text } from './text.ts';
import type { Changes } from './useExplore.ts';
import { type AllMatches, isNotHere, isUncounted } from './useOverview.ts';

type OverviewChartsProps = { all: AllMatches; zone: Zone; scope: Scope; changes: Changes };

export function OverviewCharts({ all, zone, scope, changes }: OverviewChartsProps) {
  const { charts } = usePreferences();
  const { overview, error } = all;
  if (charts === 'hidden') return null;
  if (isNotHere(error)) return null;
  if (isUncounted(error)) return <Banner>{text.chartsUncounted}</Banner>;
  if (error && (!overview || all.isStale)) {
    return (
      <ErrorBox
        title={text.chartsFailed}
        message={error.message}
        {...(error instanceof ApiError && { hint: error.hint, curl: curlOf(error.url) })}
        onRetry={all.retry}
        isRetrying={all.isRetrying}
      />
    );
  }
  if (!overview) {
    return (
      <div className={css['waiting']}>
        <Skeleton rows={6} columns="1fr" />
      </div>
    );
  }
  if (overview.points === 0 && !all.isStale) return null;
  return <Charts asTable={charts === 'table'} isStale={all.isStale} {...{ overview, zone, scope, changes }} />;
}
