// The same object as long as it says the same: each change of the address makes all of the state anew.

import { useRef } from 'react';

export function useStable<T>(value: T): T {
  const last = useRef<{ text: string; value: T } | null>(null);
  const text = JSON.stringify(value);
  if (last.current?.text !== text) last.current = { text, value };
  return last.current.value;
}
