// The bar on top: the box that leads anywhere, the time range of the page, theme, help.

import { useQueryClient } from '@tanstack/react-query';
import { CircleHelp, Link2, RotateCw, SunMoon } from 'lucide-react';
import { lazy, Suspense } from 'react';
import { boot } from '../core/boot.ts';
import { useCommands } from '../core/commands.ts';
import { routeNow, shareUrl } from '../core/navigation.ts';
import { isOnlyHere } from '../core/openedTraces.ts';
import { prefer } from '../core/preferences.ts';
import { refreshOthers } from '../core/refresh.ts';
import { nowNs } from '../format/now.ts';
import { IconButton } from '../ui/IconButton/IconButton.tsx';
import { announce } from '../ui/LiveRegion/LiveRegion.tsx';
import { freeze, type Route } from '../url/index.ts';
import { chosenRange } from './chosenRange.ts';
import { GlobalBox, type GlobalBoxProps } from './GlobalBox.tsx';
import { hasRange, LiveSwitch } from './LiveSwitch.tsx';
import css from './TopBar.module.css';
import { text } from './text.ts';

/** Fetched by pages that are about a time range; a trace is about its own. */
const RangeOf = lazy(async () => ({ default: (await import('./RangeOf.tsx')).RangeOf }));
/** Few servers have any. */
const LinksMenu = lazy(async () => ({ default: (await import('./LinksMenu.tsx')).LinksMenu }));

function isDark(): boolean {
  const chosen = document.documentElement.dataset['theme'];
  return chosen === undefined ? matchMedia('(prefers-color-scheme: dark)').matches : chosen === 'dark';
}

function toggleTheme(): void {
  prefer({ theme: isDark() ? 'light' : 'dark' });
}

/** Returns what the reader should know about the link. */
async function copyLink(): Promise<string> {
  const route = routeNow();
  if (isOnlyHere(route)) return text.linkOnlyHere;
  await navigator.clipboard.writeText(shareUrl(freeze(route, nowNs())));
  announce(text.linkCopied);
  return '';
}

type TopBarProps = {
  route: Route;
  onHelp: () => void;
  /** Words for everyone to see. */
  onSay: (words: string) => void;
  onFiles: GlobalBoxProps['onFiles'];
};

export function TopBar({ route, onHelp, onSay, onFiles }: TopBarProps) {
  const client = useQueryClient();
  const copy = () => void copyLink().then(onSay);
  const refresh = () => {
    void client.invalidateQueries();
    refreshOthers();
  };
  useCommands([
    { id: 'refresh', title: text.refresh, group: text.groupApp, keys: ['r'], run: refresh },
    { id: 'copyLink', title: text.copyLink, group: text.groupApp, keys: ['u'], run: copy },
    ...(boot.isThemeFixed
      ? []
      : [{ id: 'theme', title: text.theme, group: text.groupApp, keys: [], run: toggleTheme }]),
  ]);
  return (
    <header className={css['bar']}>
      <GlobalBox range={chosenRange(route)} onFiles={onFiles} />
      <div className={css['end']}>
        {hasRange(route) && (
          <Suspense>
            <RangeOf route={route} />
          </Suspense>
        )}
        <LiveSwitch route={route} />
        <IconButton icon={RotateCw} label={text.refresh} keys="r" onPress={refresh} />
        <IconButton icon={Link2} label={text.copyLink} keys="u" onPress={copy} />
        {!boot.isThemeFixed && <IconButton icon={SunMoon} label={text.theme} onPress={toggleTheme} />}
        {boot.menu.length > 0 && (
          <Suspense>
            <LinksMenu />
          </Suspense>
        )}
        <IconButton icon={CircleHelp} label={text.help} keys="?" onPress={onHelp} />
      </div>
    </header>
  );
}
