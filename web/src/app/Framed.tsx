// Tells the page around a frame with `embed=1` how high this page would like to be, and which span is selected:
//
//   { source: 'trackway', type: 'height', height: 812 }
//   { source: 'trackway', type: 'selection', traceId: '4bf9…', spanId: '00f0…' }
//
// Each only when it changes. Nothing is ever listened to.

import { useEffect, useRef } from 'react';
import type { Route } from '../url/index.ts';

/** What a frame may be asked to be: a million rows would be 24,000,000 px. */
const HEIGHT_PX_MIN = 320;
const HEIGHT_PX_MAX = 10_000;

export type FrameMessage = { readonly source: 'trackway' } & (
  | { readonly type: 'height'; readonly height: number }
  | { readonly type: 'selection'; readonly traceId: string | null; readonly spanId: string | null }
);

/**
 * To whom messages may go: the site that the browser says loaded the frame; null where it does not say.
 *
 * `*` would tell whoever managed to frame the page what is read in it, and another window may have led the frame
 * elsewhere since; a message to this origin is dropped by the browser when the page around is of another. What the page
 * around may claim by itself (a parameter, a message) is no better than `*`. So a page that hides its address
 * (`Referrer-Policy: no-referrer`) is told nothing.
 */
export function originOfFrame(referrer: string): string | null {
  if (!/^https?:/i.test(referrer)) return null;
  try {
    return new URL(referrer).origin;
  } catch {
    return null;
  }
}

function tell(message: FrameMessage): void {
  const origin = window.parent === window ? null : originOfFrame(document.referrer);
  if (origin !== null) window.parent.postMessage(message, origin);
}

/** By how much a list that scrolls within the page is higher than its place; negative: its place is not filled. */
function overflowOf(main: HTMLElement): number {
  const lists = [
    ...Array.from(main.querySelectorAll<HTMLElement>('[data-full-height]'), (list) => {
      return Number(list.dataset['fullHeight']) - list.clientHeight;
    }),
    ...Array.from(main.querySelectorAll('table'), ({ offsetHeight, parentElement }) => {
      return parentElement === null ? 0 : offsetHeight - parentElement.clientHeight;
    }),
  ];
  return lists.length === 0 ? 0 : Math.max(...lists);
}

/** The height at which nothing of the page has to be scrolled. */
export function heightOf(main: HTMLElement): number {
  const top = main.getBoundingClientRect().top - main.scrollTop;
  let bottom = 0;
  for (const page of main.children) {
    const own = page.getBoundingClientRect().bottom - top;
    // A page fills the frame: how high it is by itself is told by its parts.
    const parts = Array.from(page.children, (part) => part.getBoundingClientRect().bottom - top);
    const padding = Number.parseFloat(getComputedStyle(page).paddingBlockEnd) || 0;
    bottom = Math.max(bottom, parts.length === 0 ? own : Math.max(...parts) + padding);
  }
  return Math.min(HEIGHT_PX_MAX, Math.max(HEIGHT_PX_MIN, Math.ceil(bottom + overflowOf(main))));
}

/** Draws nothing: it is a component so that only framed pages fetch it. */
export function Framed({ route }: { route: Route }): null {
  const said = useRef('');
  const [traceId, spanId] = route.page === 'trace' ? [route.state.traceId, route.state.span] : [null, null];
  useEffect(() => {
    const selection = spanId === null ? '' : `${traceId} ${spanId}`;
    if (selection === said.current) return;
    said.current = selection;
    tell({ source: 'trackway', type: 'selection', traceId, spanId });
  }, [traceId, spanId]);
  useEffect(() => {
    const main = document.getElementById('main');
    if (main === null) return;
    let last = 0;
    let frame = 0;
    const measure = () => {
      frame = 0;
      const height = heightOf(main);
      if (height === last) return;
      last = height;
      tell({ source: 'trackway', type: 'height', height });
    };
    const soon = () => {
      if (frame === 0) frame = requestAnimationFrame(measure);
    };
    const sizes = new ResizeObserver(soon);
    sizes.observe(main);
    // Rows that come and go change no box that could be observed.
    const changes = new MutationObserver(soon);
    changes.observe(main, { childList: true, subtree: true, attributeFilter: ['data-full-height'] });
    soon();
    return () => {
      cancelAnimationFrame(frame);
      sizes.disconnect();
      changes.disconnect();
    };
  }, []);
  return null;
}
