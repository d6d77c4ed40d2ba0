// @vitest-environment happy-dom
// The menu of the server's configuration.

import { cleanup, render, renderHook, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, expect, test, vi } from 'vitest';
import { useAllCommands } from '../core/commands.ts';
import { goalsOf } from './goals.ts';
import { LinksMenu } from './LinksMenu.tsx';

vi.mock('../core/boot.ts', async (original) => {
  const module = await original<typeof import('../core/boot.ts')>();
  const menu = [
    { label: 'Runbook', url: 'https://wiki.example/runbook' },
    { label: 'Status page', url: '/status-page' },
  ];
  return { ...module, boot: { ...module.boot, menu } };
});

afterEach(cleanup);

test('each entry is a link that opens beside the app, and a command', async () => {
  const opened = vi.spyOn(window, 'open').mockReturnValue(null);
  render(<LinksMenu />);
  await userEvent.click(screen.getByRole('button', { name: 'Links' }));
  const items = await screen.findAllByRole('menuitem');
  expect(items.map((item) => [item.textContent, item.getAttribute('href'), item.getAttribute('target')])).toEqual([
    ['Runbook', 'https://wiki.example/runbook', '_blank'],
    ['Status page', '/status-page', '_blank'],
  ]);
  const { result } = renderHook(useAllCommands);
  const [goal] = goalsOf('> runb', { commands: result.current, services: [], recent: [] });
  expect(goal?.title).toBe('Runbook');
  if (goal && 'command' in goal.go) goal.go.command.run();
  expect(opened).toHaveBeenCalledWith('https://wiki.example/runbook', '_blank', 'noopener');
});
