// The details of what is selected: gets them and shows what is known before they come.

import { ApiError, curlOf, urlOf } from '../../../api/client.ts';
import { spanIdOf } from '../../../model/tree.ts';
import { ErrorBox } from '../../../ui/ErrorBox/ErrorBox.tsx';
import { Skeleton } from '../../../ui/Skeleton/Skeleton.tsx';
import { useTracePage } from '../state/page.tsx';
import css from './Details.module.css';
import { DetailsBody } from './DetailsBody.tsx';
import { DetailsHead } from './DetailsHead.tsx';
import { RunDetails } from './RunDetails.tsx';
import { Timing } from './Timing.tsx';
import { text } from './text.ts';
import { useSpanDetails } from './useSpanDetails.ts';

export function DetailsPanel() {
  const { session, selection, state } = useTracePage();
  const { row, isGroup } = selection;
  const { data, error, refetch, isFetching } = useSpanDetails(session, row);
  const isRun = isGroup && state.fold && session.columns.group[row] !== 0;
  const { traceId } = session.columns;
  return (
    <div className={css['panel']}>
      <DetailsHead row={row} details={data ?? null} />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so keys must reach it */}
      <section tabIndex={0} aria-label={isRun ? text.ofRun : text.ofSpan} className={css['scroll']}>
        {isRun ? (
          <RunDetails head={row} />
        ) : (
          <>
            <Timing row={row} />
            {data && <DetailsBody key={`${traceId} ${spanIdOf(session.columns, row)}`} details={data} row={row} />}
            {data === null && <p className={css['note']}>{text.gone}</p>}
            {data === undefined && error === null && <Skeleton rows={8} columns="36% 1fr" label={text.loading} />}
            {error !== null && (
              <ErrorBox
                title={text.failed}
                message={error.message}
                hint={error instanceof ApiError ? error.hint : null}
                isRetrying={isFetching}
                onRetry={() => void refetch()}
                curl={`${curlOf(urlOf(`traces/${traceId}/spans`))} -H 'content-type: application/json' -d '${JSON.stringify({ spans: [spanIdOf(session.columns, row)] })}'`}
              />
            )}
          </>
        )}
      </section>
    </div>
  );
}
