// Keys of a trace: in none of its views do two commands have the same one, whichever habits the reader chose.

import { afterEach, describe, expect, it } from 'vitest';
import { keysOf } from '../../core/commands.ts';
import { prefer, resetPreferences } from '../../core/preferences.ts';
import { TRACE_COMMANDS } from './commands.ts';

afterEach(() => resetPreferences());

const ROWS = TRACE_COMMANDS['trace.next'].group;
const FLAME = TRACE_COMMANDS['flame.up'].group;

/** The ids of those that act in a view, by their keys. */
function byKey(without: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const [id, spec] of Object.entries(TRACE_COMMANDS)) {
    if (spec.group === without) continue;
    for (const key of keysOf({ id, ...spec })) found.set(key, [...(found.get(key) ?? []), id]);
  }
  return found;
}

describe.each(['trackway', 'jaeger'] as const)('%s', (keyPreset) => {
  it.each([
    ['the waterfall', FLAME],
    ['the flame view', ROWS],
  ])('%s has a key for one command alone', (_, without) => {
    prefer({ keyPreset });
    expect([...byKey(without)].filter(([, ids]) => ids.length > 1)).toEqual([]);
  });

  it('zooms and pans in the flame view, and walks its spans', () => {
    prefer({ keyPreset });
    const ids = new Set([...byKey(ROWS).values()].flat());
    for (const id of ['trace.zoomIn', 'trace.panLeft', 'flame.up', 'flame.down', 'flame.left', 'flame.right'])
      expect(ids).toContain(id);
  });
});
