// The five views, on keys 1 to 5. Each keeps the selection and the window of time.

import { ChartGantt, Flame, List, Sigma, Table2 } from 'lucide-react';
import { keysOf, useAllCommands } from '../../../core/commands.ts';
import { usePreferences } from '../../../core/preferences.ts';
import { SegmentedControl } from '../../../ui/SegmentedControl/SegmentedControl.tsx';
import type { TraceView } from '../../../url/index.ts';
import { update, useTracePage } from '../state/page.tsx';
import { text } from '../text.ts';
import { NARROW, useMedia } from '../useMedia.ts';

export const VIEWS: readonly { id: TraceView; label: string; icon: typeof Flame }[] = [
  { id: 'waterfall', label: text.waterfall, icon: ChartGantt },
  { id: 'flame', label: text.flame, icon: Flame },
  { id: 'table', label: text.table, icon: Table2 },
  { id: 'stats', label: text.stats, icon: Sigma },
  { id: 'events', label: text.events, icon: List },
];

export function ViewTabs() {
  const { state } = useTracePage();
  const isNarrow = useMedia(NARROW);
  const commands = useAllCommands();
  const { singleKeys } = usePreferences();
  const keyOf = (view: TraceView) => {
    const command = singleKeys ? commands.find(({ id }) => id === `trace.view.${view}`) : undefined;
    return command && keysOf(command)[0];
  };
  return (
    <SegmentedControl
      label={text.views}
      items={VIEWS.map((view) => ({ ...view, keys: keyOf(view.id) }))}
      isIconOnly={isNarrow}
      value={state.view}
      onChange={(view) => update({ view }, 'push')}
    />
  );
}
