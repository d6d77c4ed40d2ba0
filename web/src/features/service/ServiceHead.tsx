// The name of the service, its numbers, which spans are measured, and the ways on.

import { Network, Search } from 'lucide-react';
import type { RedAnswer, SpanKind } from '../../api/types.ts';
import { hrefOf } from '../../core/navigation.ts';
import { overRange, placeOfMapAround, placeOfSearch, placeOfTrace } from '../../core/places.ts';
import type { Asked as AskedAnswer } from '../../core/ranged.ts';
import { serviceQuery } from '../../core/serviceQuery.ts';
import { formatDuration } from '../../format/duration.ts';
import { formatPercent, formatRate } from '../../format/number.ts';
import { statOfSeries } from '../../model/red.ts';
import { cssColourOf, preferredSlot } from '../../theme/palette.ts';
import { Ago } from '../../ui/Ago/Ago.tsx';
import { LinkButton } from '../../ui/LinkButton/LinkButton.tsx';
import { PageTitle } from '../../ui/PageTitle/PageTitle.tsx';
import { changeWords } from '../../ui/RedTable/text.ts';
import { Select } from '../../ui/Select/Select.tsx';
import { ServiceDot } from '../../ui/ServiceName/ServiceName.tsx';
import { Stat } from '../../ui/Stat/Stat.tsx';
import type { ServiceState } from '../../url/index.ts';
import css from './Service.module.css';
import { text } from './text.ts';

type ServiceHeadProps = {
  red: AskedAnswer<RedAnswer>;
  operations: RedAnswer | undefined;
  state: ServiceState;
  onChange: (changes: Partial<ServiceState>, options: { replace: boolean }) => void;
};

const KINDS: readonly SpanKind[] = ['server', 'consumer', 'client', 'producer', 'internal', 'unspecified'];
const ENTERING = 'entering';

function KindSelect({ operations, state, onChange }: Omit<ServiceHeadProps, 'red'>) {
  const there = new Set(operations?.series.map(({ kind }) => kind));
  const kinds = KINDS.filter((kind) => there.has(kind) || kind === state.kind);
  return (
    <Select
      label={text.measured}
      size="small"
      items={[
        { id: ENTERING, label: text.entering },
        ...kinds.map((kind) => ({ id: kind as string, label: text.kind(kind) })),
      ]}
      value={state.kind ?? ENTERING}
      onChange={(id) => onChange({ kind: KINDS.find((kind) => kind === id) ?? null }, { replace: false })}
    />
  );
}

function Numbers({ answer }: { answer: RedAnswer }) {
  const series = answer.series[0];
  if (!series) return null;
  const stat = statOfSeries(series, answer.seconds);
  const { change } = stat;
  return (
    <div className={css['numbers']}>
      <Stat label={text.rate} value={formatRate(stat.perSecond)} />
      <Stat
        label={text.errors}
        value={formatPercent(stat.errorShare)}
        tone={stat.errorShare >= 0.01 ? 'error' : 'normal'}
      />
      <Stat label="p50" value={formatDuration(stat.p50)} />
      <Stat
        label="p95"
        value={formatDuration(stat.p95)}
        change={change ? text.vsDayBefore(changeWords(change.ratio)) : undefined}
        tone={change && change.ratio >= 1.5 ? 'warn' : 'normal'}
      />
      <Stat label="p99" value={formatDuration(stat.p99)} />
    </div>
  );
}

export function ServiceHead({ red, operations, state, onChange }: ServiceHeadProps) {
  const { service, kind, range } = state;
  const series = red.data?.series[0];
  const scope = kind === null ? 'entry' : 'spans';
  return (
    <header className={css['head']}>
      <div className={css['titleLine']}>
        <PageTitle title={service} routeKey={`service ${service}`}>
          <span className={css['title']}>
            <ServiceDot color={cssColourOf(preferredSlot(service))} />
            <span className={css['cut']} title={service}>
              {service}
            </span>
          </span>
        </PageTitle>
        <Ago at={red.updatedAt} isWaiting={red.isOld} />
      </div>
      {red.data && <Numbers answer={red.data} />}
      <div className={css['ways']}>
        <KindSelect operations={operations} state={state} onChange={onChange} />
        <LinkButton icon={Search} href={hrefOf(placeOfSearch({ q: serviceQuery({ service, kind }), range, scope }))}>
          {text.traces}
        </LinkButton>
        <LinkButton icon={Network} href={hrefOf(overRange(placeOfMapAround(service), range))}>
          {text.map}
        </LinkButton>
        {series?.slowest && <LinkButton href={hrefOf(placeOfTrace(series.slowest))}>{text.slowExample}</LinkButton>}
        {series?.failed && <LinkButton href={hrefOf(placeOfTrace(series.failed))}>{text.failedExample}</LinkButton>}
      </div>
    </header>
  );
}
