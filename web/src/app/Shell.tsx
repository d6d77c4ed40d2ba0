// The frame of every page: rail, top bar, the page, the basket. In a frame of another page only the page is left.

import { Activity, Compass, House, LayoutGrid, type LucideIcon, Network, Settings } from 'lucide-react';
import { lazy, type ReactNode, Suspense, useState } from 'react';
import { boot } from '../core/boot.ts';
import { commandsOf, useCommands } from '../core/commands.ts';
import { go, hrefOf } from '../core/navigation.ts';
import { defaults } from '../core/places.ts';
import { usePreferences } from '../core/preferences.ts';
import { useOpenFiles } from '../core/useOpenFiles.ts';
import { Banner } from '../ui/Banner/Banner.tsx';
import { SkipLink } from '../ui/SkipLink/SkipLink.tsx';
import type { Place, Route } from '../url/index.ts';
import { SHELL_COMMANDS } from './commands.ts';
import { prefetch } from './pages.tsx';
import css from './Shell.module.css';
import { TopBar } from './TopBar.tsx';
import { text } from './text.ts';
import { placeAbove } from './up.ts';

/** Fetched when there is something to show: no page needs them at first. */
const Basket = lazy(async () => ({ default: (await import('./Basket.tsx')).Basket }));
const ReadingFile = lazy(async () => ({ default: (await import('../ui/ReadingFile/ReadingFile.tsx')).ReadingFile }));
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

function RailLink({ item, page }: { item: RailItem; page: string }) {
  const { icon: Icon, label, place, pages } = item;
  const target = place();
  return (
    <li>
      <a
        className={css['railLink']}
        href={hrefOf(target)}
        aria-current={pages.includes(page) ? 'page' : undefined}
        onPointerEnter={() => prefetch(target.page)}
        onFocus={() => prefetch(target.page)}
      >
        <Icon aria-hidden size={18} strokeWidth={1.75} />
        <span className={css['railLabel']}>{label}</span>
      </a>
    </li>
  );
}

function Rail({ page }: { page: string }) {
  return (
    <nav className={css['rail']} aria-label={text.pages}>
      <ul className={css['railList']}>
        {RAIL.map((item) => (
          <RailLink key={item.key} item={item} page={page} />
        ))}
      </ul>
      <ul className={css['railList']}>
        {RAIL_END.map((item) => (
          <RailLink key={item.key} item={item} page={page} />
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
  const files = useOpenFiles();
  const isFramed = route.embed.mode !== 'off';
  const takesFiles = !boot.isFileUploadOff && !isFramed;
  useCommands([
    ...[...RAIL, ...RAIL_END].map(({ label, key, place }) => ({
      id: `go.${key}`,
      title: label,
      group: text.groupPages,
      keys: [`g ${key}`],
      run: () => go(place()),
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
      {!isFramed && <Rail page={route.page} />}
      {!isFramed && (
        <TopBar route={route} onHelp={() => setSheetOpen(true)} onSay={say} onFiles={takesFiles ? files.open : null} />
      )}
      <main id="main" className={css['main']} tabIndex={-1}>
        {notice !== '' && notice !== dismissed && (
          <Banner onDismiss={() => setDismissed(notice)}>{text.notice(notice)}</Banner>
        )}
        {said.words !== '' && said.page === route.page && <Banner onDismiss={() => say('')}>{said.words}</Banner>}
        {files.reading && (
          <Suspense>
            <ReadingFile {...files.reading} onCancel={files.cancel} />
          </Suspense>
        )}
        {files.skipped.map(({ what, why }) => (
          <Banner key={`${what} ${why}`} tone="warn" onDismiss={files.dismiss}>
            {text.fileSkipped(what, why)}
          </Banner>
        ))}
        {children}
      </main>
      {!isFramed && basket.length > 0 && (
        <Suspense>
          <Basket route={route} />
        </Suspense>
      )}
      <Suspense>{isSheetOpen && <KeysSheet isOpen onOpenChange={setSheetOpen} />}</Suspense>
    </div>
  );
}
