// Opening trace files on a page: chosen or dropped, read one after the other, then shown: one trace as itself, several
// as a list.

import { useEffect, useRef, useState } from 'react';
import type { Skipped } from '../api/types.ts';
import type { FileProgress } from '../worker/messages.ts';
import { go } from './navigation.ts';
import { openTraceFile } from './openTraceFile.ts';
import { placeOfSearch, placeOfTrace } from './places.ts';

const ACCEPTED = '.json,.jsonl,.ndjson,.gz,application/json';

export type ReadingFile = FileProgress & { readonly name: string };

export type FileOpening = {
  /** Asks for files. */
  readonly choose: () => void;
  readonly open: (files: Iterable<File>) => void;
  /** The file that is being read. */
  readonly reading: ReadingFile | null;
  readonly cancel: () => void;
  /** What could not be read. */
  readonly skipped: readonly Skipped[];
  readonly dismiss: () => void;
};

function chooseFiles(onFiles: (files: FileList) => void): void {
  const input = document.createElement('input');
  input.type = 'file';
  input.multiple = true;
  input.accept = ACCEPTED;
  input.onchange = () => input.files && onFiles(input.files);
  input.click();
}

function show(traceIds: readonly string[]): void {
  const [only] = traceIds;
  if (only === undefined) return;
  if (traceIds.length === 1) go(placeOfTrace(only));
  else go(placeOfSearch({ traces: traceIds.map((traceId) => ({ traceId, spanIds: [] })) }));
}

export function useOpenFiles(): FileOpening {
  const [reading, setReading] = useState<ReadingFile | null>(null);
  const [skipped, setSkipped] = useState<readonly Skipped[]>([]);
  const running = useRef<AbortController | null>(null);
  // A page that was left does not come back by itself.
  useEffect(() => () => running.current?.abort(), []);

  const open = async (files: readonly File[]): Promise<void> => {
    running.current?.abort();
    const abort = new AbortController();
    running.current = abort;
    const { signal } = abort;
    const traceIds = new Set<string>();
    setSkipped([]);
    try {
      for (const file of files) {
        const { name } = file;
        const onProgress = (progress: FileProgress) => {
          if (!signal.aborted) setReading({ ...progress, name });
        };
        onProgress({ read: 0, all: file.size });
        const opened = await openTraceFile(file, { signal, onProgress });
        for (const traceId of opened.traceIds) traceIds.add(traceId);
        setSkipped((before) => [...before, ...opened.skipped]);
      }
      setReading(null);
      show([...traceIds]);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  };
  const latest = useRef(open);
  latest.current = open;
  const openNow = (files: Iterable<File>) => void latest.current([...files]);
  return {
    choose: () => chooseFiles(openNow),
    open: openNow,
    reading,
    cancel: () => {
      running.current?.abort();
      setReading(null);
    },
    skipped,
    dismiss: () => setSkipped([]),
  };
}
