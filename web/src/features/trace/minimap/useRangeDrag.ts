// A drag along an axis as a range of pixels. Less than 5 px is a press and changes nothing.

import { type PointerEvent, type RefObject, useRef, useState } from 'react';

const CLICK_PX = 5;

type Range = { readonly from: number; readonly to: number };

export function useRangeDrag(
  element: RefObject<HTMLElement | null>,
  onRange: (fromPx: number, toPx: number) => void,
  onPress?: (px: number) => void,
): {
  readonly range: Range | null;
  readonly handlers: {
    onPointerDown: (event: PointerEvent) => void;
    onPointerMove: (event: PointerEvent) => void;
    onPointerUp: (event: PointerEvent) => void;
    onPointerCancel: () => void;
  };
} {
  const start = useRef<number | null>(null);
  const [range, setRange] = useState<Range | null>(null);
  const at = (event: PointerEvent) => {
    const box = element.current?.getBoundingClientRect();
    return box ? Math.min(box.width, Math.max(0, event.clientX - box.left)) : 0;
  };
  return {
    range,
    handlers: {
      onPointerDown(event) {
        if (event.button !== 0) return;
        start.current = at(event);
        element.current?.setPointerCapture(event.pointerId);
      },
      onPointerMove(event) {
        if (start.current === null) return;
        const now = at(event);
        if (range === null && Math.abs(now - start.current) < CLICK_PX) return;
        setRange({ from: Math.min(now, start.current), to: Math.max(now, start.current) });
      },
      onPointerUp() {
        if (start.current === null) return;
        if (range !== null) onRange(range.from, range.to);
        else onPress?.(start.current);
        start.current = null;
        setRange(null);
      },
      onPointerCancel() {
        start.current = null;
        setRange(null);
      },
    },
  };
}
