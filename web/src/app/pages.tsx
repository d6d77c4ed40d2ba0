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

const pages: { [P in Page]: ComponentType<{ route: RouteOf<P> }> } = {
  home: lazy(loaders.home),
  search: lazy(loaders.search),
  trace: lazy(loaders.trace),
  compare: lazy(loaders.compare),
  map: lazy(loaders.map),
  services: lazy(loaders.services),
  service: lazy(loaders.service),
  operation: lazy(loaders.operation),
  status: lazy(loaders.status),
  settings: lazy(loaders.settings),
  notFound: lazy(loaders.notFound),
};

/** The page of a route. The type of its route goes with its name, which TypeScript cannot follow over a union. */
export function pageOf(page: Page): ComponentType<{ route: RouteOf<Page> }> {
  return pages[page] as ComponentType<{ route: RouteOf<Page> }>;
}

/** Fetches a page before it is asked for; what fails now is tried again then. */
export function prefetch(page: Page): void {
  loaders[page]().catch(() => undefined);
}
