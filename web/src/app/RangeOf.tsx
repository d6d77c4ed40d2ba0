// The time range of the page in the top bar.

import { useState } from 'react';
import { boot } from '../core/boot.ts';
import { commandsOf, useCommands } from '../core/commands.ts';
import { go } from '../core/navigation.ts';
import { usePreferences } from '../core/preferences.ts';
import { nowNs } from '../format/now.ts';
import { TimeRangePicker } from '../ui/TimeRangePicker/TimeRangePicker.tsx';
import type { Place, Route, TimeRange } from '../url/index.ts';
import { SHELL_COMMANDS } from './commands.ts';

/** The page with another time range. Every state with a range has it under this name. */
function withRange(route: Route, range: TimeRange): Place {
  return { ...route, state: { ...route.state, range } } as Place;
}

export function RangeOf({ route }: { route: Route }) {
  const [isOpen, setOpen] = useState(false);
  const { zone } = usePreferences();
  useCommands(commandsOf(SHELL_COMMANDS, { range: () => setOpen(true) }));
  if (!('range' in route.state)) return null;
  const { range } = route.state;
  const value =
    range.kind === 'relative'
      ? { range: range.last }
      : { fromNs: String(range.fromNs), toNs: String(range.toNs ?? nowNs()) };
  return (
    <TimeRangePicker
      value={value}
      zone={zone === 'browser' ? Intl.DateTimeFormat().resolvedOptions().timeZone : zone}
      longest={boot.searchLookbackMax ?? undefined}
      isOpen={isOpen}
      onOpenChange={setOpen}
      onChange={(next) => {
        const chosen: TimeRange =
          'range' in next
            ? { kind: 'relative', last: next.range }
            : { kind: 'absolute', fromNs: BigInt(next.fromNs), toNs: BigInt(next.toNs) };
        go(withRange(route, chosen));
      }}
    />
  );
}
