// "Refresh" for what the query cache does not keep, such as a whole trace.

import { useEffect, useRef } from 'react';

const listeners = new Set<() => void>();

export function refreshOthers(): void {
  for (const listener of listeners) listener();
}

/** Runs at each "Refresh" while the component is shown. */
export function useRefresh(run: () => void): void {
  const latest = useRef(run);
  latest.current = run;
  useEffect(() => {
    const listener = () => latest.current();
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }, []);
}
