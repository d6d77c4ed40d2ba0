// The commands of the frame that are not there on every page.

import type { CommandSpec } from '../core/commands.ts';
import { text } from './text.ts';

export const SHELL_COMMANDS = {
  compare: { title: text.basketCompare, group: text.groupApp, keys: ['c'] },
  live: { title: text.live, group: text.groupApp, keys: ['l'] },
  openFile: { title: text.openFile, group: text.groupApp, keys: [] },
  range: { title: text.timeRange, group: text.groupApp, keys: ['t'] },
} as const satisfies Record<string, CommandSpec>;
