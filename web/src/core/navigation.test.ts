// @vitest-environment happy-dom
// Nobody loses their place: what was left can be gone back to, and a frame stays in its form.

import { beforeEach, expect, test } from 'vitest';
import { cameBack, go, goTo, hrefOf, lastLeft, routeNow } from './navigation.ts';
import { defaults, placeOfService, placeOfTrace } from './places.ts';

beforeEach(() => goTo('/settings'));

test('the search that was left last is known, with all that it had, whatever came between', () => {
  goTo('/search?q=%7B+name+=+%22a%22+%7D');
  goTo('/search?q=%7B+name+=+%22b%22+%7D&sort=slowest&cols=x');
  go(placeOfTrace('abc'));
  go(placeOfService('cart'));
  go(placeOfTrace('def'));
  const search = lastLeft('search');
  expect(search && hrefOf(search)).toBe('/search?q=%7B+name+=+%22b%22+%7D&sort=slowest&cols=x');
  expect(lastLeft('search', 'trace')?.page).toBe('trace');
  expect(lastLeft('search', 'service')?.page).toBe('service');
  expect(lastLeft('map')).toBeNull();
});

test('refinements that wait for the address bar are part of the place', () => {
  goTo('/search');
  goTo('/search?view=graph', { replace: true });
  go(placeOfTrace('abc'));
  expect(lastLeft('search')?.state).toMatchObject({ view: 'graph' });
});

test('going back to a place is like Back; going anywhere else is not', () => {
  go(defaults.search(), { asBefore: true });
  expect(cameBack()).toBe(true);
  go(defaults.map());
  expect(cameBack()).toBe(false);
});

test('what a frame asked for survives every step', () => {
  goTo('/trace/abc?uiEmbed=v0&uiTimelineHideMinimap=1&uiTheme=dark');
  for (const place of [placeOfTrace('def', '00f067aa0ba902b7'), defaults.search(), placeOfService('cart')]) {
    go(place);
    expect(routeNow().embed).toMatchObject({ mode: 'jaeger', hideMinimap: true, theme: 'dark' });
  }
  expect(hrefOf(lastLeft('trace') ?? defaults.home())).toContain('uiEmbed=v0&uiTimelineHideMinimap=1&uiTheme=dark');
});
