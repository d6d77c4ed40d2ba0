// @vitest-environment happy-dom
// Settings: each choice holds at once; keys are taken, conflict, go back.

import { act, cleanup, render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { useCommands } from '../../core/commands.ts';
import { routeOf } from '../../core/pages.testing.tsx';
import { preferences, resetPreferences } from '../../core/preferences.ts';
import Settings from './route.tsx';
import { zonesMatching } from './zones.ts';

function Page() {
  useCommands([
    { id: 'refresh', title: 'Refresh', group: 'Everywhere', keys: ['r'], run: () => undefined },
    { id: 'copy', title: 'Copy link', group: 'Everywhere', keys: ['u'], run: () => undefined },
  ]);
  return <Settings route={routeOf<'settings'>('/settings')} />;
}

beforeEach(() => act(resetPreferences));
afterEach(cleanup);

const choose = (group: string, name: string) =>
  userEvent.click(within(screen.getByRole('radiogroup', { name: group })).getByRole('radio', { name }));

test('theme, density, place of details, habits and letters', async () => {
  render(<Page />);
  await choose('Theme', 'Dark');
  await choose('Rows', 'Dense');
  expect(screen.getByText(/smaller than WCAG/)).toBeTruthy();
  await choose('Details of a span', 'Below');
  await choose('Habits', 'Jaeger');
  await userEvent.click(screen.getByRole('switch'));
  expect(preferences()).toMatchObject({
    theme: 'dark',
    density: 'dense',
    panel: 'bottom',
    keyPreset: 'jaeger',
    singleKeys: false,
  });
});

test('a zone is found by its words and shown at once', async () => {
  render(<Page />);
  const box = screen.getByRole('combobox', { name: 'Time zone' });
  await userEvent.clear(box);
  await userEvent.type(box, 'berl');
  await userEvent.click(await screen.findByRole('option', { name: /Europe\/Berlin/ }));
  expect(preferences().zone).toBe('Europe/Berlin');
  await userEvent.click(screen.getByRole('button', { name: 'UTC' }));
  expect(preferences().zone).toBe('UTC');
});

test('words of a zone stand in any order', () => {
  expect(zonesMatching('york new')).toContain('America/New_York');
  expect(zonesMatching('')[0]).toBe('browser');
  expect(zonesMatching('no such zone')).toEqual([]);
});

const rowOf = (title: string) => screen.getByRole('rowheader', { name: title }).closest('tr') as HTMLElement;

test('a key is taken; a conflict is said; it goes back', async () => {
  render(<Page />);
  await userEvent.click(screen.getByRole('button', { name: 'Another key for Refresh' }));
  await userEvent.keyboard('{Control>}b{/Control}');
  expect(preferences().keys).toEqual({ refresh: ['Mod+B'] });
  await userEvent.click(screen.getByRole('button', { name: 'Another key for Refresh' }));
  await userEvent.keyboard('u');
  expect(await screen.findByText('also Copy link', {}, { timeout: 2000 })).toBeTruthy();
  expect(within(rowOf('Copy link')).getByText('also Refresh')).toBeTruthy();
  await userEvent.click(screen.getByRole('button', { name: 'The usual key for Refresh again' }));
  expect(preferences().keys).toEqual({});
  expect(screen.queryByText('also Copy link')).toBeNull();
});

test('two keys in a row are a sequence; Escape gives up', async () => {
  render(<Page />);
  await userEvent.click(screen.getByRole('button', { name: 'Another key for Refresh' }));
  await userEvent.keyboard('gx');
  expect(preferences().keys).toEqual({ refresh: ['g x'] });
  await userEvent.click(screen.getByRole('button', { name: 'Another key for Copy link' }));
  await userEvent.keyboard('{Escape}');
  expect(preferences().keys).toEqual({ refresh: ['g x'] });
});

test('a command may have no key', async () => {
  render(<Page />);
  await userEvent.click(screen.getByRole('button', { name: 'No key for Copy link' }));
  expect(preferences().keys).toEqual({ copy: [] });
  expect(within(rowOf('Copy link')).getByText('none')).toBeTruthy();
});

test('everything is reset only after a question', async () => {
  render(<Page />);
  await choose('Theme', 'Light');
  await userEvent.click(screen.getByRole('button', { name: 'Reset everything' }));
  const dialog = await screen.findByRole('alertdialog');
  expect(preferences().theme).toBe('light');
  await userEvent.click(within(dialog).getByRole('button', { name: 'Reset everything' }));
  expect(preferences().theme).toBe('system');
});
