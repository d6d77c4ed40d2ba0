// The commands of a comparison, known before one is shown.

import type { CommandSpec } from '../../core/commands.ts';
import { text } from './text.ts';

const { group } = text;

export const COMPARE_COMMANDS = {
  'compare.tree': { title: text.keyTabs(text.tree), group, keys: ['1'] },
  'compare.side': { title: text.keyTabs(text.sideBySide), group, keys: ['2'] },
  'compare.attributes': { title: text.keyTabs(text.attributes), group, keys: ['3'] },
  'compare.find': { title: text.find, group, keys: ['Mod+F'] },
  'compare.next': { title: text.keyNext, group, keys: ['n'] },
  'compare.previous': { title: text.keyPrevious, group, keys: ['Shift+n'] },
  'compare.less': { title: text.keyLess, group, keys: ['['] },
  'compare.more': { title: text.keyMore, group, keys: [']'] },
  'compare.swap': { title: text.swap, group, keys: ['x'] },
} as const satisfies Record<string, CommandSpec>;
