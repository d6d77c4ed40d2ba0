// How old what is shown is, once that matters.

import { useEffect, useState } from 'react';
import { relativeTime } from '../../format/time.ts';
import css from './Map.module.css';
import { text } from './text.ts';

const LOOK_EVERY_MS = 10_000;
/** Younger answers are simply now. */
const OLD_MS = 60_000;

const ns = (ms: number) => BigInt(Math.round(ms)) * 1_000_000n;

export function Age({ atMs }: { atMs: number }) {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  if (now - atMs < OLD_MS) return null;
  return <span className={css['age']}>{text.updated(relativeTime(ns(atMs), ns(now)))}</span>;
}
