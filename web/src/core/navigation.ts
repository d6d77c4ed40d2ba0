// The address bar as typed state: `useRoute` reads it, `go` changes it, `hrefOf` prints links.
//
// What changes *what* is shown pushes an entry of history, so that Back brings it again; what only refines *how* (zoom,
// typing) replaces the entry, at most four times a second, since browsers refuse more.

import { useMemo, useSyncExternalStore } from 'react';
import {
  type EmbedState,
  NOT_EMBEDDED,
  type Page,
  type Parsed,
  type Place,
  parseUrl,
  printUrl,
  type Route,
} from '../url/index.ts';
import { basePath } from './boot.ts';

const REPLACE_EVERY_MS = 250;

const listeners = new Set<() => void>();
/** The address that is shown: ahead of the bar while a replacement waits. */
let current = typeof location === 'undefined' ? '/' : location.pathname + location.search;
let waiting: number | undefined;
let isBack = false;
/** By page the place of it that was left last; the page that was left last is the last one. */
const left = new Map<Page, Place>();

function tell(): void {
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) addEventListener('popstate', onPop);
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) removeEventListener('popstate', onPop);
  };
}

function leave(): void {
  const { page, state } = routeNow();
  left.delete(page);
  left.set(page, { page, state } as Place);
}

function onPop(): void {
  clearTimeout(waiting);
  waiting = undefined;
  leave();
  current = location.pathname + location.search;
  isBack = true;
  tell();
}

/** Whether the reader came back here, or went Forward: then a page shows what it showed, at the same place. */
export function cameBack(): boolean {
  return isBack;
}

function flush(): void {
  clearTimeout(waiting);
  waiting = undefined;
  if (current !== location.pathname + location.search) history.replaceState(null, '', current);
}

/** The route that the address says, and what could not be read of it. */
export function useParsed(): Parsed {
  const url = useSyncExternalStore(subscribe, () => current);
  return useMemo(() => parseUrl(url, basePath), [url]);
}

export function useRoute(): Route {
  return useParsed().route;
}

/** The route now, for whoever is not drawing. */
export function routeNow(): Route {
  return parseUrl(current, basePath).route;
}

/** The address of a place; a page in a frame stays in its frame's form. */
export function hrefOf(place: Place, embed: EmbedState = routeNow().embed): string {
  return printUrl({ ...place, embed } as Route, basePath);
}

/** The place that was left last among those of these pages; null: none was since the app was loaded. */
export function lastLeft(...pages: readonly Page[]): Place | null {
  return [...left.values()].findLast(({ page }) => pages.includes(page)) ?? null;
}

type GoOptions = {
  readonly replace?: boolean;
  /** To where one was before: it shows what it showed, as after Back. */
  readonly asBefore?: boolean;
};

export function go(place: Place, options: GoOptions = {}): void {
  goTo(hrefOf(place), options);
}

/** Goes to an address of this app. */
export function goTo(url: string, { replace = false, asBefore = false }: GoOptions = {}): void {
  if (url === current) return;
  if (replace) {
    current = url;
    waiting ??= setTimeout(flush, REPLACE_EVERY_MS) as unknown as number;
  } else {
    flush();
    leave();
    current = url;
    isBack = asBefore;
    history.pushState(null, '', url);
  }
  tell();
}

/** The address to give to others: ours, absolute, with the present form of all state. */
export function shareUrl(route: Route): string {
  return new URL(printUrl({ ...route, embed: NOT_EMBEDDED }, basePath), location.origin).href;
}
