// Lines between head and view: rows still coming, the trace still growing, a newer version that failed, a file.

import { Banner } from '../../../ui/Banner/Banner.tsx';
import { Button } from '../../../ui/Button/Button.tsx';
import { useTracePage } from '../state/page.tsx';
import type { TraceSource } from '../state/useTrace.ts';
import { text as pageText } from '../text.ts';
import { text } from './text.ts';

export function Notices({ source, isGrowing }: { source: TraceSource; isGrowing: boolean }) {
  const { session, fileName } = useTracePage();
  return (
    <>
      {source.isPartial && <Banner>{pageText.partial(session.columns.count)}</Banner>}
      {isGrowing && !source.isPartial && <Banner>{pageText.growing}</Banner>}
      {source.failure !== null && (
        <Banner
          tone="warn"
          actions={
            <Button size="small" onPress={source.reload}>
              {pageText.tryAgain}
            </Button>
          }
        >{`${pageText.refreshFailed} ${source.failure.message}`}</Banner>
      )}
      {fileName !== null && <Banner>{text.fromFile(fileName)}</Banner>}
    </>
  );
}
