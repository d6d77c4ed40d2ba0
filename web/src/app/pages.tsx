// The pages: each is loaded when it is first shown, or when a pointer comes near a link to it.

import { type ComponentType, lazy } from 'react';
import type { Page, RouteOf } from '../url/index.ts';

type Loader<P extends Page> = () => Promise<{ default: ComponentType<{ route: RouteOf<P> }> }>;

const loaders: { [P in Page]: Loader<P> } = {
  home: () => import('../features/home/route.tsx'),
  search: () => import('../features/explore/route.tsx'),
  trace: () => import('../features/trace/route.tsx'),
  compare: () => import('../features/compare/route.tsx'),
  map: () => import('../features/map/route.tsx'),
  services: () => import('../features/services/route.tsx'),
  service: () => import('../features/service/route.tsx'),
  operation: () => import('../features/operation/route.tsx'),
  status: () => import('../features/status/route.tsx'),
  // The keys of all pages are chosen there.
  settings: async () => {
    const [page] = await Promise.all([import('../features/settings/route.tsx'), import('./allCommands.ts')]);
    return page;
  },
  notFound: () => import('../features/not-found/route.tsx'),
};

type Shown = ComponentType<{ route: RouteOf<Page> }>;

/** Modules that have come. */
const loaded = new Map<Page, Shown>();
/** What stands for a page since it was first shown: were it another later, the page would begin anew. */
const chosen = new Map<Page, Shown>();

/** The type of a page's route goes with its name, which TypeScript cannot follow over a union. */
async function load(page: Page): Promise<{ default: Shown }> {
  const module = (await loaders[page]()) as { default: Shown };
  loaded.set(page, module.default);
  return module;
}

/**
 * The page of a route. One that was fetched before is drawn at once: `lazy` would show the fallback first, and React
 * leaves a fallback for 300 ms when it was shown.
 */
export function pageOf(page: Page): Shown {
  const shown = chosen.get(page) ?? loaded.get(page) ?? lazy(() => load(page));
  chosen.set(page, shown);
  return shown;
}

/** Fetches a page before it is asked for; what fails now is tried again then. */
export async function prefetch(page: Page): Promise<void> {
  if (!loaded.has(page)) await load(page).catch(() => undefined);
}
