// The frame of every page: rail, top bar, the page, the basket. In a frame of another page only the page is left.

import { Activity, Compass, House, LayoutGrid, type LucideIcon, Network, Settings } from 'lucide-react';
import { lazy, type ReactNode, Suspense, useState } from 'react';
import { boot } from '../core/boot.ts';
import { commandsOf, useCommands } from '../core/commands.ts';
import { go, hrefOf } from '../core/navigation.ts';
import { defaults, overRange } from '../core/places.ts';
import { usePreferences } from '../core/preferences.ts';
import { useOpenFiles } from '../core/useOpenFiles.ts';
import { Banner } from '../ui/Banner/Banner.tsx';
import { FileNotices } from '../ui/ReadingFile/FileNotices.tsx';
import { SkipLink } from '../ui/SkipLink/SkipLink.tsx';
import type { Place, Route, TimeRange } from '../url/index.ts';
import { chosenRange } from './chosenRange.ts';
import { SHELL_COMMANDS } from './commands.ts';
import css from './Shell.module.css';
import { TopBar } from './TopBar.tsx';
import { text } from './text.ts';
import { placeAbove } from './up.ts';

/** Fetched when there is something to show: no page needs them at first. */
const Basket = lazy(async () => ({ default: (await import('./Basket.tsx')).Basket }));
const Framed = lazy(async () => ({ default: (await import('./Framed.tsx')).Framed }));
const KeysSheet = lazy(async () => ({ default: (await import('./KeysSheet.tsx')).KeysSheet }));

type RailItem = { icon: LucideIcon; label: string; key: string; place: () => Place; pages: readonly string[] };

const RAIL: readonly RailItem[] = [
  { icon: House, label: text.home, key: 'h', place: defaults.home, pages: ['home'] },
  { icon: Compass, label: text.explore, key: 'e', place: defaults.search, pages: ['search', 'trace', 'compare'] },
  { icon: Network, label: text.map, key: 'm', place: defaults.map, pages: ['map'] },
  {
    icon: LayoutGrid,
    label: text.services,
    key: 's',
    place: defaults.services,
    pages: ['services', 'service', 'operation'],
  },
];
const RAIL_END: readonly RailItem[] = [
  { icon: Activity, label: text.status, key: 't', place: defaults.status, pages: ['status'] },
  { icon: Settings, label: text.settings, key: ',', place: defaults.settings, pages: ['settings'] },
];

/** Home is about now: a range that has ended stays behind. */
function targetOf({ place }: RailItem, range: TimeRange | null): Place {
  const target = place();
  if (range === null || target.page === 'status') return target;
  return target.page === 'home' && range.kind === 'absolute' ? target : overRange(target, range);
}

function RailLink({ item, page, range }: { item: RailItem; page: string; range: TimeRange | null }) {
  const { icon: Icon, label, pages } = item;
  const target = targetOf(item, range);
  return (
    <li>
      <a className={css['railLink']} href={hrefOf(target)} aria-current={pages.includes(page) ? 'page' : undefined}>
        <Icon aria-hidden size={18} strokeWidth={1.75} />
        <span className={css['railLabel']}>{label}</span>
      </a>
    </li>
  );
}

function Rail({ page, range }: { page: string; range: TimeRange | null }) {
  return (
    <nav className={css['rail']} aria-label={text.pages}>
      <ul className={css['railList']}>
        {RAIL.map((item) => (
          <RailLink key={item.key} item={item} page={page} range={range} />
        ))}
      </ul>
      <ul className={css['railList']}>
        {RAIL_END.map((item) => (
          <RailLink key={item.key} item={item} page={page} range={range} />
        ))}
      </ul>
    </nav>
  );
}

export function Shell({ route, notices, children }: { route: Route; notices: readonly string[]; children: ReactNode }) {
  const [isSheetOpen, setSheetOpen] = useState(false);
  const [dismissed, setDismissed] = useState('');
  /** What was said, and of which page. */
  const [said, setSaid] = useState({ words: '', page: route.page });
  const { basket } = usePreferences();
  const range = chosenRange(route);
  const files = useOpenFiles();
  const isFramed = route.embed.mode !== 'off';
  const takesFiles = !boot.isFileUploadOff && !isFramed;
  useCommands([
    ...[...RAIL, ...RAIL_END].map((item) => ({
      id: `go.${item.key}`,
      title: item.label,
      group: text.groupPages,
      keys: [`g ${item.key}`],
      run: () => go(targetOf(item, range)),
    })),
    {
      id: 'up',
      title: text.up,
      group: text.groupApp,
      keys: ['Escape'],
      when: () => placeAbove(route) !== null,
      run: () => go(placeAbove(route) ?? defaults.home(), { asBefore: true }),
    },
    ...commandsOf(SHELL_COMMANDS, takesFiles ? { openFile: files.choose } : {}),
    { id: 'keys', title: text.help, group: text.groupApp, keys: ['?'], run: () => setSheetOpen(true) },
  ]);
  const notice = notices.join('; ');
  const say = (words: string) => setSaid({ words, page: route.page });
  return (
    <div className={css['shell']} data-framed={isFramed || undefined}>
      <SkipLink targetId="main" />
      {!isFramed && <Rail page={route.page} range={range} />}
      {!isFramed && (
        <TopBar route={route} onHelp={() => setSheetOpen(true)} onSay={say} onFiles={takesFiles ? files.open : null} />
      )}
      <main id="main" className={css['main']} tabIndex={-1}>
        {notice !== '' && notice !== dismissed && (
          <Banner onDismiss={() => setDismissed(notice)}>{text.notice(notice)}</Banner>
        )}
        {said.words !== '' && said.page === route.page && <Banner onDismiss={() => say('')}>{said.words}</Banner>}
        <FileNotices files={files} />
        {children}
      </main>
      {!isFramed && basket.length > 0 && (
        <Suspense>
          <Basket route={route} />
        </Suspense>
      )}
      <Suspense>{route.embed.mode === 'own' && <Framed route={route} />}</Suspense>
      <Suspense>{isSheetOpen && <KeysSheet isOpen onOpenChange={setSheetOpen} />}</Suspense>
    </div>
  );
}
