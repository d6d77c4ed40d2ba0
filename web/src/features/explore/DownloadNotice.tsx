// How far a download of all matches is, how it ended, and what can be done where it did not end well.

import { useEffect, useSyncExternalStore } from 'react';
import { Banner } from '../../ui/Banner/Banner.tsx';
import { Button } from '../../ui/Button/Button.tsx';
import { announce } from '../../ui/LiveRegion/LiveRegion.tsx';
import { DOWNLOAD_ROWS_MAX } from './DownloadMenu.tsx';
import { type DownloadRun, type DownloadState, downloads } from './downloadRun.ts';
import css from './Results.module.css';
import { text } from './text.ts';

function titleOf({ phase, rows, isCut, error, saved }: DownloadState): string {
  const parts = {
    running: text.downloading(rows),
    failed: text.downloadFailed(rows, error?.message ?? ''),
    cancelled: text.downloadCancelled(rows),
    done: isCut ? text.downloadCut(DOWNLOAD_ROWS_MAX) : text.downloaded(rows),
  };
  return saved === null ? parts[phase] : `${parts[phase]} ${text.downloadSaved(saved)}`;
}

function Actions({ run, state }: { run: DownloadRun; state: DownloadState }) {
  if (state.phase === 'done') return null;
  if (state.phase === 'running') {
    return (
      <Button size="small" onPress={() => run.cancel()}>
        {text.cancel}
      </Button>
    );
  }
  return (
    <>
      <Button size="small" onPress={() => run.goOn()}>
        {text.downloadGoOn}
      </Button>
      {state.rows > 0 && (
        <Button size="small" onPress={() => run.save()}>
          {text.downloadSavePart(state.rows)}
        </Button>
      )}
    </>
  );
}

export function DownloadNotice() {
  const state = useSyncExternalStore(downloads.subscribe, downloads.state);
  const run = downloads.run();
  const phase = state?.phase;
  useEffect(() => {
    // Rows are counted up for the eye; who hears the page is told of beginning and end.
    if (phase === 'running') announce(text.downloadBegun);
  }, [phase]);
  if (run === null || state === null) return null;
  const isWarning = state.isCut || state.skipped.length > 0 || state.phase === 'cancelled';
  const tone = state.phase === 'failed' ? 'error' : isWarning ? 'warn' : 'info';
  const words = (
    <>
      {titleOf(state)} {state.skipped.map((what) => text.skippedInFile(what)).join(' ')}
    </>
  );
  return (
    <Banner
      tone={tone}
      actions={<Actions run={run} state={state} />}
      onDismiss={state.phase === 'running' ? undefined : downloads.dismiss}
    >
      {state.phase === 'running' ? (
        <span aria-live="off" className={css['live']}>
          {words}
        </span>
      ) : (
        words
      )}
    </Banner>
  );
}
