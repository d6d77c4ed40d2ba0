// The name of the service, its numbers, which spans are measured, and the ways on.

import { Network, Search } from 'lucide-react';
import type { RedAnswer, SpanKind } from '../../api/types.ts';
import { hrefOf } from '../../core/navigation.ts';
import { overRange, placeOfMapAround, placeOfSearch, placeOfTrace } from '../../core/places.ts';
import type { Asked as AskedAnswer } from '../../core/ranged.ts';
import { serviceQuery } from '../../core/serviceQuery.ts';
import { serviceColour } from '../../theme/palette.ts';
import { Ago } from '../../ui/Ago/Ago.tsx';
import { LinkButton } from '../../ui/LinkButton/LinkButton.tsx';
import { PageTitle } from '../../ui/PageTitle/PageTitle.tsx';
import { RedNumbers } from '../../ui/RedNumbers/RedNumbers.tsx';
import { Select } from '../../ui/Select/Select.tsx';
import { ServiceDot } from '../../ui/ServiceName/ServiceName.tsx';
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

export function ServiceHead({ red, operations, state, onChange }: ServiceHeadProps) {
  const { service, kind, range } = state;
  const series = red.data?.series[0];
  const scope = kind === null ? 'entry' : 'spans';
  return (
    <header className={css['head']}>
      <div className={css['titleLine']}>
        <PageTitle title={service} routeKey={`service ${service}`}>
          <span className={css['title']}>
            <ServiceDot color={serviceColour(service)} />
            <span className={css['cut']} title={service}>
              {service}
            </span>
          </span>
        </PageTitle>
        <Ago at={red.updatedAt} isWaiting={red.isOld} />
      </div>
      {red.data && series && <RedNumbers series={series} seconds={red.data.seconds} />}
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
