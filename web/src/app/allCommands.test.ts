// @vitest-environment happy-dom
// Commands of pages that were not opened: known, with their keys, and to be given others.

import { renderHook } from '@testing-library/react';
import { afterEach, expect, test, vi } from 'vitest';
import { handleKey, keysOf, register, useAllCommands, useKnownCommands } from '../core/commands.ts';
import { prefer, resetPreferences } from '../core/preferences.ts';

afterEach(resetPreferences);

test('all pages are known before any is opened, and nothing of them runs', async () => {
  await import('./allCommands.ts');
  const known = renderHook(useKnownCommands).result.current;
  const groups = new Set(known.map(({ group }) => group));
  expect([...groups]).toEqual([
    'Everywhere',
    'Explore',
    'Trace',
    'Details',
    'Waterfall',
    'Flame view',
    'Comparison',
    'Map',
  ]);
  expect(known.length).toBeGreaterThan(70);
  expect(known.every(({ title }) => title !== '')).toBe(true);
  expect(renderHook(useAllCommands).result.current).toEqual([]);
  expect(handleKey(new KeyboardEvent('keydown', { key: 'w' }))).toBe(false);
});

test('a key that was chosen before the page was opened acts once it is', async () => {
  await import('./allCommands.ts');
  prefer({ keys: { 'trace.zoomIn': ['q'] } });
  const known = renderHook(useKnownCommands).result.current.find(({ id }) => id === 'trace.zoomIn');
  expect(known && keysOf(known)).toEqual(['q']);
  const run = vi.fn();
  const end = register([{ id: 'trace.zoomIn', title: 'Zoom in', group: 'Trace', keys: ['w'], run }]);
  expect(handleKey(new KeyboardEvent('keydown', { key: 'w' }))).toBe(false);
  expect(handleKey(new KeyboardEvent('keydown', { key: 'q' }))).toBe(true);
  expect(run).toHaveBeenCalledOnce();
  end();
});
