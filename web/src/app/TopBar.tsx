// The bar on top: the box that leads anywhere, the time range of the page, theme, help.

import { useQueryClient } from '@tanstack/react-query';
import { CircleHelp, Link2, RotateCw, SunMoon } from 'lucide-react';
import { useState } from 'react';
import { useCommands } from '../core/commands.ts';
import { go, routeNow, shareUrl } from '../core/navigation.ts';
import { prefer, usePreferences } from '../core/preferences.ts';
import { IconButton } from '../ui/IconButton/IconButton.tsx';
import { announce } from '../ui/LiveRegion/LiveRegion.tsx';
import { TimeRangePicker } from '../ui/TimeRangePicker/TimeRangePicker.tsx';
import { freeze, type Place, type Route, type TimeRange } from '../url/index.ts';
import { GlobalBox } from './GlobalBox.tsx';
import css from './TopBar.module.css';
import { text } from './text.ts';

/** The page with another time range. Every state with a range has it under this name. */
function withRange(route: Route, range: TimeRange): Place {
  return { ...route, state: { ...route.state, range } } as Place;
}

function nowNs(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}

function isDark(): boolean {
  const chosen = document.documentElement.dataset['theme'];
  return chosen === undefined ? matchMedia('(prefers-color-scheme: dark)').matches : chosen === 'dark';
}

function toggleTheme(): void {
  prefer({ theme: isDark() ? 'light' : 'dark' });
}

async function copyLink(): Promise<void> {
  await navigator.clipboard.writeText(shareUrl(freeze(routeNow(), nowNs())));
  announce(text.linkCopied);
}

function RangeOf({ route }: { route: Route }) {
  const [isOpen, setOpen] = useState(false);
  const { zone } = usePreferences();
  useCommands([{ id: 'range', title: text.timeRange, group: text.groupApp, keys: ['t'], run: () => setOpen(true) }]);
  // Status is about now; the range in its links is for what Jaeger's page of quality had.
  if (!('range' in route.state) || route.page === 'status') return null;
  const { range } = route.state;
  const value =
    range.kind === 'relative'
      ? { range: range.last }
      : { fromNs: String(range.fromNs), toNs: String(range.toNs ?? nowNs()) };
  return (
    <TimeRangePicker
      value={value}
      zone={zone === 'browser' ? Intl.DateTimeFormat().resolvedOptions().timeZone : zone}
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

export function TopBar({ route, onHelp }: { route: Route; onHelp: () => void }) {
  const client = useQueryClient();
  const refresh = () => void client.invalidateQueries();
  useCommands([
    { id: 'refresh', title: text.refresh, group: text.groupApp, keys: ['r'], run: refresh },
    { id: 'copyLink', title: text.copyLink, group: text.groupApp, keys: ['u'], run: () => void copyLink() },
    { id: 'theme', title: text.theme, group: text.groupApp, keys: [], run: toggleTheme },
  ]);
  return (
    <header className={css['bar']}>
      <GlobalBox />
      <div className={css['end']}>
        <RangeOf route={route} />
        <IconButton icon={RotateCw} label={text.refresh} keys="r" onPress={refresh} />
        <IconButton icon={Link2} label={text.copyLink} keys="u" onPress={() => void copyLink()} />
        <IconButton icon={SunMoon} label={text.theme} onPress={toggleTheme} />
        <IconButton icon={CircleHelp} label={text.help} keys="?" onPress={onHelp} />
      </div>
    </header>
  );
}
