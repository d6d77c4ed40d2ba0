// True once a time has passed: what comes at once is not announced by a flash of "loading".

import { useEffect, useState } from 'react';

export function useAfter(ms: number): boolean {
  const [isPast, setPast] = useState(ms <= 0);
  useEffect(() => {
    if (ms <= 0) return;
    const timer = setTimeout(() => setPast(true), ms);
    return () => clearTimeout(timer);
  }, [ms]);
  return isPast;
}
