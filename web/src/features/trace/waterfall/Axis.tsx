// The axis of time over bars and levels: a drag along it zooms there, a double press shows the whole trace.

import { useRef } from 'react';
import { fitTo } from '../../../canvas/viewport.ts';
import { linearTicks } from '../../../format/durationAxis.ts';
import { useRangeDrag } from '../minimap/useRangeDrag.ts';
import { useTracePage, useWindowBounds } from '../state/page.tsx';
import css from './Waterfall.module.css';

/** A tick nearer to the end has no room for its label. */
const LABEL_PX = 48;

export function Axis({ width }: { width: number }) {
  const { window } = useTracePage();
  const { from, to } = useWindowBounds(window);
  const element = useRef<HTMLDivElement>(null);
  const at = (x: number) => from + (x / Math.max(1, width)) * (to - from);
  const drag = useRangeDrag(element, (a, b) => window.set(fitTo(window.view(width), window, at(a), at(b))));
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys zoom and pan; this is the pointer's way
    <div ref={element} className={css['axis']} {...drag.handlers} onDoubleClick={() => window.showAll()}>
      {linearTicks(from, to, width)
        .map((tick) => ({ ...tick, x: ((tick.at - from) / (to - from)) * width }))
        .filter(({ x }) => x < width - LABEL_PX)
        .map(({ label, x }) => (
          <span key={label} aria-hidden className={css['tick']} style={{ insetInlineStart: `${x}px` }}>
            {label}
          </span>
        ))}
      {drag.range !== null && (
        <span
          aria-hidden
          className={css['dragged']}
          style={{ insetInlineStart: `${drag.range.from}px`, inlineSize: `${drag.range.to - drag.range.from}px` }}
        />
      )}
    </div>
  );
}
