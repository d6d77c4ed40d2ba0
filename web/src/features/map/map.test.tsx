// @vitest-environment happy-dom
// The page of the map: graph and tables show the same, the panel leads on, and everything is in the link.

import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, cleanup, fireEvent, render, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { EdgesAnswer } from '../../api/types.ts';
import { handleKey } from '../../core/commands.ts';
import { goTo, routeNow, useParsed } from '../../core/navigation.ts';
import { many, SHOP } from './fake.testing.ts';
import MapPage from './route.tsx';

let answer: EdgesAnswer | Response;
let services: object[] = [];

function Page() {
  const { route } = useParsed();
  return route.page === 'map' ? <MapPage route={route} /> : null;
}

function open(url: string) {
  goTo(url);
  render(
    <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}>
      <Page />
    </QueryClientProvider>,
  );
}

const state = () => {
  const { page, state: now } = routeNow();
  if (page !== 'map') throw new Error(`on ${page}`);
  return now as Extract<ReturnType<typeof routeNow>, { page: 'map' }>['state'];
};

beforeEach(() => {
  answer = SHOP;
  vi.stubGlobal('Worker', undefined);
  services = [];
  vi.stubGlobal('fetch', async (url: string) => {
    if (url.includes('/status')) return Response.json({ services });
    return answer instanceof Response ? answer.clone() : new Response(JSON.stringify(answer));
  });
  // happy-dom lays nothing out.
  vi.spyOn(HTMLElement.prototype, 'clientHeight', 'get').mockReturnValue(600);
  document.addEventListener('keydown', handleKey);
});
afterEach(() => {
  cleanup();
  document.removeEventListener('keydown', handleKey);
  vi.unstubAllGlobals();
});

const node = (name: RegExp) => screen.findByRole('button', { name }, { timeout: 5_000 });

test('services are drawn with their numbers in words', async () => {
  open('/dependencies');
  expect(await node(/^checkout\s*,\s*10\/s\s*,\s*3 %\s*errors, p95\s*2.1 s$/)).toBeTruthy();
  expect(screen.getByText('5 services, 5 calls')).toBeTruthy();
  // One stop of the tabulator: the busiest.
  const stops = screen.getAllByRole('button', { name: /errors, p95/ }).filter((one) => one.tabIndex === 0);
  expect(stops.map((one) => one.textContent)).toEqual([expect.stringContaining('web')]);
});

test('arrow keys walk along calls; a press selects, a second one focuses', async () => {
  open('/dependencies');
  const web = await node(/^web\s*,/);
  act(() => web.focus());
  fireEvent.keyDown(web, { key: 'ArrowRight' });
  expect(document.activeElement?.textContent).toMatch(/^(checkout|cart)/);
  fireEvent.click(await node(/^checkout\s*,/));
  expect(state().selected).toEqual(['checkout']);
  const panel = screen.getByRole('complementary', { name: 'Details' });
  expect(within(panel).getByText('Called by (1)')).toBeTruthy();
  expect(within(panel).getByRole('link', { name: 'Service' }).getAttribute('href')).toBe('/services/checkout');
  expect(within(panel).getByRole('link', { name: 'Traces' }).getAttribute('href')).toContain('checkout');
  fireEvent.click(await node(/^checkout\s*,/));
  expect(state().focus).toBe('checkout');
});

test('the panel of calls leads to the slowest and to a failing trace', async () => {
  open('/dependencies?sel=web,checkout');
  const panel = await screen.findByRole('complementary', { name: 'Details' });
  expect(within(panel).getByText('waits for the answer')).toBeTruthy();
  expect(within(panel).getByRole('link', { name: 'Slowest trace' }).getAttribute('href')).toBe(
    `/trace/${'a'.repeat(32)}`,
  );
  expect(within(panel).getByRole('link', { name: 'Failing trace' })).toBeTruthy();
  // A search does not know who called: the link says so.
  expect(within(panel).queryByRole('link', { name: 'Traces' })).toBeNull();
  expect(within(panel).getByRole('link', { name: 'All traces of checkout' }).title).toContain('Whoever called');
  await userEvent.click(within(panel).getByRole('button', { name: 'checkout' }));
  expect(state().selected).toEqual(['checkout']);
  await userEvent.click(within(panel).getByRole('button', { name: /^mail/ }));
  expect(state().selected).toEqual(['checkout', 'mail']);
  expect(await screen.findByText('asynchronous', { selector: 'aside *' })).toBeTruthy();
});

test('the tables hold the same services and calls, sorted as the link says', async () => {
  open('/dependencies?as=table&sort=-p95');
  const names = async () => (await screen.findAllByRole('rowheader')).map((cell) => cell.textContent);
  expect(await names()).toEqual(['checkout', 'web', 'mail', 'cart', 'redis']);
  await userEvent.click(screen.getByRole('button', { name: 'Service' }));
  expect(state().sort).toBe('name');
  expect(await names()).toEqual(['cart', 'checkout', 'mail', 'redis', 'web']);
  await userEvent.click(screen.getByRole('radio', { name: 'Calls' }));
  expect(state().as).toBe('calls');
  const rows = within(screen.getByRole('table')).getAllByRole('row').slice(1);
  expect(rows).toHaveLength(5);
  expect(rows.some((row) => row.textContent?.includes('checkoutmailasync1/s0 %'))).toBe(true);
});

test('above the limit the table comes first and says why', async () => {
  answer = many(400);
  open('/dependencies');
  expect(await screen.findByText(/400 services are more than a picture can hold/)).toBeTruthy();
  expect(screen.getByRole('table').getAttribute('aria-rowcount') ?? '').not.toBe('');
  await userEvent.click(screen.getByRole('radio', { name: 'Graph' }));
  expect(await node(/360 more services, not drawn$/)).toBeTruthy();
  expect(screen.getByText(/^40 of 400 services/)).toBeTruthy();
}, 20_000);

test('a focus is chosen by name, with hops; Escape takes one step back', async () => {
  open('/dependencies?as=table');
  await screen.findByRole('table');
  await userEvent.type(screen.getByRole('combobox', { name: 'Focus' }), 'mai');
  await userEvent.click(await screen.findByRole('option', { name: 'mail' }));
  expect(state()).toMatchObject({ focus: 'mail', selected: ['mail'] });
  await userEvent.click(screen.getByRole('radio', { name: '1' }));
  expect(state().hops).toBe(1);
  expect(screen.getAllByRole('rowheader').map((cell) => cell.textContent)).toEqual(['checkout', 'mail']);
  act(() => (document.activeElement as HTMLElement).blur());
  fireEvent.keyDown(document.body, { key: 'Escape' });
  expect(state()).toMatchObject({ focus: 'mail', selected: [] });
  fireEvent.keyDown(document.body, { key: 'Escape' });
  expect(state().focus).toBeNull();
});

test('text filters the table and counts what it finds', async () => {
  open('/dependencies?as=table&find=c');
  expect(await screen.findByText('2 matches')).toBeTruthy();
  expect(screen.getAllByRole('rowheader')).toHaveLength(2);
  const field = screen.getByRole('searchbox');
  await userEvent.type(field, 'zz');
  expect(await screen.findByText('No service matches “czz”')).toBeTruthy();
  await userEvent.click(screen.getByRole('button', { name: 'Clear the text' }));
  expect(state().find).toBe('');
});

test('empty says why: nothing here, nothing so frequent, an unknown focus', async () => {
  answer = { seconds: 60, nodes: [], edges: [], skipped: [] };
  open('/dependencies');
  expect(await screen.findByRole('link', { name: 'How to send traces' })).toBeTruthy();
  cleanup();
  services = [{ service: 'web', lastNs: String(BigInt(Date.now() - 7_500_000) * 1_000_000n) }];
  open('/dependencies');
  expect(await screen.findByText(/The last spans arrived 2 h ago/)).toBeTruthy();
  expect(await screen.findByText('No calls between services in this time range')).toBeTruthy();
  await userEvent.click(screen.getByRole('button', { name: 'Last 7 days' }));
  expect(state().range).toEqual({ kind: 'relative', last: '7d' });
  cleanup();
  answer = SHOP;
  open('/dependencies?min=1000');
  await userEvent.click(await screen.findByRole('button', { name: 'Show rarer calls' }));
  expect(state().min).toBe(0);
  cleanup();
  open('/dependencies?focus=gone&as=table');
  expect(await screen.findByText('gone neither made nor answered calls in this time range.')).toBeTruthy();
});

test('what could not be read is told; an error has the words of the server and a way to retry', async () => {
  answer = { ...SHOP, skipped: [{ what: 'segment 7', why: 'checksum' }] };
  open('/dependencies?as=table');
  expect(await screen.findByText(/segment 7: checksum/)).toBeTruthy();
  cleanup();
  const error = { error: { message: 'the store is closed', hint: 'restart it', diagnostics: [] } };
  answer = new Response(JSON.stringify(error), { status: 400 });
  open('/dependencies?as=table&range=2h');
  const box = await screen.findByRole('alert');
  expect(box.textContent).toContain('the store is closed');
  expect(box.textContent).toContain('restart it');
  answer = SHOP;
  await userEvent.click(within(box).getByRole('button', { name: 'Retry' }));
  await waitFor(() => expect(screen.getByRole('table')).toBeTruthy());
});

test('an answer that has grown old says so', async () => {
  goTo('/dependencies?as=table&range=3h');
  const client = new QueryClient({ defaultOptions: { queries: { staleTime: Number.POSITIVE_INFINITY } } });
  client.setQueryData(['map', '3h'], SHOP, { updatedAt: Date.now() - 180_000 });
  render(
    <QueryClientProvider client={client}>
      <Page />
    </QueryClientProvider>,
  );
  expect(await screen.findByText('updated 3 min ago')).toBeTruthy();
});

test('the path-aware page of Jaeger opens around its focus and says what it does not show', async () => {
  open('/deep-dependencies?service=checkout&density=ppe&showOp=1');
  expect(await screen.findByText(/Paths of calls are not drawn yet. Shown are the calls around checkout/)).toBeTruthy();
  expect(state().focus).toBe('checkout');
});
