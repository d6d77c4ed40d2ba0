// The button for results as a file: all matches, not only the rows that were scrolled to.

import { Download } from 'lucide-react';
import { useSyncExternalStore } from 'react';
import { IconButton } from '../../ui/IconButton/IconButton.tsx';
import { Menu, MenuItem, MenuTrigger } from '../../ui/Menu/Menu.tsx';
import { FORMATS, fileName, saveFile } from './download.ts';
import { DOWNLOAD_ROWS_MAX, downloads } from './downloadRun.ts';
import type { ResultRow } from './rows.ts';
import type { SearchAsked } from './searchPage.ts';
import { text } from './text.ts';

export type Downloadable = {
  readonly rows: readonly ResultRow[];
  readonly asked: SearchAsked;
  /** The rows are all that there is: nothing has to be asked. */
  readonly isAll: boolean;
  /** About how many match; null: nobody knows. */
  readonly about: number | null;
};

function amount({ rows, asked: { scope }, isAll, about }: Downloadable): string {
  if (isAll) return text.rows(rows.length);
  if (about === null) return text.allMatches;
  return about > DOWNLOAD_ROWS_MAX
    ? text.firstOfAbout(scope, DOWNLOAD_ROWS_MAX, about)
    : text.allAbout(scope, Math.max(about, rows.length));
}

export function DownloadMenu({ what }: { what: Downloadable }) {
  const { rows, asked, isAll } = what;
  const phase = useSyncExternalStore(downloads.subscribe, () => downloads.state()?.phase);
  const start = (name: keyof typeof FORMATS) => {
    const format = FORMATS[name];
    if (!isAll) downloads.start(asked, format);
    else
      saveFile(
        [format.head(asked.cols), format.body(rows, asked.cols)],
        fileName(asked.scope, format, null),
        format.type,
      );
  };
  return (
    <MenuTrigger>
      <IconButton
        size="small"
        icon={Download}
        label={text.download}
        isDisabled={rows.length === 0 || phase === 'running'}
      />
      <Menu label={text.download} placement="bottom end">
        <MenuItem id="csv" label={text.csv} detail={amount(what)} onAction={() => start('csv')} />
        <MenuItem id="jsonl" label={text.jsonLines} detail={amount(what)} onAction={() => start('jsonl')} />
      </Menu>
    </MenuTrigger>
  );
}
