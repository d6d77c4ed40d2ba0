// What happened, said to screen readers: `announce('412 traces')` from anywhere; `<LiveRegion />` once in the shell.

import { useEffect, useState } from 'react';
import css from '../VisuallyHidden/VisuallyHidden.module.css';

type Said = { text: string; isUrgent: boolean; id: number };

const listeners = new Set<(said: Said) => void>();
let last = 0;

/** Says it politely, after what is being read; urgent only for errors that need an answer. */
export function announce(text: string, { isUrgent = false }: { isUrgent?: boolean } = {}): void {
  last += 1;
  for (const listener of listeners) listener({ text, isUrgent, id: last });
}

export function LiveRegion() {
  const [said, setSaid] = useState<Said>();
  useEffect(() => {
    listeners.add(setSaid);
    return () => {
      listeners.delete(setSaid);
    };
  }, []);
  // A new child each time: the same words twice are said twice. The attribute keeps dialogs from hiding the region.
  const child = said && <span key={said.id}>{said.text}</span>;
  return (
    <div data-live-announcer="true" className={css['hidden']}>
      <div role="log" aria-live="polite" aria-relevant="additions">
        {!said?.isUrgent && child}
      </div>
      <div role="log" aria-live="assertive" aria-relevant="additions">
        {said?.isUrgent && child}
      </div>
    </div>
  );
}
