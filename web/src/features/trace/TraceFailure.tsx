// Why there is no trace: it is not there, loading was cancelled, or something failed.

import { SearchX } from 'lucide-react';
import { curlOf } from '../../api/client.ts';
import { go, lastLeft } from '../../core/navigation.ts';
import { defaults } from '../../core/places.ts';
import { usePreferences } from '../../core/preferences.ts';
import { dateTime, type Zone, zoneLabel } from '../../format/time.ts';
import { Button } from '../../ui/Button/Button.tsx';
import { EmptyState } from '../../ui/EmptyState/EmptyState.tsx';
import { ErrorBox } from '../../ui/ErrorBox/ErrorBox.tsx';
import { type Searched, useSearched } from './state/useSearched.ts';
import type { LoadFailure } from './state/useTrace.ts';
import { text } from './text.ts';

type Props = { traceId: string; failure: LoadFailure | null; onRetry: () => void };

function keptText({ retention, sinceNs }: Searched, zone: Zone): string {
  return sinceNs === null
    ? text.kept(retention)
    : text.keptSince(retention, `${dateTime(sinceNs, zone, 0)} ${zoneLabel(sinceNs, zone)}`);
}

export function TraceFailure({ traceId, failure, onRetry }: Props) {
  const { zone } = usePreferences();
  const searched = useSearched(failure?.status === 404);
  if (failure !== null && failure.status !== 404 && failure.status >= 0) {
    return (
      <ErrorBox
        isPage
        title={text.failed}
        message={failure.message}
        hint={failure.hint}
        onRetry={onRetry}
        curl={curlOf(failure.url)}
      />
    );
  }
  const isCancelled = failure?.status === -1;
  const title = isCancelled ? text.cancelled : failure === null ? text.empty : text.notFound;
  return (
    <EmptyState
      icon={SearchX}
      title={title}
      actions={
        <>
          <Button onPress={onRetry}>{text.tryAgain}</Button>
          <Button onPress={() => go(lastLeft('search') ?? defaults.search(), { asBefore: true })}>
            {text.explore}
          </Button>
          {!isCancelled && <Button onPress={() => go(defaults.status())}>{text.settingsOfStore}</Button>}
        </>
      }
    >
      {!isCancelled && (
        <>
          <p>{text.notFoundWhere(traceId)}</p>
          {searched !== null && <p>{text.searched(searched.spans)}</p>}
          {searched !== null && <p>{keptText(searched, zone)}</p>}
          <p>{text.notFoundWhy}</p>
        </>
      )}
    </EmptyState>
  );
}
