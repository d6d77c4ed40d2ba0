// How the results are shown, and what else can be done with them.

import { ChartColumn, ChevronDown, FolderOpen, ListFilter } from 'lucide-react';
import type { Window } from '../../api/questions.ts';
import type { Scope, Sort } from '../../api/types.ts';
import { prefer, usePreferences } from '../../core/preferences.ts';
import { Button } from '../../ui/Button/Button.tsx';
import { IconButton } from '../../ui/IconButton/IconButton.tsx';
import { Menu, MenuItem, MenuTrigger } from '../../ui/Menu/Menu.tsx';
import { SegmentedControl } from '../../ui/SegmentedControl/SegmentedControl.tsx';
import { ToggleButton } from '../../ui/ToggleButton/ToggleButton.tsx';
import { ColumnsPopover } from './ColumnsPopover.tsx';
import { type Downloadable, DownloadMenu } from './DownloadMenu.tsx';
import css from './Toolbar.module.css';
import { text } from './text.ts';
import type { Changes, State } from './useExplore.ts';

const SCOPES: readonly { id: Scope; label: string }[] = [
  { id: 'traces', label: text.traces },
  { id: 'entry', label: text.entry },
  { id: 'spans', label: text.spans },
];
const SORTS: readonly { id: Sort; label: string }[] = [
  { id: 'newest', label: text.newest },
  { id: 'slowest', label: text.slowest },
];
/** Spans come trace by trace: it is the traces that have an order. */
const SORTS_OF_SPANS: readonly { id: Sort; label: string }[] = [
  { id: 'newest', label: text.newestTraces },
  { id: 'slowest', label: text.slowestTraces },
];

type SortMenuProps = { sorts: typeof SORTS; sort: Sort; onChange: (sort: Sort) => void };

function SortMenu({ sorts, sort, onChange }: SortMenuProps) {
  return (
    <MenuTrigger>
      <Button size="small" variant="quiet" end={<ChevronDown aria-hidden size={14} />}>
        {text.sortedBy(sorts.find(({ id }) => id === sort)?.label ?? sort)}
      </Button>
      <Menu
        label={text.sort}
        choice={{
          mode: 'single',
          selected: [sort],
          onChange: ([id]) => onChange(id === 'slowest' ? 'slowest' : 'newest'),
        }}
      >
        {sorts.map(({ id, label }) => (
          <MenuItem key={id} id={id} label={label} />
        ))}
      </Menu>
    </MenuTrigger>
  );
}

function ChartsMenu() {
  const { charts } = usePreferences();
  return (
    <MenuTrigger>
      <IconButton size="small" icon={ChartColumn} label={text.chartsMenu} />
      <Menu
        label={text.chartsMenu}
        placement="bottom end"
        choice={{
          mode: 'single',
          selected: [charts],
          onChange: ([chosen]) => prefer({ charts: chosen === 'table' || chosen === 'hidden' ? chosen : 'drawn' }),
        }}
      >
        <MenuItem id="drawn" label={text.chartsDrawn} />
        <MenuItem id="table" label={text.chartsTable} />
        <MenuItem id="hidden" label={text.chartsHidden} />
      </Menu>
    </MenuTrigger>
  );
}

type ToolbarProps = {
  state: State;
  download: Downloadable;
  window: Window;
  changes: Changes;
  hasFacets: boolean;
  areFacetsShown: boolean;
  onFacets: (areShown: boolean) => void;
  /** Null: files are not opened here. */
  onOpenFile: (() => void) | null;
};

export function Toolbar(props: ToolbarProps) {
  const { state, download, window, changes, hasFacets, areFacetsShown, onFacets, onOpenFile } = props;
  const { scope, sort, cols, live, traces } = state;
  const isSearch = !live && traces.length === 0;
  return (
    <div className={css['toolbar']}>
      {hasFacets && (
        <ToggleButton
          size="small"
          icon={ListFilter}
          label={text.facets}
          isIconOnly
          isSelected={areFacetsShown}
          onChange={onFacets}
        />
      )}
      {traces.length === 0 && (
        <SegmentedControl label={text.scope} items={SCOPES} value={scope} onChange={changes.setScope} />
      )}
      {isSearch && (
        <SortMenu sorts={scope === 'traces' ? SORTS : SORTS_OF_SPANS} sort={sort} onChange={changes.setSort} />
      )}
      <div className={css['end']}>
        <ColumnsPopover cols={cols} window={window} onChange={changes.setCols} />
        {isSearch && <ChartsMenu />}
        <DownloadMenu what={download} />
        {onOpenFile && <IconButton size="small" icon={FolderOpen} label={text.openFile} onPress={onOpenFile} />}
      </div>
    </div>
  );
}
