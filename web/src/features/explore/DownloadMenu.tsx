// The button for results as a file: all matches, not only the rows that were scrolled to.

import { Download } from 'lucide-react';
import { IconButton } from '../../ui/IconButton/IconButton.tsx';
import { Menu, MenuItem, MenuTrigger } from '../../ui/Menu/Menu.tsx';
import type { ResultRow } from './rows.ts';
import type { SearchAsked } from './searchPage.ts';
import { text } from './text.ts';

/** Sheets end at a million, and a browser's memory before that. */
export const DOWNLOAD_ROWS_MAX = 100_000;

export type Downloadable = {
  readonly rows: readonly ResultRow[];
  readonly asked: SearchAsked;
  /** The rows are all that there is: nothing has to be asked. */
  readonly isAll: boolean;
  /** About how many match; null: nobody knows. */
  readonly about: number | null;
  /** Something is shown of it from now on. */
  readonly onBegin: () => void;
};

function amount({ rows, asked: { scope }, isAll, about }: Downloadable): string {
  if (isAll) return text.rows(rows.length);
  if (about === null) return text.allMatches;
  return about > DOWNLOAD_ROWS_MAX
    ? text.firstOfAbout(scope, DOWNLOAD_ROWS_MAX, about)
    : text.allAbout(scope, Math.max(about, rows.length));
}

/** Only who wants a file needs what makes it. */
async function start(what: Downloadable, name: 'csv' | 'jsonl'): Promise<void> {
  const { rows, asked, isAll, onBegin } = what;
  if (!isAll) {
    const { downloads, FORMATS } = await import('./downloadRun.ts');
    downloads.start(asked, FORMATS[name]);
    onBegin();
    return;
  }
  const { FORMATS, fileName, saveFile } = await import('./download.ts');
  const { head, body, type } = FORMATS[name];
  saveFile([head(asked.cols), body(rows, asked.cols)], fileName(asked.scope, FORMATS[name], null), type);
}

export function DownloadMenu({ what }: { what: Downloadable }) {
  return (
    <MenuTrigger>
      <IconButton size="small" icon={Download} label={text.download} isDisabled={what.rows.length === 0} />
      <Menu
        label={text.download}
        placement="bottom end"
        onAction={(id) => void start(what, id === 'csv' ? id : 'jsonl')}
      >
        <MenuItem id="csv" label={text.csv} detail={amount(what)} />
        <MenuItem id="jsonl" label={text.jsonLines} detail={amount(what)} />
      </Menu>
    </MenuTrigger>
  );
}
