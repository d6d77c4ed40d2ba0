// How full the store is. Pure.

import type { StoreStatus } from '../api/types.ts';

/** Shares from which on the store is worth a warning, and is about to be full. */
const WARN = 0.85;
const FULL = 0.95;
const DAY_SECONDS = 86_400;

export type Fill = {
  /** Without a limit of its own the store may take the disk. */
  readonly most: number;
  readonly share: number;
  readonly tone: 'normal' | 'warn' | 'error';
};

/** Null where neither a limit nor the disk is known. */
export function fillOf({ bytes, bytesMax, diskFreeBytes }: StoreStatus): Fill | null {
  const most = bytesMax ?? (diskFreeBytes === null ? null : bytes + diskFreeBytes);
  if (most === null || most <= 0) return null;
  const share = bytes / most;
  return { most, share, tone: share >= FULL ? 'error' : share >= WARN ? 'warn' : 'normal' };
}

/** Beyond a year nothing is worth being said: growth of hours tells nothing of years. */
const DAYS_MAX = 365;

/** Whole days until there is no more room; null where that can't be told, or old spans leave by their age before. */
export function daysLeft({ growth }: StoreStatus): number | null {
  const seconds = growth?.fullInSeconds ?? null;
  if (seconds === null) return null;
  const days = Math.floor(seconds / DAY_SECONDS);
  return days > DAYS_MAX ? null : days;
}
