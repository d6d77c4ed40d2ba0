// How fast the counters of the doors grow: from the last two answers, since the server only counts.

import { useRef } from 'react';
import type { StatusAnswer } from '../../api/types.ts';

/** How fast it all goes. */
export type Rates = {
  readonly doors: ReadonlyMap<string, DoorRate>;
  /** Bytes that the store writes in a second. */
  readonly writes: number;
};

export type DoorRate = { readonly spans: number; readonly bytes: number; readonly requests: number };

/** Between two answers; null where they say nothing, as after a restart. */
export function ratesBetween(before: StatusAnswer, now: StatusAnswer): Rates | null {
  const seconds = Number(BigInt(now.nowNs) - BigInt(before.nowNs)) / 1e9;
  if (!(seconds > 0) || before.program.startedNs !== now.program.startedNs) return null;
  const doors = new Map<string, DoorRate>();
  for (const door of now.program.receivers) {
    const old = before.program.receivers.find(({ protocol }) => protocol === door.protocol);
    if (!old) continue;
    doors.set(door.protocol, {
      spans: (door.spans - old.spans) / seconds,
      bytes: (door.bytes - old.bytes) / seconds,
      requests: (door.requests - old.requests) / seconds,
    });
  }
  const written = now.program.store.writtenBytes - before.program.store.writtenBytes;
  return { doors, writes: written / seconds };
}

/** Null until there are two answers. */
export function useRates(status: StatusAnswer): Rates | null {
  const seen = useRef<{ last: StatusAnswer; rates: Rates | null }>({ last: status, rates: null });
  if (seen.current.last !== status) {
    seen.current = { last: status, rates: ratesBetween(seen.current.last, status) };
  }
  return seen.current.rates;
}
