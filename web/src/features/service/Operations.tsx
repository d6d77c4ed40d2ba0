// The operations of a service by impact: where the time of those who wait goes.

import type { RedAnswer, RedSeries } from '../../api/types.ts';
import { go, hrefOf } from '../../core/navigation.ts';
import { overRange, placeOfOperation, placeOfTrace } from '../../core/places.ts';
import type { Asked as AskedAnswer } from '../../core/ranged.ts';
import { courseOf, ofKind, statOfSeries } from '../../model/red.ts';
import { Asked } from '../../ui/Asked/Asked.tsx';
import { Banner } from '../../ui/Banner/Banner.tsx';
import { EmptyState } from '../../ui/EmptyState/EmptyState.tsx';
import { type RedRow, RedTable } from '../../ui/RedTable/RedTable.tsx';
import type { ServiceState } from '../../url/index.ts';
import css from './Service.module.css';
import { text } from './text.ts';

type OperationsProps = {
  asked: AskedAnswer<RedAnswer>;
  state: ServiceState;
  onChange: (changes: Partial<ServiceState>, options: { replace: boolean }) => void;
};

function placeOfRow({ service, range }: ServiceState, { operation, kind }: RedSeries) {
  const place = overRange(placeOfOperation(service, operation ?? ''), range);
  // The page of an operation measures one kind as well.
  return place.page === 'operation' ? { ...place, state: { ...place.state, kind } } : place;
}

export function Examples({ slowest, failed, name }: { slowest: string | null; failed: string | null; name: string }) {
  return (
    <span className={css['examples']}>
      {slowest !== null && (
        <a href={hrefOf(placeOfTrace(slowest))} aria-label={text.slowestOf(name)} className={css['example']}>
          {text.slowest}
        </a>
      )}
      {failed !== null && (
        <a href={hrefOf(placeOfTrace(failed))} aria-label={text.failingOf(name)} className={css['example']}>
          {text.failing}
        </a>
      )}
    </span>
  );
}

function rowsOf(answer: RedAnswer, state: ServiceState): (RedRow & { series: RedSeries })[] {
  const shown = ofKind(answer.series, state.kind);
  const kinds = new Set(shown.map(({ kind }) => kind));
  return shown.map((series) => ({
    key: `${series.kind} ${series.operation}`,
    name: series.operation ?? '',
    href: hrefOf(placeOfRow(state, series)),
    detail: kinds.size > 1 && series.kind ? text.kind(series.kind) : undefined,
    stat: statOfSeries(series, answer.seconds),
    course: courseOf(series.points, answer),
    ownNs: series.ownNs,
    links: <Examples slowest={series.slowest} failed={series.failed} name={series.operation ?? ''} />,
    series,
  }));
}

export function Operations({ asked, state, onChange }: OperationsProps) {
  return (
    <section aria-labelledby="service-operations" className={css['section']}>
      <h2 id="service-operations" className={css['heading']}>
        {text.operations}
      </h2>
      <Asked asked={asked} failed={text.operationsFailed} rows={6} columns="3fr 1fr 1fr 1fr 1fr">
        {(answer) => {
          const rows = rowsOf(answer, state);
          const seriesOf = new Map(rows.map((row) => [row.key, row.series]));
          return (
            <>
              {!answer.hasAllOperations && <Banner>{text.notAllOperations}</Banner>}
              <RedTable
                caption={text.operationsCaption(state.service)}
                nameHeader={text.operation}
                rows={rows}
                extras={['impact', 'change', 'own', 'trend', 'links']}
                sort={state.sort}
                onSort={(sort) => onChange({ sort }, { replace: true })}
                onOpen={({ key }) => {
                  const series = seriesOf.get(key);
                  if (series) go(placeOfRow(state, series));
                }}
                empty={<EmptyState isSmall level={3} title={text.noOperations} />}
              />
            </>
          );
        }}
      </Asked>
    </section>
  );
}
