// After two seconds of waiting: for how long, what is being read, and a way out.

import { X } from 'lucide-react';
import { useEffect, useState } from 'react';
import { Button } from '../Button/Button.tsx';
import { useAfter } from '../hooks/useAfter.ts';
import css from './SlowNotice.module.css';
import { text } from './text.ts';

export type SlowNoticeProps = {
  /** As of `performance.now()`; the time of mounting if absent. */
  startedAt?: number | undefined;
  /** What is scanned: "6 h of spans, 412 segments". */
  what?: string | undefined;
  onCancel?: (() => void) | undefined;
  afterMs?: number | undefined;
};

export function SlowNotice({ startedAt, what, onCancel, afterMs = 2000 }: SlowNoticeProps) {
  const [start] = useState(() => startedAt ?? performance.now());
  const [now, setNow] = useState(() => performance.now());
  const isShown = useAfter(Math.max(0, start + afterMs - now));
  useEffect(() => {
    if (!isShown) return;
    setNow(performance.now());
    const timer = setInterval(() => setNow(performance.now()), 1000);
    return () => clearInterval(timer);
  }, [isShown]);
  if (!isShown) return null;
  return (
    <div className={css['notice']}>
      {/* The seconds are not in the status: a screen reader would read each of them. */}
      <span role="status">
        {text.working}
        {what !== undefined && <span className={css['what']}>{` ${what}`}</span>}
      </span>
      <span aria-hidden className={css['time']}>
        {text.seconds(Math.max(0, Math.round((now - start) / 1000)))}
      </span>
      {onCancel && (
        <Button size="small" icon={X} onPress={onCancel}>
          {text.cancel}
        </Button>
      )}
    </div>
  );
}
