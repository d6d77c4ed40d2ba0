// The scroll bar of the rows: the one part of the waterfall that React draws again while it scrolls.

import { useSyncExternalStore } from 'react';
import { Scrollbar } from '../../../ui/Scrollbar/Scrollbar.tsx';
import type { WaterfallSurface } from './surface.ts';
import { text } from './text.ts';
import css from './Waterfall.module.css';

export function RowsScrollbar({ surface }: { surface: WaterfallSurface }) {
  // A text, since it has to be the same while nothing changed.
  const state = useSyncExternalStore(surface.subscribe, () => {
    const { value, page, total } = surface.bar;
    return `${value} ${page} ${total}`;
  });
  const [value = 0, page = 0, total = 0] = state.split(' ').map(Number);
  const { count, rowHeight } = surface.geometry;
  const first = Math.min(count, Math.floor(value) + 1);
  const last = Math.min(count, Math.ceil(value + page));
  return (
    <Scrollbar
      label={text.scroll}
      value={value}
      page={page}
      total={total}
      valueText={text.scrolled(first, last, count)}
      onChange={(next) => surface.scrollTo(next * rowHeight)}
      className={css['scrollbar']}
    />
  );
}
