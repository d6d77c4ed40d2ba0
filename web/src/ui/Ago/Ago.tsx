// "Updated 12 s ago", counting by itself. Not read out each time: it is no news.

import { relativeTime } from '../../format/time.ts';
import { useNow } from '../hooks/useNow.ts';
import css from './Ago.module.css';
import { text } from './text.ts';

export type AgoProps = {
  /** Milliseconds since the epoch; 0: never. */
  at: number;
  isWaiting?: boolean | undefined;
};

export function Ago({ at, isWaiting = false }: AgoProps) {
  const now = useNow(1000);
  if (at === 0) return null;
  const ago = relativeTime(BigInt(Math.round(at)) * 1_000_000n, BigInt(Math.max(now, at)) * 1_000_000n);
  return <span className={css['ago']}>{isWaiting ? text.updating : text.updated(ago)}</span>;
}
