// The keys of every list of rows: j/k and the arrows move, Home, End and Page jump, Enter opens, x marks. They act only
// while the focus is in the list (so that single letters stay free elsewhere), and never in inputs.

import type { KeyboardEvent } from 'react';

export type ListKeys = {
  count: number;
  /** -1: none yet. */
  current: number;
  onMove: (index: number) => void;
  onOpen?: ((index: number) => void) | undefined;
  onMark?: ((index: number) => void) | undefined;
  /** Other keys: `{ f: filter, 'Shift+F': exclude }`. */
  others?: Readonly<Record<string, (index: number) => void>> | undefined;
  pageSize?: number | undefined;
};

/** Where a key moves to in a list; null: nowhere. */
export function listTarget(
  { count, current, pageSize = 20 }: Pick<ListKeys, 'count' | 'current' | 'pageSize'>,
  key: string,
): number | null {
  const last = count - 1;
  if (key === 'ArrowDown' || key === 'j') return Math.min(last, current + 1);
  if (key === 'ArrowUp' || key === 'k') return Math.max(0, current - 1);
  if (key === 'PageDown') return Math.min(last, Math.max(0, current) + pageSize);
  if (key === 'PageUp') return Math.max(0, current - pageSize);
  if (key === 'Home') return 0;
  if (key === 'End') return last;
  return null;
}

export function isTyping(element: EventTarget | null): boolean {
  if (!(element instanceof HTMLElement)) return false;
  if (element instanceof HTMLInputElement) return !['checkbox', 'radio', 'button'].includes(element.type);
  return element.isContentEditable || element.matches('textarea, select');
}

export function useListKeys(list: ListKeys): { onKeyDown: (event: KeyboardEvent<HTMLElement>) => void } {
  return {
    onKeyDown(event) {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      if (list.count === 0 || isTyping(event.target)) return;
      const isOnControl = event.target instanceof Element && event.target.closest('button, a, input') !== null;
      const { key } = event;
      const current = list.current;
      const next = event.shiftKey ? null : listTarget(list, key);
      const other = list.others?.[event.shiftKey ? `Shift+${key}` : key];
      if (next !== null) list.onMove(next);
      else if (key === 'Enter' && !isOnControl && list.onOpen && current >= 0) list.onOpen(current);
      else if (key === 'x' && list.onMark && current >= 0) list.onMark(current);
      else if (other && current >= 0) other(current);
      else return;
      event.preventDefault();
      event.stopPropagation();
    },
  };
}
