// A card about what is under the pointer, as WCAG 1.4.13 wants it: Escape takes it away and the pointer stays where it
// is; the pointer may go onto the card, which is why another thing takes its place only after a moment.

import { useCallback, useEffect, useMemo, useRef, useState } from 'react';

const OPEN_MS = 80;
/** How long the pointer may take from what it pointed at to the card. */
const STAY_MS = 200;

export type HoverCard<T> = {
  readonly shown: T | null;
  /** What the pointer is over now; null: nothing. */
  readonly point: (next: T | null) => void;
  /** At once, and until the pointer is over something else. */
  readonly dismiss: () => void;
  /** For the element of the card. */
  readonly handlers: { readonly onPointerEnter: () => void; readonly onPointerLeave: () => void };
};

export function useHoverCard<T>(isSame: (a: T, b: T) => boolean = Object.is): HoverCard<T> {
  const [shown, setShown] = useState<T | null>(null);
  const same = useRef(isSame);
  same.current = isSame;
  const now = useRef<{
    shown: T | null;
    wanted: T | null;
    dismissed: T | null;
    isOnCard: boolean;
    timer: ReturnType<typeof setTimeout> | undefined;
  }>({ shown: null, wanted: null, dismissed: null, isOnCard: false, timer: undefined });

  const rest = useCallback((): void => {
    clearTimeout(now.current.timer);
    now.current.timer = undefined;
  }, []);
  const show = useCallback(
    (next: T | null): void => {
      rest();
      now.current.shown = next;
      now.current.isOnCard = false;
      setShown(next);
    },
    [rest],
  );
  const point = useCallback(
    (next: T | null): void => {
      const state = now.current;
      const isIt = (other: T | null) => next !== null && other !== null && same.current(next, other);
      if (!isIt(state.dismissed)) state.dismissed = null;
      state.wanted = state.dismissed === null ? next : null;
      // What the pointer left tells so after the card was entered, or before.
      if (state.isOnCard) return;
      if (state.wanted === null ? state.shown === null : isIt(state.shown)) rest();
      else state.timer ??= setTimeout(() => show(now.current.wanted), state.shown === null ? OPEN_MS : STAY_MS);
    },
    [rest, show],
  );
  const dismiss = useCallback((): void => {
    now.current.dismissed = now.current.shown;
    show(null);
  }, [show]);
  useEffect(() => rest, [rest]);
  useEffect(() => {
    if (shown === null) return;
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== 'Escape') return;
      // One level up is this card; what Escape means to others comes with the next press.
      event.preventDefault();
      event.stopPropagation();
      dismiss();
    };
    const onWheel = (): void => show(null);
    window.addEventListener('keydown', onKey, true);
    window.addEventListener('wheel', onWheel, { capture: true, passive: true });
    return () => {
      window.removeEventListener('keydown', onKey, true);
      window.removeEventListener('wheel', onWheel, true);
    };
  }, [shown, dismiss, show]);
  const handlers = useMemo(
    () => ({
      onPointerEnter: () => {
        now.current.isOnCard = true;
        rest();
      },
      onPointerLeave: () => {
        now.current.isOnCard = false;
        point(null);
      },
    }),
    [rest, point],
  );
  return { shown, point, dismiss, handlers };
}
