// Lines between head and view: rows still coming, the trace still growing, a newer version that failed, a file, and
// what the link names and the trace does not have.

import { Banner } from '../../../ui/Banner/Banner.tsx';
import { Button } from '../../../ui/Button/Button.tsx';
import { useAfter } from '../../../ui/hooks/useAfter.ts';
import { decodeSvcFilter } from '../../../url/svcFilter.ts';
import { update, useTracePage } from '../state/page.tsx';
import type { TraceSource } from '../state/useTrace.ts';
import { text as pageText } from '../text.ts';
import { text } from './menuText.ts';

const RATHER_LONG_MS = 400;

/** Not for what is there in a moment. */
function StillComing({ spans }: { spans: number }) {
  return useAfter(RATHER_LONG_MS) ? <Banner>{pageText.partial(spans)}</Banner> : null;
}

/** Taking a line away takes it out of the link, too. */
function NotHere() {
  const { session, state } = useTracePage();
  const { span, focus, svcFilter } = state;
  const filter = svcFilter === null ? null : decodeSvcFilter(svcFilter, session.columns.services);
  const isIgnored = svcFilter !== null && (filter === null || filter.isStale);
  return (
    <>
      {span !== null && session.rowOf(span) < 0 && (
        <Banner onDismiss={() => update({ span: null })}>{text.spanNotHere(span)}</Banner>
      )}
      {focus !== null && session.rowOf(focus) < 0 && (
        <Banner onDismiss={() => update({ focus: null })}>{text.focusNotHere(focus)}</Banner>
      )}
      {isIgnored && <Banner onDismiss={() => update({ svcFilter: null })}>{text.servicesNotHere}</Banner>}
    </>
  );
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
      {!source.isPartial && <NotHere />}
      {fileName !== null && <Banner>{text.fromFile(fileName)}</Banner>}
    </>
  );
}
