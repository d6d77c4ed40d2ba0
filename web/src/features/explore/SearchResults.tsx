// The results of the search in all their states, with what is above and below them.

import { useQueryClient } from '@tanstack/react-query';
import { CircleAlert } from 'lucide-react';
import { Suspense, useMemo } from 'react';
import { curlOf } from '../../api/client.ts';
import { dateText, type Zone } from '../../format/time.ts';
import { Banner } from '../../ui/Banner/Banner.tsx';
import { Button } from '../../ui/Button/Button.tsx';
import { EmptyState } from '../../ui/EmptyState/EmptyState.tsx';
import { ErrorBox } from '../../ui/ErrorBox/ErrorBox.tsx';
import { Skeleton } from '../../ui/Skeleton/Skeleton.tsx';
import { SlowNotice } from '../../ui/SlowNotice/SlowNotice.tsx';
import { Empty } from './lazies.ts';
import { Results } from './Results.tsx';
import { ResultsFoot } from './ResultsFoot.tsx';
import type { ResultRow } from './rows.ts';
import { scannedText } from './scanned.ts';
import { isRunning } from './searchRun.ts';
import { text } from './text.ts';
import type { Asked } from './useAsked.ts';
import type { Changes, State } from './useExplore.ts';
import type { ParsedQuery } from './useParsedQuery.ts';
import type { Search } from './useSearch.ts';

const SKIPPED_SHOWN = 3;

type SearchResultsProps = {
  state: State;
  asked: Asked;
  search: Search;
  rows: readonly ResultRow[];
  missing: readonly string[];
  parsed: ParsedQuery;
  all: number | null;
  zone: Zone;
  changes: Changes;
};

export function SearchResults(props: SearchResultsProps) {
  const { state, asked, search, rows, missing, parsed, all, zone, changes } = props;
  const client = useQueryClient();
  const { run, state: found, isStale } = search;
  const isList = state.traces.length > 0;
  // Times alone say little where they are of several days.
  const hasDates = isList || dateText(asked.window.from, zone) !== dateText(asked.window.to, zone);
  const listKey = useMemo(
    () => JSON.stringify([asked.search.q, asked.search.scope, asked.search.sort, String(asked.search.to)]),
    [asked],
  );
  const isBroken = found.error !== null && found.diagnostics.some(({ severity }) => severity === 'error');
  const skipped = found.skipped.slice(0, SKIPPED_SHOWN);
  const slow = (
    <SlowNotice
      key={found.startedAt}
      startedAt={found.startedAt}
      what={scannedText(state, asked.window, zone)}
      onCancel={run?.cancel}
    />
  );
  // Where the rows would be; above those that came before it.
  const failure =
    found.error !== null && !isBroken ? (
      <ErrorBox
        isPage
        title={text.failed}
        message={found.error.message}
        hint={found.error.hint}
        curl={run ? curlOf(run.url) : undefined}
        onRetry={run?.retry}
      />
    ) : null;
  const empty = emptyOf();

  function emptyOf() {
    if (found.phase === 'waiting') {
      return (
        <>
          {slow}
          <Skeleton rows={14} columns="24px 96px 3fr 2fr 1fr 1fr" />
        </>
      );
    }
    if (found.phase === 'cancelled') return <EmptyState isSmall title={text.cancelled(found.elapsedMs)} />;
    if (isBroken) {
      return (
        <EmptyState icon={CircleAlert} title={text.queryBroken}>
          {text.queryBrokenHint}
        </EmptyState>
      );
    }
    if (failure !== null) return failure;
    if (found.error !== null || isRunning(found) || isList || found.cursor !== null) return null;
    return (
      <Suspense>
        <Empty
          chips={parsed.chips ?? []}
          scope={state.scope}
          window={asked.window}
          nowNs={asked.nowNs}
          changes={changes}
        />
      </Suspense>
    );
  }

  return (
    <>
      {isList && (
        <Banner
          actions={
            <Button size="small" variant="quiet" onPress={() => changes.set({ traces: [] })}>
              {text.searchInstead}
            </Button>
          }
        >
          {text.listed(state.traces.length)}
        </Banner>
      )}
      {missing.length > 0 && found.phase === 'done' && (
        <Banner tone="warn">{text.listNotFound(missing.length, text.list(missing))}</Banner>
      )}
      {state.view === 'graph' && (
        <Banner onDismiss={() => changes.set({ view: 'list' }, { replace: true })}>{text.graphLater}</Banner>
      )}
      {skipped.map(({ what, why }) => (
        <Banner key={`${what} ${why}`} tone="warn">
          {text.skipped(what, why)}
        </Banner>
      ))}
      {found.skipped.length > SKIPPED_SHOWN && (
        <Banner tone="warn">{text.skippedMore(found.skipped.length - SKIPPED_SHOWN)}</Banner>
      )}
      {rows.length > 0 && failure}
      {isStale && rows.length > 0 && slow}
      <Results
        key={listKey}
        listKey={listKey}
        rows={rows}
        scope={asked.search.scope}
        q={isList ? '' : state.q}
        cols={state.cols}
        zone={zone}
        nowNs={asked.nowNs}
        hasDates={hasDates}
        sort={isList || state.scope !== 'traces' ? undefined : state.sort}
        onEndReached={found.phase === 'done' && found.cursor !== null && found.wasFruitful ? run?.more : undefined}
        isStale={isStale}
        empty={empty}
        changes={changes}
      />
      <ResultsFoot
        state={found}
        shown={rows.length}
        scope={asked.search.scope}
        all={isList ? null : all}
        nowNs={asked.nowNs}
        onMore={() => run?.more()}
        onCancel={() => run?.cancel()}
        onRefresh={() => (found.phase === 'cancelled' ? run?.retry() : void client.invalidateQueries())}
      />
    </>
  );
}
