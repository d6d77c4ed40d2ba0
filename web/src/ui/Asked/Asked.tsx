// A part of a page that waits for an answer: the shape of what comes, the notice when it takes long, the error with a
// way on, what was left out, and the answer itself, which stays while a later one is under way or has failed.

import type { ReactNode } from 'react';
import { nowNs } from '../../format/now.ts';
import { relativeTime } from '../../format/time.ts';
import { Banner } from '../Banner/Banner.tsx';
import { Button } from '../Button/Button.tsx';
import { ErrorBox } from '../ErrorBox/ErrorBox.tsx';
import { Skeleton } from '../Skeleton/Skeleton.tsx';
import { SlowNotice } from '../SlowNotice/SlowNotice.tsx';
import css from './Asked.module.css';
import { text } from './text.ts';

export type AskedProps<T> = {
  asked: {
    readonly data: T | undefined;
    readonly updatedAt: number;
    readonly isOld: boolean;
    readonly isWaiting: boolean;
    readonly error: {
      readonly message: string;
      readonly hint: string | null;
      readonly curl: string | undefined;
    } | null;
    readonly retry: () => void;
    readonly cancel: () => void;
  };
  /** "The services could not be read" */
  failed: string;
  /** What is read: "the last hour of spans". */
  what?: string | undefined;
  rows?: number | undefined;
  columns?: string | undefined;
  children: (data: T) => ReactNode;
};

function skippedOf(data: unknown): readonly { what: string; why: string }[] {
  const has = typeof data === 'object' && data !== null && 'skipped' in data && Array.isArray(data.skipped);
  return has ? (data.skipped as { what: string; why: string }[]) : [];
}

export function Asked<T>({ asked, failed, what, rows, columns, children }: AskedProps<T>) {
  const { data, error, isWaiting, isOld, retry, cancel, updatedAt } = asked;
  if (data === undefined) {
    if (error) {
      return (
        <ErrorBox
          title={failed}
          message={error.message}
          hint={error.hint}
          curl={error.curl}
          onRetry={retry}
          isRetrying={isWaiting}
        />
      );
    }
    if (!isWaiting) {
      return (
        <Banner
          actions={
            <Button size="small" onPress={retry}>
              {text.retry}
            </Button>
          }
        >
          {text.cancelled}
        </Banner>
      );
    }
    return (
      <>
        <SlowNotice what={what} onCancel={cancel} />
        <Skeleton rows={rows} columns={columns} />
      </>
    );
  }
  const skipped = skippedOf(data);
  return (
    <>
      {error && (
        <Banner
          tone="error"
          actions={
            <Button size="small" isBusy={isWaiting} onPress={retry}>
              {text.retry}
            </Button>
          }
        >
          {text.stale(error.message, relativeTime(BigInt(Math.round(updatedAt)) * 1_000_000n, nowNs()))}
        </Banner>
      )}
      {skipped.length > 0 && (
        <Banner tone="warn">{text.skipped(skipped.map((one) => `${one.what} (${one.why})`).join('; '))}</Banner>
      )}
      {isOld && isWaiting && <SlowNotice what={what} onCancel={cancel} />}
      <div className={css['answer']} data-old={isOld || undefined} aria-busy={isOld}>
        {children(data)}
      </div>
    </>
  );
}
