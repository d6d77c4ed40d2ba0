// What a reader likes: theme, zone, density, keys, sizes. Kept in the browser, never in a link; opening a link changes
// none of it.

import { useSyncExternalStore } from 'react';
import * as v from 'valibot';

const KEY = 'trackway.preferences.v1';

const PREFERENCES = v.object({
  theme: v.fallback(v.picklist(['system', 'light', 'dark']), 'system'),
  /** `browser`, `UTC` or a name of the IANA. */
  zone: v.fallback(v.string(), 'browser'),
  density: v.fallback(v.picklist(['relaxed', 'default', 'dense']), 'default'),
  /** Whether single letters do something. */
  singleKeys: v.fallback(v.boolean(), true),
  keyPreset: v.fallback(v.picklist(['trackway', 'jaeger']), 'trackway'),
  /** Keys by the id of their command, where the reader has changed them. */
  keys: v.fallback(v.record(v.string(), v.array(v.string())), {}),
  panel: v.fallback(v.picklist(['right', 'bottom', 'inline']), 'right'),
  panelOpen: v.fallback(v.boolean(), true),
  /** The query of the search page, as conditions one by one or as text. */
  queryAs: v.fallback(v.picklist(['chips', 'text']), 'chips'),
  /** The charts above results, or the same numbers as a table. */
  charts: v.fallback(v.picklist(['drawn', 'table', 'hidden']), 'drawn'),
  /** Sizes of panels by name, in pixels. */
  sizes: v.fallback(v.record(v.string(), v.number()), {}),
  /** Attributes that stand first in the details of a span. */
  pinned: v.fallback(v.array(v.string()), []),
  /** Facets that stand first. */
  starred: v.fallback(v.array(v.string()), []),
  /** Queries that were run, the last one first. */
  history: v.fallback(v.array(v.string()), []),
  /** Traces that were opened, the last one first. */
  recent: v.fallback(v.array(v.object({ traceId: v.string(), title: v.string() })), []),
  /** Traces that were put aside for comparing. */
  basket: v.fallback(v.array(v.string()), []),
});

export type Preferences = v.InferOutput<typeof PREFERENCES>;

const HISTORY_MAX = 100;
const RECENT_MAX = 20;
const BASKET_MAX = 20;

function parse(text: string | null): Preferences {
  try {
    return v.parse(PREFERENCES, text === null ? {} : JSON.parse(text));
  } catch {
    return v.parse(PREFERENCES, {});
  }
}

function load(): Preferences {
  try {
    return parse(localStorage.getItem(KEY));
  } catch {
    // Storage is off, as in some frames: everything works and nothing is remembered.
    return parse(null);
  }
}

const listeners = new Set<() => void>();
let current: Preferences = load();

function set(next: Preferences): void {
  current = next;
  for (const listener of listeners) listener();
}

if (typeof addEventListener === 'function') {
  // Another tab changed something.
  addEventListener('storage', (event) => {
    if (event.key === KEY) set(parse(event.newValue));
  });
}

export function preferences(): Preferences {
  return current;
}

export function usePreferences(): Preferences {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );
}

export function prefer(changes: Partial<Preferences>): void {
  set({ ...current, ...changes });
  try {
    localStorage.setItem(KEY, JSON.stringify(current));
  } catch {
    // Full or off: it holds until the page is closed.
  }
}

export function resetPreferences(): void {
  prefer(parse(null));
}

function first<T>(item: T, list: readonly T[], most: number, isSame: (a: T, b: T) => boolean): T[] {
  return [item, ...list.filter((other) => !isSame(other, item))].slice(0, most);
}

export function rememberQuery(query: string): void {
  if (query !== '' && query !== current.history[0])
    prefer({ history: first(query, current.history, HISTORY_MAX, (a, b) => a === b) });
}

export function rememberTrace(traceId: string, title: string): void {
  const seen = { traceId, title };
  if (current.recent[0]?.traceId === traceId && current.recent[0].title === title) return;
  prefer({ recent: first(seen, current.recent, RECENT_MAX, (a, b) => a.traceId === b.traceId) });
}

/** Puts a trace aside for comparing, or takes it back. */
export function toggleInBasket(traceId: string): void {
  const has = current.basket.includes(traceId);
  const basket = has ? current.basket.filter((id) => id !== traceId) : [...current.basket, traceId];
  prefer({ basket: basket.slice(-BASKET_MAX) });
}

export function setSize(name: string, px: number): void {
  prefer({ sizes: { ...current.sizes, [name]: Math.round(px) } });
}
