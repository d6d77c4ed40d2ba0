// Wheel, drag and fingers over a view of time: up and down scrolls, sideways pans, Ctrl and pinch zoom where the
// pointer is. Deltas are taken as the system gives them; its momentum is ours. A press that moves less than 5 px is a
// click.

import { panBy, zoomAt } from '../../../canvas/viewport.ts';
import type { TimeWindow } from '../state/timeWindow.ts';

const CLICK_PX = 5;
const LINE_PX = 16;
const ZOOM_PER_PX = 0.0025;
/** How much of its speed a flung list has after a frame. */
const FRICTION = 0.95;

export type GestureTarget = {
  readonly window: () => TimeWindow;
  /** Where the time side begins in the element, and how wide it is. */
  readonly time: () => { readonly left: number; readonly width: number };
  readonly scrollBy: (pixels: number) => void;
  readonly pageHeight: () => number;
  readonly onClick: (event: PointerEvent) => void;
  /** A press with Shift that moved: the two ends on the time side, in px; null when it ended. */
  readonly onMeasure?: (fromPx: number, toPx: number) => void;
};

/** Zooms the window at a place of the time side. */
export function zoomWindow(window: TimeWindow, width: number, x: number, factor: number): void {
  window.set(zoomAt(window.view(width), window, x, factor));
}

export function panWindow(window: TimeWindow, width: number, pixels: number): void {
  window.set(panBy(window.view(width), window, pixels));
}

export function listenForGestures(element: HTMLElement, target: GestureTarget): () => void {
  const pointers = new Map<number, { x: number; y: number }>();
  let start: { x: number; y: number; isTime: boolean; isMeasure: boolean } | null = null;
  let hasMoved = false;
  let speed = 0;
  let fling = 0;

  function inTime(clientX: number): number {
    return clientX - element.getBoundingClientRect().left - target.time().left;
  }

  /** Keys zoom where the pointer is. */
  function note(event: PointerEvent): void {
    const share = inTime(event.clientX) / target.time().width;
    target.window().pointer = share >= 0 && share <= 1 ? share : null;
  }

  function leave(): void {
    target.window().pointer = null;
  }

  function wheel(event: WheelEvent): void {
    if (event.target instanceof Element && event.target.closest('[data-own-wheel]') !== null) return;
    event.preventDefault();
    stopFling();
    const unit = event.deltaMode === 1 ? LINE_PX : event.deltaMode === 2 ? target.pageHeight() : 1;
    const dx = event.deltaX * unit;
    const dy = event.deltaY * unit;
    const { width } = target.time();
    const x = inTime(event.clientX);
    if (event.ctrlKey || event.metaKey) {
      zoomWindow(target.window(), width, Math.min(Math.max(x, 0), width), Math.exp(dy * ZOOM_PER_PX * 2));
    } else if (event.shiftKey && dx === 0) panWindow(target.window(), width, dy);
    else {
      if (Math.abs(dx) > Math.abs(dy)) panWindow(target.window(), width, dx);
      else target.scrollBy(dy);
    }
  }

  function down(event: PointerEvent): void {
    if (event.button !== 0 || isOwn(event)) return;
    stopFling();
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (pointers.size === 1) {
      start = { x: event.clientX, y: event.clientY, isTime: inTime(event.clientX) >= 0, isMeasure: event.shiftKey };
      hasMoved = false;
    }
  }

  function move(event: PointerEvent): void {
    const before = pointers.get(event.pointerId);
    if (before === undefined || start === null) return;
    const now = { x: event.clientX, y: event.clientY };
    if (!hasMoved && pointers.size === 1) {
      if (Math.hypot(now.x - start.x, now.y - start.y) < CLICK_PX) return;
      hasMoved = true;
      element.setPointerCapture(event.pointerId);
    }
    const { width } = target.time();
    if (pointers.size === 2) {
      hasMoved = true;
      const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1] ?? now;
      const apart = Math.max(10, Math.abs(before.x - other.x));
      const nowApart = Math.max(10, Math.abs(now.x - other.x));
      const middle = inTime((now.x + other.x) / 2);
      zoomWindow(target.window(), width, Math.min(Math.max(middle, 0), width), apart / nowApart);
    } else if (start.isMeasure && target.onMeasure !== undefined) {
      target.onMeasure(inTime(start.x), inTime(now.x));
    } else {
      if (start.isTime) panWindow(target.window(), width, before.x - now.x);
      if (event.pointerType === 'touch' || start.isTime) {
        target.scrollBy(before.y - now.y);
        speed = before.y - now.y;
      }
    }
    pointers.set(event.pointerId, now);
  }

  function up(event: PointerEvent): void {
    if (!pointers.delete(event.pointerId) || pointers.size > 0) return;
    const wasClick = start !== null && !hasMoved && event.type === 'pointerup';
    start = null;
    if (wasClick) target.onClick(event);
    else if (event.pointerType === 'touch' && Math.abs(speed) > 2) fling = requestAnimationFrame(flingOn);
    else speed = 0;
  }

  function flingOn(): void {
    speed *= FRICTION;
    target.scrollBy(speed);
    fling = Math.abs(speed) > 0.5 ? requestAnimationFrame(flingOn) : 0;
  }

  function stopFling(): void {
    cancelAnimationFrame(fling);
    fling = 0;
    speed = 0;
  }

  element.addEventListener('wheel', wheel, { passive: false });
  element.addEventListener('pointerdown', down);
  element.addEventListener('pointermove', move);
  element.addEventListener('pointermove', note);
  element.addEventListener('pointerleave', leave);
  element.addEventListener('pointerup', up);
  element.addEventListener('pointercancel', up);
  return () => {
    stopFling();
    leave();
    element.removeEventListener('wheel', wheel);
    element.removeEventListener('pointerdown', down);
    element.removeEventListener('pointermove', move);
    element.removeEventListener('pointermove', note);
    element.removeEventListener('pointerleave', leave);
    element.removeEventListener('pointerup', up);
    element.removeEventListener('pointercancel', up);
  };
}

function isOwn(event: PointerEvent): boolean {
  return event.target instanceof Element && event.target.closest('[data-own-wheel], [role=separator]') !== null;
}
