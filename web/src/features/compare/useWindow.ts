// Which rows of a long list are on screen. Rows have one height, so that is all it takes.

import { type RefObject, useLayoutEffect, useRef, useState } from 'react';
import { usePreferences } from '../../core/preferences.ts';
import { useNarrow } from './useNarrow.ts';

/** Rows beyond the edges, so that a quick scroll does not outrun the page. */
const BEYOND = 8;
/** Where nothing is laid out: tests, and before the first frame. */
const HEIGHT_UNKNOWN = 600;

const HEIGHTS = { relaxed: 32, default: 24, dense: 20 };

/** One line, or two where the page is narrow and a row has too much for one. */
export function useRowHeight(hasTwoLines: boolean): number {
  const { density } = usePreferences();
  const isNarrow = useNarrow();
  return isNarrow && hasTwoLines ? HEIGHTS[density] + 20 : HEIGHTS[density];
}

export type RowWindow = {
  readonly ref: RefObject<HTMLDivElement | null>;
  readonly first: number;
  /** Behind the last one. */
  readonly end: number;
  readonly scrollTop: number;
  readonly height: number;
  /** Brings a row into view: a step at a time, and what is far away to the middle. `head`: what covers the top. */
  readonly show: (index: number, head: number) => void;
};

export function useWindow(rowHeight: number, count: number): RowWindow {
  const ref = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: HEIGHT_UNKNOWN });
  useLayoutEffect(() => {
    const box = ref.current;
    if (!box) return;
    const read = () => {
      const next = { top: box.scrollTop, height: box.clientHeight || HEIGHT_UNKNOWN };
      setView((before) => (before.top === next.top && before.height === next.height ? before : next));
    };
    read();
    box.addEventListener('scroll', read, { passive: true });
    const observer = new ResizeObserver(read);
    observer.observe(box);
    return () => {
      box.removeEventListener('scroll', read);
      observer.disconnect();
    };
  }, []);
  return {
    ref,
    first: Math.max(0, Math.floor(view.top / rowHeight) - BEYOND),
    end: Math.min(count, Math.ceil((view.top + view.height) / rowHeight) + BEYOND),
    scrollTop: view.top,
    height: view.height,
    show: (index, head) => {
      const box = ref.current;
      if (!box) return;
      const top = index * rowHeight;
      const room = box.clientHeight - head - rowHeight;
      const from = box.scrollTop;
      if (top >= from && top <= from + room) return;
      const isNear = top >= from - rowHeight && top <= from + room + rowHeight;
      box.scrollTop = !isNear ? top - room / 2 : top < from ? top : top - room;
    },
  };
}
