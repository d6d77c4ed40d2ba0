// The page that compares two traces: `/trace/a...b`. It fetches both; what it knows it gives to the views.

import { useQueryClient } from '@tanstack/react-query';
import { GitCompareArrows } from 'lucide-react';
import { curlOf } from '../../api/client.ts';
import { commandsOf, useCommands } from '../../core/commands.ts';
import { go } from '../../core/navigation.ts';
import { Banner } from '../../ui/Banner/Banner.tsx';
import { EmptyState } from '../../ui/EmptyState/EmptyState.tsx';
import { ErrorBox } from '../../ui/ErrorBox/ErrorBox.tsx';
import { PageTitle } from '../../ui/PageTitle/PageTitle.tsx';
import { Skeleton } from '../../ui/Skeleton/Skeleton.tsx';
import { SlowNotice } from '../../ui/SlowNotice/SlowNotice.tsx';
import type { CompareState, RouteOf, TraceId } from '../../url/index.ts';
import { TraceError } from '../../worker/client.ts';
import { Choices } from './Choices.tsx';
import css from './Compare.module.css';
import { type ChangeCompare, Compared } from './Compared.tsx';
import { COMPARE_COMMANDS } from './commands.ts';
import { shortId } from './names.ts';
import { type SideName, Sides } from './Sides.tsx';
import { text } from './text.ts';
import { skeletonUrl, useDiff, useTrace } from './useComparison.ts';

function titleOf({ a, b }: CompareState): string {
  return a === null || b === null ? text.title : text.titleOf(shortId(a), shortId(b));
}

type Reading = ReturnType<typeof useTrace>;

function SideError({ side, id, reading }: { side: SideName; id: TraceId; reading: Reading }) {
  const { error, refetch, isFetching } = reading;
  if (!error) return null;
  return (
    <ErrorBox
      isPage
      title={text.failedSide(side)}
      message={error.message}
      hint={error instanceof TraceError ? error.hint : null}
      onRetry={() => void refetch()}
      isRetrying={isFetching}
      curl={curlOf(skeletonUrl(id))}
    />
  );
}

export default function Compare({ route }: { route: RouteOf<'compare'> }) {
  const { state } = route;
  const { a, b } = state;
  const client = useQueryClient();
  const left = useTrace(a);
  const right = useTrace(b);
  const diff = useDiff(left.data, right.data);
  const change: ChangeCompare = (next, options = {}) => go({ page: 'compare', state: { ...state, ...next } }, options);
  /** Rows belong to a pair of traces; another pair has others. */
  const choose = (side: SideName, id: TraceId) => change({ [side]: id, node: null, level: null, except: [] });
  const swap = () => change({ a: b, b: a });
  useCommands(commandsOf(COMPARE_COMMANDS, { 'compare.swap': swap }));

  const isReading = left.isFetching || right.isFetching || diff.isFetching;
  const isCancelled =
    !isReading &&
    [left, right].some((side, i) => (i === 0 ? a : b) !== null && side.isPending && side.fetchStatus === 'idle');
  const missing = ([a === null && 'a', b === null && 'b'] as const).filter((side) => side !== false);
  const [first, second] = missing;
  return (
    <>
      <PageTitle isHidden title={titleOf(state)} routeKey={`compare ${a} ${b}`} />
      <Sides state={state} a={left.data} b={right.data} onChoose={choose} onSwap={swap} />
      {a !== null && <SideError side="a" id={a} reading={left} />}
      {b !== null && <SideError side="b" id={b} reading={right} />}
      {diff.error && (
        <ErrorBox isPage title={text.failedDiff} message={diff.error.message} onRetry={() => void diff.refetch()} />
      )}
      {first !== undefined && (
        <EmptyState icon={GitCompareArrows} title={second === undefined ? text.emptyOne(first) : text.emptyBoth}>
          {text.emptyHint}
          <div className={css['choices']}>
            <Choices state={state} not={a ?? b} onTake={(id) => choose(first, id)} />
          </div>
        </EmptyState>
      )}
      {first === undefined && isReading && !diff.data && (
        <>
          <SlowNotice
            what={diff.isFetching ? text.comparing : text.reading}
            onCancel={() => void client.cancelQueries({ queryKey: ['compare'] })}
          />
          <Skeleton rows={12} columns="3fr 1fr 1fr 3fr" />
        </>
      )}
      {isCancelled && <Banner>{text.cancelled}</Banner>}
      {left.data && right.data && diff.data && (
        <Compared diff={diff.data} a={left.data} b={right.data} state={state} change={change} />
      )}
    </>
  );
}
