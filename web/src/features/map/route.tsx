// The page of the map: who calls whom, and how well. `/dependencies`, and for now `/deep-dependencies`.

import { useQueryClient } from '@tanstack/react-query';
import { ApiError, curlOf } from '../../api/client.ts';
import { Banner } from '../../ui/Banner/Banner.tsx';
import { ErrorBox } from '../../ui/ErrorBox/ErrorBox.tsx';
import { PageTitle } from '../../ui/PageTitle/PageTitle.tsx';
import { Skeleton } from '../../ui/Skeleton/Skeleton.tsx';
import { SlowNotice } from '../../ui/SlowNotice/SlowNotice.tsx';
import type { RouteOf } from '../../url/index.ts';
import { MapView } from './MapView.tsx';
import { text } from './text.ts';
import { changerOf, useEdges, useMapModel } from './useMap.ts';

export default function MapPage({ route }: { route: RouteOf<'map'> }) {
  const { state } = route;
  const client = useQueryClient();
  const { data, error, isPending, refetch, isFetching, isPlaceholderData, dataUpdatedAt } = useEdges(state.range);
  const model = useMapModel(data, state);
  const change = changerOf(state);
  const title = state.focus === null ? text.title : text.titleOf(state.focus);
  return (
    <>
      <PageTitle isHidden title={title} routeKey="map" />
      {state.mode === 'paths' && (
        <Banner onDismiss={() => change({ mode: 'calls' }, { replace: true })}>{text.pathsLater(state.focus)}</Banner>
      )}
      {data && data.skipped.length > 0 && (
        <Banner tone="warn">{text.skipped(data.skipped.map(({ what, why }) => `${what}: ${why}`).join('; '))}</Banner>
      )}
      {error && (
        <ErrorBox
          isPage={!model}
          title={text.failed}
          message={error.message}
          hint={error instanceof ApiError ? error.hint : null}
          onRetry={() => void refetch()}
          isRetrying={isFetching}
          curl={error instanceof ApiError && error.url !== '' ? curlOf(error.url) : undefined}
        />
      )}
      {isFetching && (isPending || isPlaceholderData) && (
        <SlowNotice what={text.reading} onCancel={() => void client.cancelQueries({ queryKey: ['map'] })} />
      )}
      {isPending && isFetching && <Skeleton rows={12} columns="2fr 1fr 1fr 1fr" />}
      {isPending && !isFetching && !error && <ErrorBox isPage title={text.cancelled} onRetry={() => void refetch()} />}
      {model && <MapView model={model} state={state} change={change} atMs={dataUpdatedAt} />}
    </>
  );
}
