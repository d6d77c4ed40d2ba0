// What is said of files that are opened: how far the reading is, and what could not be read.

import { lazy, Suspense } from 'react';
import { Banner } from '../Banner/Banner.tsx';
import type { ReadingFileProps } from './ReadingFile.tsx';
import { text } from './text.ts';

/** Fetched when a file is read. */
const ReadingFile = lazy(async () => ({ default: (await import('./ReadingFile.tsx')).ReadingFile }));

type FileNoticesProps = {
  files: {
    readonly reading: Omit<ReadingFileProps, 'onCancel'> | null;
    readonly skipped: readonly { readonly what: string; readonly why: string }[];
    readonly cancel: () => void;
    readonly dismiss: () => void;
  };
};

export function FileNotices({ files }: FileNoticesProps) {
  return (
    <>
      <Suspense>{files.reading && <ReadingFile {...files.reading} onCancel={files.cancel} />}</Suspense>
      {files.skipped.map(({ what, why }) => (
        <Banner key={`${what} ${why}`} tone="warn" onDismiss={files.dismiss}>
          {text.skipped(what, why)}
        </Banner>
      ))}
    </>
  );
}
