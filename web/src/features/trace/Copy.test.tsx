// @vitest-environment happy-dom
// What is taken along from a trace: ids, attributes, JSON, curl, links, a summary; and attributes pinned to the top.

import { act, cleanup, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { generateTrace } from '../../../perf/generate.ts';
import type { KeyValue, SpanDetails } from '../../api/types.ts';
import { routeNow } from '../../core/navigation.ts';
import { preferences, resetPreferences } from '../../core/preferences.ts';
import type { TraceColumns } from '../../model/columns.ts';
import { spanIdOf } from '../../model/tree.ts';
import { detailsOf, fakeServer, openPage, TRACE_ID } from './testing.tsx';

vi.setConfig({ testTimeout: 20_000 });

const trace: TraceColumns = { ...generateTrace(400), traceId: TRACE_ID };
const ID = spanIdOf(trace, 5);
const kv = (key: string, value: string): KeyValue => ({ key, value: { type: 'string', value } });
const SPAN: SpanDetails = detailsOf(ID, {
  attributes: [
    kv('http.route', '/a "b"'),
    { key: 'http.status', value: { type: 'int', value: '500' } },
    kv('user', 'eve'),
  ],
  resource: [kv('host.name', 'node-1')],
});

let copied: string[] = [];
function provideClipboard(clipboard: unknown): void {
  Object.defineProperty(navigator, 'clipboard', { value: clipboard, configurable: true });
}
beforeEach(() => {
  resetPreferences();
  copied = [];
  provideClipboard({ writeText: async (value: string) => void copied.push(value) });
});
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

async function opened(): Promise<HTMLElement> {
  const server = fakeServer(trace);
  server.answers['spans'] = () => ({ body: { spans: [SPAN], skipped: [] } });
  openPage(`?span=${ID}`);
  await screen.findByRole('toolbar');
  const panel = await screen.findByRole('complementary', { name: 'Details of the span' });
  await within(panel).findByText('eve');
  return panel;
}
async function choose(button: HTMLElement, item: string): Promise<string | undefined> {
  const before = copied.length;
  await userEvent.click(button);
  await userEvent.click(await screen.findByRole('menuitem', { name: (name) => name.startsWith(item) }));
  await waitFor(() => expect(screen.queryByRole('menu')).toBeNull());
  if (copied.length > before) return copied.at(-1);
  return undefined;
}
const copyMenu = (panel: HTMLElement) => within(panel).getByRole('button', { name: 'Copy' });
const menuOf = (panel: HTMLElement, what: string) => within(panel).getByRole('button', { name: `Actions for ${what}` });

test('the id of the span is seen, and copied by its button and by key', async () => {
  const panel = await opened();
  expect(within(panel).getByText(ID)).toBeTruthy();
  await userEvent.click(within(panel).getByRole('button', { name: 'Copy span id' }));
  await userEvent.keyboard('y');
  await waitFor(() => expect(copied).toEqual([ID, ID]));
  await screen.findByText('Span id copied');
});

test('a span is copied as JSON that reads back, its attributes as one object', async () => {
  const panel = await opened();
  expect(JSON.parse((await choose(copyMenu(panel), 'Copy span as JSON')) ?? '')).toEqual(SPAN);
  const attributes = await choose(copyMenu(panel), 'Copy attributes as JSON');
  expect(JSON.parse(attributes ?? '')).toEqual({ 'http.route': '/a "b"', 'http.status': 500, user: 'eve' });
  expect(await choose(copyMenu(panel), 'Copy span id')).toBe(ID);
});

test('a curl command asks for that very span, a link leads to it', async () => {
  const panel = await opened();
  const curl = await choose(copyMenu(panel), 'Copy a curl command for the span');
  expect(curl).toMatch(new RegExp(`^curl .*http://localhost.*/api/ui/v1/traces/${TRACE_ID}/spans'? `));
  expect(curl).toContain(`-d '{"spans":["${ID}"]}'`);
  const link = await choose(copyMenu(panel), 'Copy a link to the span');
  const url = new URL(link ?? '');
  expect([url.pathname, url.searchParams.get('span')]).toEqual([`/trace/${TRACE_ID}`, ID]);
});

test('a value and its key are copied as they are', async () => {
  const panel = await opened();
  expect(await choose(menuOf(panel, 'http.route = /a "b"'), 'Copy value')).toBe('/a "b"');
  expect(await choose(menuOf(panel, 'http.route = /a "b"'), 'Copy key')).toBe('http.route');
});

test.each([
  ['f', '='],
  ['{Shift>}F{/Shift}', '!='],
])('%s on a value searches for the others like it', async (keys, op) => {
  const panel = await opened();
  act(() => menuOf(panel, 'user = eve').focus());
  await userEvent.keyboard(keys);
  expect(routeNow()).toMatchObject({ page: 'search', state: { q: `{ span.user ${op} "eve" }` } });
});

test('the whole trace: its id, a summary in Markdown with a link, a curl command', async () => {
  await opened();
  await userEvent.click(screen.getByRole('button', { name: 'Copy trace id' }));
  await waitFor(() => expect(copied).toEqual([TRACE_ID]));
  const more = () => screen.getByRole('button', { name: 'More about this trace' });
  const summary = await choose(more(), 'Copy a summary as Markdown');
  expect(summary).toMatch(/^\*\*service-\d+ .+\*\*/);
  expect(summary).toContain('- 400 spans');
  expect(summary).toMatch(new RegExp(`\\[${TRACE_ID}\\]\\(http://localhost.*/trace/${TRACE_ID}\\?span=${ID}\\)`));
  expect(await choose(more(), 'Copy a curl command')).toMatch(new RegExp(`^curl .*/api/traces/${TRACE_ID}'?$`));
});

test('where the browser has no clipboard for plain http, a selection is copied', async () => {
  provideClipboard(undefined);
  const command = vi.fn(() => {
    copied.push((document.activeElement as HTMLTextAreaElement).value);
    return true;
  });
  Object.defineProperty(document, 'execCommand', { value: command, configurable: true });
  await opened();
  await userEvent.keyboard('y');
  await waitFor(() => expect(command).toHaveBeenCalledWith('copy'));
  expect(document.querySelector('textarea')).toBeNull();
  await screen.findByText('Span id copied');
});

test('attributes are pinned to the top, of every span, until they are taken down', async () => {
  const panel = await opened();
  const heads = () =>
    within(panel)
      .getAllByRole('heading', { level: 3 })
      .map((head) => head.textContent ?? '');
  expect(heads().some((head) => head.startsWith('Pinned'))).toBe(false);
  await choose(menuOf(panel, 'user = eve'), 'Pin to the top');
  await choose(menuOf(panel, 'host.name = node-1'), 'Pin to the top');
  expect(preferences().pinned).toEqual(['user', 'host.name']);
  // Kept for the next visit.
  expect(localStorage.getItem('trackway.preferences.v1')).toContain('"pinned":["user","host.name"]');
  expect(heads()[0]).toBe('Pinned');
  const pinned = within(panel).getByRole('table', { name: 'Pinned' });
  expect(within(pinned).getByText('eve')).toBeTruthy();
  expect(pinned.compareDocumentPosition(within(panel).getByRole('table', { name: 'http' }))).toBe(
    Node.DOCUMENT_POSITION_FOLLOWING,
  );
  await choose(menuOf(pinned, 'user = eve'), 'Unpin');
  expect(preferences().pinned).toEqual(['host.name']);
  expect(within(panel).queryByRole('table', { name: 'Pinned' })).toBeNull();
  expect(within(panel).getAllByText('node-1')).toHaveLength(2);
});
