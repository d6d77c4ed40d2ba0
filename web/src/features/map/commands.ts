// The commands of the map, known before it is shown.

import type { CommandSpec } from '../../core/commands.ts';
import { text } from './text.ts';

const { group } = text;

export const MAP_COMMANDS = {
  'map.view': { title: text.toggleView, group, keys: ['v'] },
  'map.focus': { title: text.focusSelected, group, keys: ['f'] },
  'map.find': { title: text.find, group, keys: ['Mod+F'] },
  'map.next': { title: text.findNext, group, keys: ['n'] },
  'map.previous': { title: text.findPrevious, group, keys: ['Shift+n'] },
  'map.clear': { title: text.clear, group, keys: ['Escape'] },
  'map.fit': { title: text.fit, group, keys: ['0'] },
  'map.in': { title: text.zoomIn, group, keys: ['w', '+'] },
  'map.out': { title: text.zoomOut, group, keys: ['s', '-'] },
} as const satisfies Record<string, CommandSpec>;
