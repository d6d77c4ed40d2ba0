// The pane of the details, at the right or at the bottom, with the line that sizes it.

import { type ReactNode, useId, useRef, useState } from 'react';
import { setSize, usePreferences } from '../../../core/preferences.ts';
import { Splitter } from '../../../ui/Splitter/Splitter.tsx';
import css from '../Trace.module.css';
import { text } from '../text.ts';
import { PANEL_PX, PANEL_PX_MIN, SIDE_SIZE, VIEW_HEIGHT_PX_MIN, VIEW_PX_MIN } from './sizes.ts';
import { usePlace } from './usePlace.ts';

export function SidePanel({ children }: { children: ReactNode }) {
  const isBottom = usePlace() !== 'right';
  const { sizes } = usePreferences();
  const [dragged, setDragged] = useState<number | null>(null);
  const pane = useRef<HTMLElement>(null);
  const id = useId();
  const name = SIDE_SIZE[isBottom ? 'bottom' : 'right'];
  const around = pane.current?.parentElement;
  const room = isBottom
    ? (around?.clientHeight ?? innerHeight * 0.75) - VIEW_HEIGHT_PX_MIN
    : (around?.clientWidth ?? innerWidth) - VIEW_PX_MIN;
  const max = Math.max(PANEL_PX_MIN / 2, room);
  const wanted = dragged ?? sizes[name] ?? (isBottom ? Math.min(PANEL_PX, room * 0.6) : PANEL_PX);
  const px = Math.round(Math.min(max, wanted));
  return (
    <>
      <Splitter
        label={text.detailsSize}
        orientation={isBottom ? 'horizontal' : 'vertical'}
        isReversed
        value={px}
        min={Math.min(PANEL_PX_MIN, max)}
        max={max}
        defaultValue={PANEL_PX}
        controls={id}
        onChange={setDragged}
        onCommit={(next) => {
          setSize(name, next);
          setDragged(null);
        }}
      />
      <aside
        ref={pane}
        id={id}
        aria-label={text.details}
        className={css['side']}
        style={isBottom ? { blockSize: px } : { inlineSize: px }}
      >
        {children}
      </aside>
    </>
  );
}
