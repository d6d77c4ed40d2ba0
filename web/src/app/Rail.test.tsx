// @vitest-environment happy-dom
// The rail: where its links and keys lead.

import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, cleanup, render, screen } from '@testing-library/react';
import { afterEach, expect, test, vi } from 'vitest';
import { handleKey } from '../core/commands.ts';
import { goTo, useParsed } from '../core/navigation.ts';
import { Shell } from './Shell.tsx';

vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener() {}, removeEventListener() {} }));

function Frame() {
  const { route, notices } = useParsed();
  return (
    <QueryClientProvider client={new QueryClient()}>
      <Shell route={route} notices={notices}>
        {null}
      </Shell>
    </QueryClientProvider>
  );
}

afterEach(cleanup);

function hrefs(url: string): Record<string, string | null> {
  goTo(url);
  render(<Frame />);
  const links = ['Home', 'Explore', 'Map', 'Services', 'Status'].map((name) => [
    name,
    screen.getByRole('link', { name }).getAttribute('href'),
  ]);
  cleanup();
  return Object.fromEntries(links);
}

test('a range that was chosen goes along to other pages; Home is about now; what is usual stays out of links', () => {
  expect(hrefs('/search?range=6h&q={ status = error }')).toEqual({
    Home: '/?range=6h',
    Explore: '/search?range=6h',
    Map: '/dependencies?range=6h',
    Services: '/services?range=6h',
    Status: '/status',
  });
  const absolute = hrefs('/services/cart?from=2026-11-28T12:00:00Z&to=2026-11-28T12:05:00Z');
  expect(absolute['Home']).toBe('/');
  expect(absolute['Map']).toBe('/dependencies?from=2026-11-28T12:00:00Z&to=2026-11-28T12:05:00Z');
  expect(hrefs('/services')).toMatchObject({ Home: '/', Explore: '/search' });
  expect(hrefs('/settings')).toMatchObject({ Explore: '/search' });
});

test('keys lead to the same places', () => {
  goTo('/search?range=2d');
  render(<Frame />);
  act(() => {
    handleKey(new KeyboardEvent('keydown', { key: 'g' }));
    handleKey(new KeyboardEvent('keydown', { key: 's' }));
  });
  expect(location.pathname + location.search).toBe('/services?range=2d');
});
