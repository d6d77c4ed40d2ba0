// @vitest-environment happy-dom
// Keys of a command: the reader's own, those of the preset, the usual ones; and characters that are switched off.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Command, handleKey, keysOf, register } from './commands.ts';
import { prefer, resetPreferences } from './preferences.ts';

const run = vi.fn();
const command = (id: string, keys: string[]): Command => ({ id, title: id, group: 'x', keys, run: () => run(id) });
let end: () => void = () => undefined;

beforeEach(() => {
  resetPreferences();
  run.mockClear();
  end = register([
    command('trace.zoomIn', ['w']),
    command('trace.pageUp', ['PageUp']),
    command('trace.nextError', ['Shift+e']),
  ]);
});
afterEach(() => end());

const press = (key: string, more: KeyboardEventInit = {}) => handleKey(new KeyboardEvent('keydown', { key, ...more }));

test("with Jaeger's habits w scrolls and arrows zoom", () => {
  press('w');
  expect(run).toHaveBeenLastCalledWith('trace.zoomIn');
  prefer({ keyPreset: 'jaeger' });
  press('w');
  expect(run).toHaveBeenLastCalledWith('trace.pageUp');
  press('ArrowUp');
  expect(run).toHaveBeenLastCalledWith('trace.zoomIn');
});

test('what the reader set wins over the preset', () => {
  prefer({ keyPreset: 'jaeger', keys: { 'trace.zoomIn': ['q'] } });
  expect(keysOf(command('trace.zoomIn', ['w']))).toEqual(['q']);
  expect(keysOf(command('other', ['o']))).toEqual(['o']);
});

test('characters that are switched off do nothing, with Shift neither; other keys act', () => {
  prefer({ singleKeys: false });
  expect(press('w')).toBe(false);
  expect(press('E', { shiftKey: true })).toBe(false);
  expect(press('PageUp')).toBe(true);
});
