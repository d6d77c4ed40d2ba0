// The search page: query, how to show, facets, all matches, results.

import { Suspense, useDeferredValue, useState } from 'react';
import { boot } from '../../core/boot.ts';
import { setSize, usePreferences } from '../../core/preferences.ts';
import { useOpenFiles } from '../../core/useOpenFiles.ts';
import { Button } from '../../ui/Button/Button.tsx';
import { EmptyState } from '../../ui/EmptyState/EmptyState.tsx';
import { ErrorBox } from '../../ui/ErrorBox/ErrorBox.tsx';
import { PageTitle } from '../../ui/PageTitle/PageTitle.tsx';
import { FileNotices } from '../../ui/ReadingFile/FileNotices.tsx';
import { Splitter } from '../../ui/Splitter/Splitter.tsx';
import type { RouteOf } from '../../url/index.ts';
import css from './Explore.module.css';
import { Facets } from './Facets.tsx';
import { ListedFacets } from './ListedFacets.tsx';
import { DownloadNotice, LiveResults } from './lazies.ts';
import { OverviewCharts } from './Overview.tsx';
import { QueryBar } from './QueryBar.tsx';
import { SearchResults } from './SearchResults.tsx';
import { Toolbar } from './Toolbar.tsx';
import { text } from './text.ts';
import { useAsked } from './useAsked.ts';
import { useDropFiles } from './useDropFiles.ts';
import { useExplore } from './useExplore.ts';
import { useFacetFields } from './useFacetFields.ts';
import { useIsNarrow } from './useIsNarrow.ts';
import { isNotHere, isUncounted, useOverview } from './useOverview.ts';
import { useParsedQuery } from './useParsedQuery.ts';
import { listedRows, openedRows, useSearch } from './useSearch.ts';

/** A download goes on while the reader is elsewhere, and is told of when they come back. */
let begun = false;

const FACETS_SIZE = 'explore.facets';
const FACETS_PX = { usual: 240, min: 160, max: 480 };

export function ExplorePage({ route }: { route: RouteOf<'search'> }) {
  const { state, embed } = route;
  const { zone, sizes } = usePreferences();
  const isNarrow = useIsNarrow();
  const [areFacetsOpen, setFacetsOpen] = useState<boolean | null>(null);
  const parsed = useParsedQuery(state.q);
  const asked = useAsked(state);
  const changes = useExplore(route, parsed);
  const files = useOpenFiles();
  const isDropping = useDropFiles(boot.isFileUploadOff ? null : files.open);
  const isList = state.traces.length > 0;
  const isSearch = state.run && !state.live && !isList;
  const hasOnlyFiles = isList && openedRows(state.traces).length === state.traces.length;
  const search = useSearch(asked.search, state.run && !state.live && !hasOnlyFiles);
  const facetFields = useFacetFields(asked.window);
  const isBroken = parsed.chips === null && parsed.diagnostics.length > 0;
  const all = useOverview({
    q: state.q,
    scope: state.scope,
    facets: facetFields.shown,
    window: asked.window,
    isOn: isSearch && !isBroken,
  });
  const listed = isList ? listedRows(search.rows, state.traces) : null;
  const rows = listed?.rows ?? search.rows;
  const about = all.isStale ? null : (all.answer?.points ?? null);
  const hasFacets = isSearch && !isBroken && !embed.hideSearchGraph;
  const areFacetsShown = hasFacets && (areFacetsOpen ?? !isNarrow);
  const width = Math.min(FACETS_PX.max, Math.max(FACETS_PX.min, sizes[FACETS_SIZE] ?? FACETS_PX.usual));
  // The query first: what was found before is many rows, and comes a frame later.
  const isSettled = useDeferredValue(true, false);
  const [hasDownload, setHasDownload] = useState(begun);
  const [dragged, setDragged] = useState<number | null>(null);

  return (
    <div className={css['page']}>
      <PageTitle isHidden title={text.title} routeKey="search" />
      <QueryBar
        q={state.q}
        parsed={parsed}
        problems={search.state.diagnostics}
        window={asked.window}
        isWaiting={!state.run}
        changes={changes}
      />
      <Toolbar
        state={state}
        download={{
          rows,
          asked: asked.search,
          isAll: !isSearch || (search.state.phase === 'done' && search.state.cursor === null && !search.isStale),
          about,
          onBegin: () => {
            begun = true;
            setHasDownload(true);
          },
        }}
        window={asked.window}
        changes={changes}
        hasFacets={hasFacets}
        areFacetsShown={areFacetsShown}
        onFacets={setFacetsOpen}
        onOpenFile={boot.isFileUploadOff ? null : files.choose}
      />
      <Suspense>{hasDownload && <DownloadNotice />}</Suspense>
      <FileNotices files={files} />
      <div className={css['body']} data-stacked={isNarrow || undefined}>
        {isSettled && (
          <>
            {areFacetsShown && (
              <aside
                id={FACETS_SIZE}
                className={css['facets']}
                aria-label={text.facets}
                style={isNarrow ? undefined : { inlineSize: dragged ?? width }}
              >
                {isNotHere(all.error) ? (
                  <ListedFacets window={asked.window} cols={state.cols} changes={changes} />
                ) : isUncounted(all.error) ? (
                  <p className={css['uncounted']}>{text.facetsUncounted}</p>
                ) : all.error && !all.facets ? (
                  <ErrorBox title={text.facetFailed} message={all.error.message} onRetry={all.retry} />
                ) : (
                  <Facets
                    facets={all.facets}
                    share={all.answer?.facetShare ?? 1}
                    isStale={all.isStale}
                    others={facetFields.others}
                    cols={state.cols}
                    changes={changes}
                  />
                )}
              </aside>
            )}
            {areFacetsShown && !isNarrow && (
              <Splitter
                label={text.facetWidth}
                value={dragged ?? width}
                min={FACETS_PX.min}
                max={FACETS_PX.max}
                defaultValue={FACETS_PX.usual}
                controls={FACETS_SIZE}
                onChange={setDragged}
                onCommit={(px) => {
                  setDragged(null);
                  setSize(FACETS_SIZE, px);
                }}
              />
            )}
            <div className={css['content']}>
              {!state.run && (
                <EmptyState
                  title={text.notRun}
                  actions={
                    <Button variant="primary" onPress={() => changes.run(state.q)}>
                      {text.run}
                    </Button>
                  }
                >
                  {text.notRunHint}
                </EmptyState>
              )}
              {state.run && state.live && (
                <Suspense>
                  <LiveResults
                    q={state.q}
                    scope={state.scope}
                    cols={state.cols}
                    zone={zone}
                    nowNs={asked.nowNs}
                    changes={changes}
                  />
                </Suspense>
              )}
              {state.run && !state.live && (
                <>
                  {isSearch && !isBroken && !embed.hideSearchGraph && (
                    <OverviewCharts all={all} zone={zone} scope={state.scope} changes={changes} />
                  )}
                  <SearchResults
                    state={state}
                    asked={asked}
                    search={search}
                    rows={rows}
                    missing={listed?.missing ?? []}
                    parsed={parsed}
                    all={about}
                    zone={zone}
                    changes={changes}
                  />
                </>
              )}
            </div>
          </>
        )}
      </div>
      {isDropping && <div className={css['drop']}>{text.dropFile}</div>}
    </div>
  );
}
