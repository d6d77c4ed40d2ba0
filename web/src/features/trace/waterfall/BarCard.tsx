// The card of the bar under the pointer. It listens by itself, so that pointing draws no row anew.

import { type RefObject, useEffect } from 'react';
import { useHoverCard } from '../../../ui/hooks/useHoverCard.ts';
import { isSamePointed, type PointedSpan, SpanCard } from '../SpanCard.tsx';
import { useTracePage } from '../state/page.tsx';
import type { TraceSession } from '../state/session.ts';
import type { WaterfallSurface } from './surface.ts';

/** A bar may be one pixel wide. */
const BESIDE_PX = 4;

type BarCardProps = {
  surface: WaterfallSurface;
  body: RefObject<HTMLElement | null>;
  /** Where the time side begins, and all of its place. */
  left: number;
  size: { readonly width: number; readonly height: number };
};

/** From the start of an entry to its end. */
function timesOf(session: TraceSession, { row, isGroup }: Pick<PointedSpan, 'row' | 'isGroup'>): [number, number] {
  if (isGroup) {
    const { from, to } = session.distribution(row);
    return [from, to];
  }
  const from = session.columns.start[row] as number;
  return [from, from + (session.columns.dur[row] as number)];
}

export function BarCard({ surface, body, left, size }: BarCardProps) {
  const { session, window } = useTracePage();
  const { shown, point, handlers } = useHoverCard(isSamePointed);
  useEffect(() => {
    const element = body.current;
    if (!element) return;
    const find = (event: PointerEvent): PointedSpan | null => {
      const at = element.getBoundingClientRect();
      const [x, y] = [event.clientX - at.left, event.clientY - at.top];
      const index = surface.indexAt(y);
      if (event.buttons !== 0 || x < left || index < 0) return null;
      const entry = { row: session.rows.rowAt(index), isGroup: session.rows.isGroupAt(index) };
      const [from, to] = timesOf(session, entry);
      const { bounds } = window;
      const perNs = surface.timeWidth / (bounds.to - bounds.from);
      const [start, end] = [left + (from - bounds.from) * perNs, left + (to - bounds.from) * perNs];
      return x < start - BESIDE_PX || x > end + BESIDE_PX ? null : { ...entry, x, y };
    };
    const onMove = (event: PointerEvent) => point(find(event));
    const onLeave = () => point(null);
    element.addEventListener('pointermove', onMove);
    element.addEventListener('pointerleave', onLeave);
    return () => {
      element.removeEventListener('pointermove', onMove);
      element.removeEventListener('pointerleave', onLeave);
    };
  }, [session, window, surface, body, left, point]);
  return shown === null ? null : <SpanCard at={shown} {...size} handlers={handlers} />;
}
