// The commands of the search page, known before it is shown.

import type { CommandSpec } from '../../core/commands.ts';
import { text } from './text.ts';

const { group } = text;

export const EXPLORE_COMMANDS = {
  'explore.rows': { title: text.keyRows, group, keys: ['j', 'k'], isKeyOnly: true },
} as const satisfies Record<string, CommandSpec>;
