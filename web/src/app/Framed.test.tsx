// @vitest-environment happy-dom
// A page in a frame of another page: what it tells, and to whom.

import { act, cleanup, render, waitFor } from '@testing-library/react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { goTo, hrefOf, useRoute } from '../core/navigation.ts';
import { defaults } from '../core/places.ts';
import { Framed, heightOf, originOfFrame } from './Framed.tsx';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

const post = vi.fn();
function loadedBy(referrer: string): void {
  Object.defineProperty(document, 'referrer', { value: referrer, configurable: true });
}
function Page() {
  return <Framed route={useRoute()} />;
}
const told = (type: string) => post.mock.calls.filter(([message]) => message.type === type);

beforeEach(() => {
  post.mockClear();
  vi.stubGlobal('parent', { postMessage: post });
  loadedBy('https://grafana.example/d/1?x=1');
  document.body.innerHTML = '<main id="main"><div id="page"></div></main>';
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

test('only the site that loaded the frame is told, never any site', () => {
  expect(originOfFrame('https://grafana.example/d/1?x=1')).toBe('https://grafana.example');
  expect(originOfFrame('http://127.0.0.1:3000')).toBe('http://127.0.0.1:3000');
  for (const none of ['', 'about:client', 'null', 'data:text/html,x', 'file:///x.html', 'https://'])
    expect(originOfFrame(none)).toBeNull();
});

test('the selected span is told when it changes, to the site around', () => {
  goTo(`/trace/${TRACE}?embed=1`);
  render(<Page />);
  expect(told('selection')).toEqual([]);
  act(() => goTo(`/trace/${TRACE}?span=${SPAN}&embed=1`));
  act(() => goTo(`/trace/${TRACE}?span=${SPAN}&view=flame&embed=1`));
  act(() => goTo(`/trace/${TRACE}?embed=1`));
  expect(told('selection')).toEqual([
    [{ source: 'trackway', type: 'selection', traceId: TRACE, spanId: SPAN }, 'https://grafana.example'],
    [{ source: 'trackway', type: 'selection', traceId: TRACE, spanId: null }, 'https://grafana.example'],
  ]);
});

test('where the page around hides its address, and where there is none, nothing is told', async () => {
  loadedBy('');
  goTo(`/trace/${TRACE}?span=${SPAN}&embed=1`);
  render(<Page />);
  cleanup();
  loadedBy('https://grafana.example/');
  vi.stubGlobal('parent', window);
  const own = vi.spyOn(window, 'postMessage');
  render(<Page />);
  await new Promise((done) => setTimeout(done, 50));
  expect(post).not.toHaveBeenCalled();
  expect(own).not.toHaveBeenCalled();
});

test('the height is told at first, and when a list gets longer', async () => {
  goTo(`/trace/${TRACE}?embed=1`);
  render(<Page />);
  await waitFor(() => expect(told('height')).toHaveLength(1));
  const list = document.createElement('div');
  list.dataset['fullHeight'] = '900';
  document.getElementById('page')?.append(list);
  await waitFor(() => expect(told('height')).toHaveLength(2));
  expect(told('height')[1]).toEqual([{ source: 'trackway', type: 'height', height: 900 }, 'https://grafana.example']);
});

test('how high a page would be: its parts, and what its lists lack or leave over', () => {
  const main = document.getElementById('main') as HTMLElement;
  const page = document.getElementById('page') as HTMLElement;
  const box = (element: Element, top: number, height: number) =>
    vi.spyOn(element, 'getBoundingClientRect').mockReturnValue(new DOMRect(0, top, 500, height));
  const add = (top: number, height: number) => {
    const part = page.appendChild(document.createElement('div'));
    box(part, top, height);
    return part;
  };
  box(main, 0, 600);
  box(page, 0, 600);
  expect(heightOf(main)).toBe(600);
  add(0, 100);
  expect(heightOf(main)).toBe(320);
  const list = add(100, 500);
  vi.spyOn(list, 'clientHeight', 'get').mockReturnValue(500);
  list.dataset['fullHeight'] = '2000';
  expect(heightOf(main)).toBe(2_100);
  list.dataset['fullHeight'] = '300';
  expect(heightOf(main)).toBe(400);
  list.dataset['fullHeight'] = '24000000';
  expect(heightOf(main)).toBe(10_000);
});

test('every link within keeps the form', () => {
  goTo('/search?embed=1&uiTheme=dark');
  expect(hrefOf(defaults.services())).toBe('/services?embed=1&uiTheme=dark');
});
