// Pointing, pressing and dragging on a chart. A press that moves less than five pixels is a press and not a drag.

import { type PointerEvent, useRef, useState } from 'react';
import type { Area } from './overview.ts';

const SLOP_PX = 5;

export type Spot = { readonly x: number; readonly y: number };

type BrushOptions = {
  onHover: (spot: Spot | null) => void;
  onPress: (spot: Spot) => void;
  onSelect: (area: Area) => void;
};

function spotOf(event: PointerEvent<HTMLElement>): Spot {
  const box = event.currentTarget.getBoundingClientRect();
  const clamp = (share: number) => Math.min(1, Math.max(0, share));
  return {
    x: clamp((event.clientX - box.left) / Math.max(1, box.width)),
    y: clamp(1 - (event.clientY - box.top) / Math.max(1, box.height)),
  };
}

function areaOf(a: Spot, b: Spot): Area {
  return {
    left: Math.min(a.x, b.x),
    right: Math.max(a.x, b.x),
    bottom: Math.min(a.y, b.y),
    top: Math.max(a.y, b.y),
  };
}

/** `dragged` is what is being selected; the handlers go on the element that the shares are of. */
export function useBrush({ onHover, onPress, onSelect }: BrushOptions) {
  const from = useRef<{ spot: Spot; x: number; y: number } | null>(null);
  const [dragged, setDragged] = useState<Area | null>(null);
  const isDrag = (event: PointerEvent<HTMLElement>) =>
    from.current !== null && Math.hypot(event.clientX - from.current.x, event.clientY - from.current.y) > SLOP_PX;
  return {
    dragged,
    handlers: {
      onPointerDown: (event: PointerEvent<HTMLElement>) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        from.current = { spot: spotOf(event), x: event.clientX, y: event.clientY };
      },
      onPointerMove: (event: PointerEvent<HTMLElement>) => {
        const spot = spotOf(event);
        if (from.current === null) onHover(spot);
        else if (dragged !== null || isDrag(event)) {
          onHover(null);
          setDragged(areaOf(from.current.spot, spot));
        }
      },
      onPointerUp: (event: PointerEvent<HTMLElement>) => {
        const began = from.current;
        from.current = null;
        setDragged(null);
        if (began === null) return;
        if (dragged !== null) onSelect(areaOf(began.spot, spotOf(event)));
        else onPress(began.spot);
      },
      onPointerCancel: () => {
        from.current = null;
        setDragged(null);
      },
      onPointerLeave: () => onHover(null),
    },
  };
}
