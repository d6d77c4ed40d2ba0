// Lines between head and view: rows still coming, the trace still growing, a newer version that failed, a file.

import { Banner } from '../../../ui/Banner/Banner.tsx';
import { Button } from '../../../ui/Button/Button.tsx';
import { useAfter } from '../../../ui/hooks/useAfter.ts';
import { useTracePage } from '../state/page.tsx';
import type { TraceSource } from '../state/useTrace.ts';
import { text as pageText } from '../text.ts';
import { text } from './menuText.ts';

const RATHER_LONG_MS = 400;

/** Not for what is there in a moment. */
function StillComing({ spans }: { spans: number }) {
  return useAfter(RATHER_LONG_MS) ? <Banner>{pageText.partial(spans)}</Banner> : null;
}

export function Notices({ source, isGrowing }: { source: TraceSource; isGrowing: boolean }) {
  const { session, fileName } = useTracePage();
  return (
    <>
      {source.isPartial && <StillComing spans={session.columns.count} />}
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
