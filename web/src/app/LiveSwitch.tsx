// The one switch for "live". Explore follows spans as they arrive; pages about a range up to now ask again every ten
// seconds; from any other page the key leads to Explore, following.

import { useQueryClient } from '@tanstack/react-query';
import { Radio } from 'lucide-react';
import { useEffect, useState } from 'react';
import { boot } from '../core/boot.ts';
import { commandsOf, useCommands } from '../core/commands.ts';
import { go, lastLeft } from '../core/navigation.ts';
import { defaults } from '../core/places.ts';
import { nowNs } from '../format/now.ts';
import { ToggleButton } from '../ui/ToggleButton/ToggleButton.tsx';
import { type Place, type Route, resolveRange, type TimeRange } from '../url/index.ts';
import { lastOfMs } from '../url/timeRange.ts';
import { SHELL_COMMANDS } from './commands.ts';
import { text } from './text.ts';

const EVERY_MS = 10_000;
const USUAL = '1h';

/** Status is about now; the range in its links is for what Jaeger's page of quality had. */
export function hasRange(route: Route): boolean {
  return 'range' in route.state && route.page !== 'status';
}

/** As long a range up to now. */
function upToNow(range: TimeRange): TimeRange {
  if (range.kind === 'relative') return range;
  const { fromNs, toNs } = resolveRange(range, nowNs());
  return { kind: 'relative', last: lastOfMs(Number((toNs - fromNs) / 1_000_000_000n) * 1_000) ?? USUAL };
}

function following(place: Place, live: boolean): Place {
  return place.page === 'search' ? { ...place, state: { ...place.state, live, traces: [], run: true } } : place;
}

export function LiveSwitch({ route }: { route: Route }) {
  const client = useQueryClient();
  const [isWanted, setWanted] = useState(false);
  const isSearch = route.page === 'search';
  const range = hasRange(route) && 'range' in route.state ? route.state.range : null;
  const isAsking = isWanted && !isSearch && range?.kind === 'relative';
  const isOn = isSearch ? route.state.live : isAsking;
  const canFollow = boot.capabilities.tail;
  useEffect(() => {
    if (!isAsking) return;
    const ask = () => {
      // What takes longer than that is not asked again before it is there.
      if (document.visibilityState === 'visible')
        void client.refetchQueries({ type: 'active' }, { cancelRefetch: false });
    };
    ask();
    const timer = setInterval(ask, EVERY_MS);
    return () => clearInterval(timer);
  }, [client, isAsking]);

  const toggle = () => {
    if (isSearch) go(following(route, !isOn));
    else if (range === null) go(following(lastLeft('search') ?? defaults.search(), true));
    else {
      setWanted(!isOn);
      if (!isOn && range.kind === 'absolute')
        // Every state with a range has it under this name, which TypeScript cannot follow over a union.
        go({ ...route, state: { ...route.state, range: upToNow(range) } } as Place);
    }
  };
  const isHere = isSearch || range === null ? canFollow : true;
  useCommands(commandsOf(SHELL_COMMANDS, isHere ? { live: toggle } : {}));
  if (!isHere || range === null) return null;
  return <ToggleButton icon={Radio} label={text.live} keys="l" isSelected={isOn} onChange={toggle} />;
}
