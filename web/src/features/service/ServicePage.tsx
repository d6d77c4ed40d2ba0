// The page of a service, put together from its parts; each lives on when another has no answer.

import { SearchX } from 'lucide-react';
import type { EdgesAnswer, OverviewAnswer, RedAnswer, RedSeries } from '../../api/types.ts';
import { useLastSeen } from '../../core/lastSeen.ts';
import { go, hrefOf } from '../../core/navigation.ts';
import { defaults, overRange, placeOfSearch, placeOfService } from '../../core/places.ts';
import { usePreferences } from '../../core/preferences.ts';
import type { Asked as AskedAnswer } from '../../core/ranged.ts';
import { serviceQuery } from '../../core/serviceQuery.ts';
import { nowNs } from '../../format/now.ts';
import { relativeTime } from '../../format/time.ts';
import { courseOf, stepBounds } from '../../model/red.ts';
import { Asked } from '../../ui/Asked/Asked.tsx';
import { EmptyState } from '../../ui/EmptyState/EmptyState.tsx';
import { LinkButton } from '../../ui/LinkButton/LinkButton.tsx';
import { NoData } from '../../ui/NoData/NoData.tsx';
import { RedCharts } from '../../ui/RedCharts/RedCharts.tsx';
import type { ServiceState } from '../../url/index.ts';
import { Instances } from './Instances.tsx';
import { Neighbours } from './Neighbours.tsx';
import { Operations } from './Operations.tsx';
import css from './Service.module.css';
import { ServiceHead } from './ServiceHead.tsx';
import { text } from './text.ts';

export type ServicePageProps = {
  red: AskedAnswer<RedAnswer>;
  operations: AskedAnswer<RedAnswer>;
  edges: AskedAnswer<EdgesAnswer>;
  /** Of all its spans, for what they say of where it runs. */
  instances: AskedAnswer<OverviewAnswer>;
  /** Of a silent service; null: never, undefined: not known. */
  lastHeardNs: string | null | undefined;
  state: ServiceState;
  onChange: (changes: Partial<ServiceState>, options: { replace: boolean }) => void;
};

type ChartsProps = Pick<ServicePageProps, 'state' | 'onChange'> & {
  answer: RedAnswer;
  series: RedSeries;
  toNs: bigint;
};

function Charts({ answer, series, toNs, state, onChange }: ChartsProps) {
  const { zone } = usePreferences();
  const { service, kind } = state;
  const pick = (index: number) =>
    go(
      placeOfSearch({
        q: serviceQuery({ service, kind }),
        range: { kind: 'absolute', ...stepBounds(answer, index) },
        scope: kind === null ? 'entry' : 'spans',
        sort: 'slowest',
      }),
    );
  return (
    <RedCharts
      name={service}
      course={courseOf(series.points, answer)}
      fromNs={BigInt(answer.fromNs)}
      toNs={toNs}
      zone={zone}
      as={state.as}
      onAs={(as) => onChange({ as }, { replace: true })}
      onPick={pick}
      onZoom={(fromNs, to) => onChange({ range: { kind: 'absolute', fromNs, toNs: to } }, { replace: false })}
      headingId="service-over-time"
    />
  );
}

function Quiet({ state, lastHeardNs }: Pick<ServicePageProps, 'state' | 'lastHeardNs'>) {
  const { service, kind } = state;
  const { lastNs: ofAll } = useLastSeen();
  if (ofAll === null) return <NoData homeHref={hrefOf(defaults.home())} />;
  const wider = (last: string) => hrefOf(overRange(placeOfService(service), { kind: 'relative', last }));
  return (
    <EmptyState
      icon={SearchX}
      title={kind === null ? text.quietTitle(service) : text.quietKind(service, kind)}
      actions={
        <>
          {kind !== null && (
            <LinkButton href={hrefOf({ page: 'service', state: { ...state, kind: null } })}>{text.entering}</LinkButton>
          )}
          <LinkButton href={wider('1d')}>{text.lastDay}</LinkButton>
          <LinkButton href={wider('7d')}>{text.lastWeek}</LinkButton>
        </>
      }
    >
      {lastHeardNs === undefined && text.quiet}
      {lastHeardNs === null && text.neverHeard}
      {typeof lastHeardNs === 'string' && text.lastHeard(relativeTime(BigInt(lastHeardNs), nowNs()))}
    </EmptyState>
  );
}

export function ServicePage({ red, operations, edges, instances, lastHeardNs, state, onChange }: ServicePageProps) {
  const series = red.data?.series[0];
  return (
    <div className={css['page']}>
      <ServiceHead red={red} operations={operations.data} state={state} onChange={onChange} />
      <Asked asked={red} failed={text.failed} what={text.what} rows={6} columns="1fr 1fr 1fr">
        {(answer) =>
          series ? (
            <Charts answer={answer} series={series} toNs={red.window.to} state={state} onChange={onChange} />
          ) : (
            <Quiet state={state} lastHeardNs={lastHeardNs} />
          )
        }
      </Asked>
      {series && <Operations asked={operations} state={state} onChange={onChange} />}
      {series && <Neighbours asked={edges} state={state} />}
      {series && <Instances asked={instances} state={state} />}
    </div>
  );
}
