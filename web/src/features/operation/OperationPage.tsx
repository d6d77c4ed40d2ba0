// The page of an operation, put together from its parts; each lives on when another has no answer.

import { SearchX } from 'lucide-react';
import type { OverviewAnswer, PathAnswer, RedAnswer, RedSeries } from '../../api/types.ts';
import { useLastSeen } from '../../core/lastSeen.ts';
import { go, hrefOf } from '../../core/navigation.ts';
import { defaults, overRange, placeOfSearch } from '../../core/places.ts';
import { usePreferences } from '../../core/preferences.ts';
import type { Asked as AskedAnswer } from '../../core/ranged.ts';
import { nowNs } from '../../format/now.ts';
import { courseOf, ofKind, stepBounds } from '../../model/red.ts';
import { Asked } from '../../ui/Asked/Asked.tsx';
import { EmptyState } from '../../ui/EmptyState/EmptyState.tsx';
import { LinkButton } from '../../ui/LinkButton/LinkButton.tsx';
import { lastSeenText, NoData } from '../../ui/NoData/NoData.tsx';
import { RedCharts } from '../../ui/RedCharts/RedCharts.tsx';
import type { OperationState, Place } from '../../url/index.ts';
import { Attributes } from './Attributes.tsx';
import { Latency } from './Latency.tsx';
import { MadeOf } from './MadeOf.tsx';
import css from './Operation.module.css';
import { OperationHead } from './OperationHead.tsx';
import { PathTable } from './PathTable.tsx';
import { Section } from './Section.tsx';
import { text } from './text.ts';

export type OperationPageProps = {
  red: AskedAnswer<RedAnswer>;
  overview: AskedAnswer<OverviewAnswer>;
  path: AskedAnswer<PathAnswer>;
  /** Of the attributes that the path tells of; absent while there are none. */
  attributes: AskedAnswer<OverviewAnswer> | undefined;
  /** The query for its spans. */
  q: string;
  state: OperationState;
  onChange: (changes: Partial<OperationState>, options: { replace: boolean }) => void;
};

/** Of spans of this name; where they are of several kinds, of the one that is asked for or has most. */
function chosenSeries(answer: RedAnswer, { operation, kind }: OperationState): RedSeries | undefined {
  const named = answer.series.filter((series) => series.operation === operation);
  return [...ofKind(named, kind)].sort((a, b) => b.total.spans - a.total.spans)[0];
}

function Quiet({ state }: Pick<OperationPageProps, 'state'>) {
  const { lastNs: ofAll } = useLastSeen();
  const { lastNs } = useLastSeen(state.service);
  if (ofAll === null) return <NoData homeHref={hrefOf(defaults.home())} />;
  const wider = (last: string): string => {
    const place: Place = { page: 'operation', state };
    return hrefOf(overRange(place, { kind: 'relative', last }));
  };
  return (
    <EmptyState
      icon={SearchX}
      title={text.quietTitle(state.operation)}
      actions={
        <>
          <LinkButton href={wider('1d')}>{text.lastDay}</LinkButton>
          <LinkButton href={wider('7d')}>{text.lastWeek}</LinkButton>
        </>
      }
    >
      {lastNs === undefined && text.quiet(state.service)}
      {lastNs === null && text.neverHeard(state.service)}
      {lastNs !== undefined && lastNs !== null && lastSeenText(lastNs, nowNs(), state.service)}
    </EmptyState>
  );
}

type ChartsProps = Pick<OperationPageProps, 'q' | 'state' | 'onChange'> & {
  answer: RedAnswer;
  series: RedSeries;
  toNs: bigint;
};

function Charts({ answer, series, toNs, q, state, onChange }: ChartsProps) {
  const { zone } = usePreferences();
  return (
    <RedCharts
      name={state.operation}
      course={courseOf(series.points, answer)}
      fromNs={BigInt(answer.fromNs)}
      toNs={toNs}
      zone={zone}
      as={state.as}
      onAs={(as) => onChange({ as }, { replace: true })}
      onPick={(index) =>
        go(
          placeOfSearch({
            q,
            range: { kind: 'absolute', ...stepBounds(answer, index) },
            scope: 'spans',
            sort: 'slowest',
          }),
        )
      }
      onZoom={(fromNs, to) => onChange({ range: { kind: 'absolute', fromNs, toNs: to } }, { replace: false })}
      headingId="operation-over-time"
    />
  );
}

export function OperationPage({ red, overview, path, attributes, q, state, onChange }: OperationPageProps) {
  const series = red.data && chosenSeries(red.data, state);
  return (
    <div className={css['page']}>
      <OperationHead red={red} series={series} q={q} state={state} onChange={onChange} />
      <Asked asked={red} failed={text.failed} rows={6} columns="1fr 1fr 1fr">
        {(answer) =>
          series ? (
            <Charts answer={answer} series={series} toNs={red.window.to} q={q} state={state} onChange={onChange} />
          ) : (
            <Quiet state={state} />
          )
        }
      </Asked>
      {series && (
        <Section id="operation-latency" title={text.latency}>
          <Asked asked={overview} failed={text.latencyFailed} rows={6} columns="1fr">
            {(answer) => <Latency answer={answer} as={state.as} name={state.operation} />}
          </Asked>
        </Section>
      )}
      {series && (
        <Section id="operation-path" title={text.path}>
          <Asked asked={path} failed={text.pathFailed} rows={4} columns="2fr 1fr 1fr">
            {(answer) => <PathTable answer={answer} state={state} />}
          </Asked>
        </Section>
      )}
      {series && attributes && (
        <Section id="operation-attributes" title={text.attributes}>
          <Asked asked={attributes} failed={text.attributesFailed} rows={4} columns="3fr 1fr 1fr">
            {(answer) => <Attributes answer={answer} q={q} state={state} />}
          </Asked>
        </Section>
      )}
      {series && red.data && <MadeOf series={series} all={red.data.series} service={state.service} />}
    </div>
  );
}
