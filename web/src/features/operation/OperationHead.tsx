// The name of the operation below that of its service, its numbers, and the ways on.

import { Search } from 'lucide-react';
import type { RedAnswer, RedSeries, SpanKind } from '../../api/types.ts';
import { hrefOf } from '../../core/navigation.ts';
import { overRange, placeOfSearch, placeOfService, placeOfTrace } from '../../core/places.ts';
import type { Asked as AskedAnswer } from '../../core/ranged.ts';
import { serviceColour } from '../../theme/palette.ts';
import { Ago } from '../../ui/Ago/Ago.tsx';
import { LinkButton } from '../../ui/LinkButton/LinkButton.tsx';
import { PageTitle } from '../../ui/PageTitle/PageTitle.tsx';
import { RedNumbers } from '../../ui/RedNumbers/RedNumbers.tsx';
import { SegmentedControl } from '../../ui/SegmentedControl/SegmentedControl.tsx';
import { ServiceDot } from '../../ui/ServiceName/ServiceName.tsx';
import type { OperationState } from '../../url/index.ts';
import css from './Operation.module.css';
import { text } from './text.ts';

type OperationHeadProps = {
  red: AskedAnswer<RedAnswer>;
  series: RedSeries | undefined;
  q: string;
  state: OperationState;
  onChange: (changes: Partial<OperationState>, options: { replace: boolean }) => void;
};

/** One name may be of spans of several kinds: the call, and its answer. */
function Kinds({ red, series, state, onChange }: Omit<OperationHeadProps, 'q'>) {
  const kinds = (red.data?.series ?? [])
    .filter(({ operation }) => operation === state.operation)
    .map(({ kind }) => kind)
    .filter((kind): kind is SpanKind => kind !== null);
  if (kinds.length < 2 || !series?.kind) return null;
  return (
    <SegmentedControl
      label={text.kind}
      items={kinds.map((id) => ({ id, label: id }))}
      value={series.kind}
      onChange={(kind) => onChange({ kind }, { replace: false })}
    />
  );
}

export function OperationHead({ red, series, q, state, onChange }: OperationHeadProps) {
  const { service, operation, range } = state;
  return (
    <header className={css['head']}>
      <div className={css['titleLine']}>
        <div className={css['names']}>
          <a href={hrefOf(overRange(placeOfService(service), range))} className={css['service']} title={service}>
            <ServiceDot color={serviceColour(service)} />
            <span className={css['cut']}>{service}</span>
          </a>
          <PageTitle title={`${service} ${operation}`} routeKey={`operation ${service} ${operation}`}>
            <span className={css['title']} title={operation}>
              {operation}
            </span>
          </PageTitle>
        </div>
        <Ago at={red.updatedAt} isWaiting={red.isOld} />
      </div>
      {red.data && series && <RedNumbers series={series} seconds={red.data.seconds} />}
      <div className={css['ways']}>
        <Kinds red={red} series={series} state={state} onChange={onChange} />
        <LinkButton icon={Search} href={hrefOf(placeOfSearch({ q, range, scope: 'spans' }))}>
          {text.explore}
        </LinkButton>
        <LinkButton href={hrefOf(placeOfSearch({ q, range, scope: 'spans', sort: 'slowest' }))}>
          {text.slowest}
        </LinkButton>
        {series?.slowest && <LinkButton href={hrefOf(placeOfTrace(series.slowest))}>{text.slowExample}</LinkButton>}
        {series?.failed && <LinkButton href={hrefOf(placeOfTrace(series.failed))}>{text.failedExample}</LinkButton>}
      </div>
    </header>
  );
}
