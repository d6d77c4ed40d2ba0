// Home with its answer: the line of numbers, what needs a look, all services, what was opened lately.

import type { HomeAnswer, StoreStatus } from '../../api/types.ts';
import { go, hrefOf } from '../../core/navigation.ts';
import { defaults, overRange, placeOfService } from '../../core/places.ts';
import { usePreferences } from '../../core/preferences.ts';
import type { Asked as AskedAnswer } from '../../core/ranged.ts';
import { nowNs } from '../../format/now.ts';
import { relativeTime } from '../../format/time.ts';
import { courseOf, statOfSeries } from '../../model/red.ts';
import { serviceColour } from '../../theme/palette.ts';
import { Ago } from '../../ui/Ago/Ago.tsx';
import { Asked } from '../../ui/Asked/Asked.tsx';
import { EmptyState } from '../../ui/EmptyState/EmptyState.tsx';
import { LinkButton } from '../../ui/LinkButton/LinkButton.tsx';
import { type RedRow, RedTable } from '../../ui/RedTable/RedTable.tsx';
import { ServiceDot } from '../../ui/ServiceName/ServiceName.tsx';
import type { RedSort, TimeRange } from '../../url/index.ts';
import { HeadLine } from './HeadLine.tsx';
import css from './Home.module.css';
import { Looks } from './Looks.tsx';
import { Recent } from './Recent.tsx';
import { text } from './text.ts';

export type HomePageProps = {
  home: AskedAnswer<HomeAnswer>;
  store: StoreStatus | null;
  notReady: string | null;
  range: TimeRange;
  sort: RedSort;
  onSort: (sort: RedSort) => void;
};

function rowsOf({ services }: HomeAnswer, range: TimeRange): RedRow[] {
  return services.series.map((series) => ({
    key: series.service,
    name: series.service,
    href: hrefOf(overRange(placeOfService(series.service), range)),
    lead: <ServiceDot color={serviceColour(series.service)} />,
    stat: statOfSeries(series, services.seconds),
    course: courseOf(series.points, services),
  }));
}

function Services({
  answer,
  range,
  sort,
  onSort,
}: { answer: HomeAnswer } & Omit<HomePageProps, 'home' | 'store' | 'notReady'>) {
  const rows = rowsOf(answer, range);
  return (
    <section aria-labelledby="home-services" className={css['section']}>
      <div className={css['sectionHead']}>
        <h2 id="home-services" className={css['heading']}>
          {text.services}
        </h2>
        <LinkButton variant="quiet" href={hrefOf(overRange(defaults.services(), range))}>
          {text.allServices}
        </LinkButton>
      </div>
      <RedTable
        caption={text.servicesCaption}
        nameHeader={text.service}
        rows={rows}
        extras={['impact', 'change', 'trend']}
        sort={sort}
        onSort={onSort}
        onOpen={({ key }) => go(overRange(placeOfService(key), range))}
        empty={
          <EmptyState
            isSmall
            level={3}
            title={text.quietTitle}
            actions={
              <LinkButton href={hrefOf(overRange(defaults.home(), { kind: 'relative', last: '1d' }))}>
                {text.lastDay}
              </LinkButton>
            }
          >
            {answer.lastSpanNs !== null && text.quiet(relativeTime(BigInt(answer.lastSpanNs), nowNs()))}
          </EmptyState>
        }
      />
    </section>
  );
}

export function HomePage({ home, store, notReady, range, sort, onSort }: HomePageProps) {
  const { recent } = usePreferences();
  return (
    <div className={css['page']}>
      <Asked asked={home} failed={text.failed} what={text.what} rows={14} columns="3fr 1fr 1fr 1fr 1fr">
        {(answer) => (
          <>
            <HeadLine answer={answer} store={store} notReady={notReady}>
              <Ago at={home.updatedAt} isWaiting={home.isWaiting && home.isOld} />
            </HeadLine>
            <Looks looks={answer.needsALook} range={range} />
            <Services answer={answer} range={range} sort={sort} onSort={onSort} />
          </>
        )}
      </Asked>
      <Recent traces={recent} />
    </div>
  );
}
