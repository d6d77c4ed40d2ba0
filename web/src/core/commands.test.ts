// @vitest-environment happy-dom
// What is kept of commands whose page was left.

import { renderHook } from '@testing-library/react';
import { expect, test, vi } from 'vitest';
import { register, useAllCommands, useKnownCommands } from './commands.ts';

test('of a page that was left, its keys stay known, and nothing that holds its data', () => {
  const run = vi.fn();
  register([{ id: 'left', title: 'Left', group: 'x', keys: ['w'], run, when: () => true }])();
  expect(renderHook(() => useAllCommands()).result.current).toEqual([]);
  const known = renderHook(() => useKnownCommands()).result.current.find(({ id }) => id === 'left');
  expect(known).toMatchObject({ title: 'Left', keys: ['w'] });
  expect(Object.values(known ?? {}).some((value) => typeof value === 'function')).toBe(false);
});
