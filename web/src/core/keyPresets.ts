// Keys as people have them in the hands from elsewhere. A preset names only what differs; what the reader set for one
// command wins over it.

import type { Preferences } from './preferences.ts';

type Preset = Readonly<Record<string, readonly string[]>>;

/**
 * Of Jaeger's trace view: w and s scroll, f and b walk the spans, arrows zoom and pan, o and p open and close a
 * level.
 */
const JAEGER: Preset = {
  'trace.zoomIn': ['ArrowUp'],
  'trace.zoomInMore': ['Shift+ArrowUp'],
  'trace.zoomOut': ['ArrowDown'],
  'trace.zoomOutMore': ['Shift+ArrowDown'],
  'trace.panLeft': ['a', 'ArrowLeft'],
  'trace.panLeftMore': ['Shift+a', 'Shift+ArrowLeft'],
  'trace.panRight': ['d', 'ArrowRight'],
  'trace.panRightMore': ['Shift+d', 'Shift+ArrowRight'],
  'trace.pageDown': ['s', 'PageDown'],
  'trace.pageUp': ['w', 'PageUp'],
  'trace.next': ['f'],
  'trace.previous': ['b'],
  'trace.levelMore': ['o'],
  'trace.levelLess': ['p'],
  'trace.openAll': ['['],
  'trace.closeAll': [']'],
  // Their places are taken: Enter opens details, the rest has no key in Jaeger.
  'trace.open': [],
  'trace.close': [],
  'trace.openSubtree': [],
  'trace.closeSubtree': [],
  'trace.fold': ['Shift+o'],
  'trace.critical': ['Shift+p'],
  // Arrows zoom and pan in the flame view, too; its cursor walks along a level as the rows are walked.
  'flame.left': ['b'],
  'flame.right': ['f'],
  'flame.up': ['k'],
  'flame.down': ['j'],
};

export function presetKeys(preset: Preferences['keyPreset'], id: string): readonly string[] | undefined {
  return preset === 'jaeger' ? JAEGER[id] : undefined;
}
