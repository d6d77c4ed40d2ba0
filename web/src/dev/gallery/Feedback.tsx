// What a page says when there is nothing, not yet, not all, or an error.

import { SearchX } from 'lucide-react';
import { Banner } from '../../ui/Banner/Banner.tsx';
import { Button } from '../../ui/Button/Button.tsx';
import { EmptyState } from '../../ui/EmptyState/EmptyState.tsx';
import { ErrorBox } from '../../ui/ErrorBox/ErrorBox.tsx';
import { Skeleton } from '../../ui/Skeleton/Skeleton.tsx';
import { SlowNotice } from '../../ui/SlowNotice/SlowNotice.tsx';
import { Line, Section } from './Section.tsx';

function noop() {}

export function Feedback() {
  return (
    <Section title="Feedback">
      <Line label="Banner" isWide>
        <Banner onDismiss={noop}>{'This trace is still growing.'}</Banner>
        <Banner
          tone="warn"
          actions={
            <Button size="small" variant="quiet">
              {'Show'}
            </Button>
          }
        >
          {'2 segments could not be read: 14:00–14:20 may be missing spans.'}
        </Banner>
        <Banner tone="error" onDismiss={noop}>
          {'The connection to the server was lost.'}
        </Banner>
      </Line>
      <Line label="ErrorBox" isWide>
        <ErrorBox
          title="The search failed"
          message="query: unknown field “statuss” at 2"
          hint="Did you mean “status”?"
          curl="curl 'http://localhost:16686/api/ui/v1/search'"
          onRetry={noop}
        />
      </Line>
      <Line label="EmptyState" isWide>
        <EmptyState
          icon={SearchX}
          level={3}
          title="No traces match"
          actions={
            <>
              <Button>{'Drop “duration > 500ms”'}</Button>
              <Button variant="quiet">{'Last 24 h'}</Button>
            </>
          }
        >
          {'3,120 traces match without “duration > 500ms”.'}
        </EmptyState>
        <EmptyState isSmall level={3} title="No events">
          {'This span has none.'}
        </EmptyState>
      </Line>
      <Line label="Skeleton" isWide>
        <Skeleton rows={4} columns="1fr 3fr 1fr" />
      </Line>
      <Line label="SlowNotice" isWide>
        <SlowNotice what="6 h of spans, 412 segments" afterMs={0} onCancel={noop} />
      </Line>
    </Section>
  );
}
