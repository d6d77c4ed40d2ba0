// Everything around the pages: data, keys, links, and the page that the address names.

import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { Suspense, useEffect } from 'react';
import { I18nProvider, RouterProvider } from 'react-aria-components';
import { ApiError } from '../api/client.ts';
import { basePath } from '../core/boot.ts';
import { handleKey } from '../core/commands.ts';
import { goTo, useParsed } from '../core/navigation.ts';
import { usePreferences } from '../core/preferences.ts';
import { LiveRegion } from '../ui/LiveRegion/LiveRegion.tsx';
import { Skeleton } from '../ui/Skeleton/Skeleton.tsx';
import { parseUrl } from '../url/index.ts';
import { ErrorBoundary } from './ErrorBoundary.tsx';
import { applyLook } from './look.ts';
import { pageOf, prefetch } from './pages.tsx';
import { Shell } from './Shell.tsx';

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      gcTime: 300_000,
      // A question that is at fault stays so, and one that the store can't be asked; a server that starts may answer
      // the next time.
      retry: (count, error) =>
        count < 1 &&
        !(error instanceof ApiError && ((error.status >= 400 && error.status < 500) || error.status === 501)),
      refetchOnWindowFocus: false,
    },
  },
});

/** The address of the link within the app that an event is on, whoever drew it. */
function linkOf(event: Event): string | null {
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  if (link?.target !== '' || link.hasAttribute('download') || link.origin !== location.origin) return null;
  const path = link.pathname;
  const isOurs = path.startsWith(`${basePath}/`) && !path.startsWith(`${basePath}/api/`) && link.hash === '';
  return isOurs ? path + link.search : null;
}

/** A link within the app changes the address without a load. */
function followLink(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey)
    return;
  const address = linkOf(event);
  if (address === null) return;
  event.preventDefault();
  goTo(address);
}

/** A pointer or the focus comes to a link: its page is fetched before it is asked for. */
function prefetchLink(event: Event): void {
  const address = linkOf(event);
  if (address !== null) void prefetch(parseUrl(address, basePath).route.page);
}

export function App() {
  const { route, notices } = useParsed();
  const { theme, density } = usePreferences();
  // biome-ignore lint/correctness/useExhaustiveDependencies: it reads them from where they are kept
  useEffect(applyLook, [theme, density, route.embed.theme]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => void handleKey(event);
    document.addEventListener('keydown', onKey);
    document.addEventListener('click', followLink);
    document.addEventListener('pointerover', prefetchLink);
    document.addEventListener('focusin', prefetchLink);
    return () => {
      document.removeEventListener('keydown', onKey);
      document.removeEventListener('click', followLink);
      document.removeEventListener('pointerover', prefetchLink);
      document.removeEventListener('focusin', prefetchLink);
    };
  }, []);
  useEffect(() => {
    // Ids come in any case, short, or in base64; the address shows the one form that others can be found by.
    if (route.page !== 'trace') return;
    const path = `${basePath}/trace/${route.state.traceId}`;
    if (location.pathname !== path) goTo(path + location.search, { replace: true });
  }, [route]);
  const Page = pageOf(route.page);
  return (
    <QueryClientProvider client={client}>
      <I18nProvider locale={document.documentElement.lang || 'en'}>
        <RouterProvider navigate={(href) => goTo(href)}>
          <Shell route={route} notices={notices}>
            <ErrorBoundary resetKey={route.page}>
              <Suspense fallback={<Skeleton rows={12} />}>
                <Page route={route} />
              </Suspense>
            </ErrorBoundary>
          </Shell>
          <LiveRegion />
        </RouterProvider>
      </I18nProvider>
    </QueryClientProvider>
  );
}
