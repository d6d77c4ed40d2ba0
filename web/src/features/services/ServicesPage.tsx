// The table of all services with its filter.

import { SearchX } from 'lucide-react';
import { useEffect } from 'react';
import type { RedAnswer } from '../../api/types.ts';
import { useLastSeen } from '../../core/lastSeen.ts';
import { go, hrefOf } from '../../core/navigation.ts';
import { defaults, overRange, placeOfService } from '../../core/places.ts';
import type { Asked as AskedAnswer } from '../../core/ranged.ts';
import { nowNs } from '../../format/now.ts';
import { courseOf, statOfSeries } from '../../model/red.ts';
import { serviceColour } from '../../theme/palette.ts';
import { Ago } from '../../ui/Ago/Ago.tsx';
import { Asked } from '../../ui/Asked/Asked.tsx';
import { Button } from '../../ui/Button/Button.tsx';
import { EmptyState } from '../../ui/EmptyState/EmptyState.tsx';
import { LinkButton } from '../../ui/LinkButton/LinkButton.tsx';
import { announce } from '../../ui/LiveRegion/LiveRegion.tsx';
import { lastSeenText, NoData } from '../../ui/NoData/NoData.tsx';
import { PageTitle } from '../../ui/PageTitle/PageTitle.tsx';
import { type RedRow, RedTable } from '../../ui/RedTable/RedTable.tsx';
import { SearchField } from '../../ui/SearchField/SearchField.tsx';
import { ServiceDot } from '../../ui/ServiceName/ServiceName.tsx';
import type { ServicesState } from '../../url/index.ts';
import css from './Services.module.css';
import { text } from './text.ts';

export type ServicesPageProps = {
  asked: AskedAnswer<RedAnswer>;
  state: ServicesState;
  onChange: (changes: Partial<ServicesState>) => void;
};

function rowsOf(answer: RedAnswer, { range, find }: ServicesState): RedRow[] {
  const wanted = find.trim().toLowerCase();
  return answer.series
    .filter(({ service }) => service.toLowerCase().includes(wanted))
    .map((series) => ({
      key: series.service,
      name: series.service,
      href: hrefOf(overRange(placeOfService(series.service), range)),
      lead: <ServiceDot color={serviceColour(series.service)} />,
      stat: statOfSeries(series, answer.seconds),
      course: courseOf(series.points, answer),
    }));
}

function Nothing({ state, onChange, isAnyThere }: Omit<ServicesPageProps, 'asked'> & { isAnyThere: boolean }) {
  const { lastNs } = useLastSeen();
  if (isAnyThere) {
    return (
      <EmptyState
        icon={SearchX}
        title={text.noMatch(state.find)}
        actions={<Button onPress={() => onChange({ find: '' })}>{text.clearFilter}</Button>}
      />
    );
  }
  if (lastNs === null) return <NoData homeHref={hrefOf(defaults.home())} />;
  const wider = (last: string) => hrefOf(overRange(defaults.services(), { kind: 'relative', last }));
  return (
    <EmptyState
      icon={SearchX}
      title={text.quietTitle}
      actions={
        <>
          <LinkButton href={wider('1d')}>{text.lastDay}</LinkButton>
          <LinkButton href={wider('7d')}>{text.lastWeek}</LinkButton>
        </>
      }
    >
      {lastNs === undefined ? text.quiet : lastSeenText(lastNs, nowNs())}
    </EmptyState>
  );
}

/** Who does not see the rows hears how many a filter leaves. */
function useCountSaid(asked: AskedAnswer<RedAnswer>, state: ServicesState): void {
  const { find } = state;
  const count = asked.data && rowsOf(asked.data, state).length;
  useEffect(() => {
    if (find !== '' && count !== undefined) announce(text.found(count));
  }, [find, count]);
}

export function ServicesPage({ asked, state, onChange }: ServicesPageProps) {
  useCountSaid(asked, state);
  return (
    <div className={css['page']}>
      <div className={css['tools']}>
        <PageTitle title={text.title} routeKey="services" />
        <SearchField
          label={text.filter}
          value={state.find}
          onChange={(find) => onChange({ find })}
          className={css['filter']}
        />
        <Ago at={asked.updatedAt} isWaiting={asked.isOld} />
      </div>
      <Asked asked={asked} failed={text.failed} what={text.what} rows={16} columns="3fr 1fr 1fr 1fr 1fr 1fr">
        {(answer) => (
          <RedTable
            caption={text.caption}
            nameHeader={text.service}
            rows={rowsOf(answer, state)}
            extras={['impact', 'p99', 'change', 'trend']}
            sort={state.sort}
            onSort={(sort) => onChange({ sort })}
            onOpen={({ key }) => go(overRange(placeOfService(key), state.range))}
            empty={<Nothing state={state} onChange={onChange} isAnyThere={answer.series.length > 0} />}
            className={css['table']}
          />
        )}
      </Asked>
    </div>
  );
}
