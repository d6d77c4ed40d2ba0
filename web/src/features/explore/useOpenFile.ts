// Opening files: by a dialog, or dropped anywhere on the page. One trace is shown, several are listed.

import { useEffect, useRef, useState } from 'react';
import type { Skipped } from '../../api/types.ts';
import { go } from '../../core/navigation.ts';
import { type OpenedFile, openTraceFile } from '../../core/openTraceFile.ts';
import { defaults, placeOfTrace } from '../../core/places.ts';
import type { State } from './useExplore.ts';

const ACCEPTED = '.json,.jsonl,.ndjson,.gz,application/json';

function choose(onFiles: (files: FileList) => void): void {
  const input = document.createElement('input');
  input.type = 'file';
  input.multiple = true;
  input.accept = ACCEPTED;
  input.onchange = () => input.files && onFiles(input.files);
  input.click();
}

function show(opened: readonly OpenedFile[]): void {
  const ids = [...new Set(opened.flatMap(({ traceIds }) => traceIds))];
  const [only] = ids;
  if (ids.length === 1 && only !== undefined) go(placeOfTrace(only));
  else if (ids.length > 1) {
    const place = defaults.search();
    const traces = ids.map((traceId) => ({ traceId, spanIds: [] })) as unknown as State['traces'];
    if (place.page === 'search') go({ ...place, state: { ...place.state, traces } });
  }
}

export type FileOpening = {
  readonly open: () => void;
  readonly isOver: boolean;
  /** What could not be read. */
  readonly skipped: readonly Skipped[];
  readonly dismiss: () => void;
};

export function useOpenFile(): FileOpening {
  const [isOver, setOver] = useState(false);
  const [skipped, setSkipped] = useState<readonly Skipped[]>([]);
  const take = useRef(async (files: FileList) => {
    const opened = await Promise.all([...files].map(openTraceFile));
    setSkipped(opened.flatMap((one) => one.skipped));
    show(opened);
  });
  useEffect(() => {
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;
    const over = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      setOver(true);
    };
    const leave = (event: DragEvent) => {
      if (event.relatedTarget === null) setOver(false);
    };
    const drop = (event: DragEvent) => {
      if (!hasFiles(event) || !event.dataTransfer) return;
      event.preventDefault();
      setOver(false);
      void take.current(event.dataTransfer.files);
    };
    addEventListener('dragover', over);
    addEventListener('dragleave', leave);
    addEventListener('drop', drop);
    return () => {
      removeEventListener('dragover', over);
      removeEventListener('dragleave', leave);
      removeEventListener('drop', drop);
    };
  }, []);
  return { open: () => choose((files) => void take.current(files)), isOver, skipped, dismiss: () => setSkipped([]) };
}
