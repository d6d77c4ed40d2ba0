// The keys of every command, to be changed, switched off and set back. Conflicts are shown where they are.

import { Pencil, RotateCcw, TriangleAlert, X } from 'lucide-react';
import { useState } from 'react';
import { type KnownCommand, keysOf, useAllCommands, useKnownCommands } from '../../core/commands.ts';
import { prefer, preferences, usePreferences } from '../../core/preferences.ts';
import { Button } from '../../ui/Button/Button.tsx';
import { IconButton } from '../../ui/IconButton/IconButton.tsx';
import { Kbd } from '../../ui/Kbd/Kbd.tsx';
import { SearchField } from '../../ui/SearchField/SearchField.tsx';
import { Table, type TableColumn } from '../../ui/Table/Table.tsx';
import { conflictsOf } from './conflicts.ts';
import { KeyCapture } from './KeyCapture.tsx';
import css from './Settings.module.css';
import { text } from './text.ts';

function setKeys(id: string, keys: readonly string[] | null): void {
  const { [id]: _dropped, ...others } = preferences().keys;
  prefer({ keys: keys === null ? others : { ...others, [id]: [...keys] } });
}

function Keys({ command, conflicts }: { command: KnownCommand; conflicts: readonly KnownCommand[] }) {
  const keys = keysOf(command);
  return (
    <span className={css['boundKeys']}>
      {keys.length === 0 && <span className={css['quiet']}>{text.noKey}</span>}
      {keys.map((key) => (
        <Kbd key={key} keys={key} />
      ))}
      {conflicts.length > 0 && (
        <span className={css['conflict']} title={text.conflict(conflicts.map(({ title }) => title))}>
          <TriangleAlert aria-hidden size={12} />
          {text.conflict(conflicts.map(({ title }) => title))}
        </span>
      )}
    </span>
  );
}

type RowActionsProps = { command: KnownCommand; isChanged: boolean; onCapture: () => void };

function RowActions({ command, isChanged, onCapture }: RowActionsProps) {
  return (
    <span className={css['rowActions']}>
      <span>
        {isChanged && (
          <IconButton
            icon={RotateCcw}
            size="small"
            label={text.resetOf(command.title)}
            onPress={() => setKeys(command.id, null)}
          />
        )}
      </span>
      <IconButton icon={Pencil} size="small" label={text.changeOf(command.title)} onPress={onCapture} />
      <span>
        {keysOf(command).length > 0 && (
          <IconButton
            icon={X}
            size="small"
            label={text.switchOffOf(command.title)}
            onPress={() => setKeys(command.id, [])}
          />
        )}
      </span>
    </span>
  );
}

export function KeyTable() {
  const known = useKnownCommands();
  // This page has no commands of its own: what acts here acts everywhere, with what belongs to it.
  const everywhere = new Set(useAllCommands().map(({ group }) => group));
  const { keys: changed } = usePreferences();
  const [find, setFind] = useState('');
  const [capturing, setCapturing] = useState<string | null>(null);
  const wanted = find.trim().toLowerCase();
  const rows = known.filter(({ title, group }) => `${group} ${title}`.toLowerCase().includes(wanted));
  const conflicts = conflictsOf(
    known.map((command) => ({ command, keys: keysOf(command), isEverywhere: everywhere.has(command.group) })),
  );
  const columns: TableColumn<KnownCommand>[] = [
    { id: 'command', header: text.command, isRowHeader: true, cell: ({ title }) => title },
    {
      id: 'group',
      header: text.group,
      width: '128px',
      isWideOnly: true,
      cell: ({ group }) => <span className={css['quiet']}>{group}</span>,
    },
    {
      id: 'keys',
      header: text.keys,
      width: 'clamp(116px, 38cqi, 340px)',
      cell: (command) =>
        capturing === command.id ? (
          <KeyCapture
            title={command.title}
            onDone={(keys) => {
              setCapturing(null);
              if (keys !== null) setKeys(command.id, [keys]);
            }}
          />
        ) : (
          <Keys command={command} conflicts={conflicts.get(command.id) ?? []} />
        ),
    },
    {
      id: 'actions',
      header: text.actions,
      isHeaderHidden: true,
      width: '100px',
      cell: (command) => (
        <RowActions
          command={command}
          isChanged={changed[command.id] !== undefined}
          onCapture={() => setCapturing(command.id)}
        />
      ),
    },
  ];
  return (
    <div className={css['keyTable']}>
      <div className={css['keyTools']}>
        <SearchField label={text.findCommand} value={find} onChange={setFind} />
        <Button size="small" isDisabled={Object.keys(changed).length === 0} onPress={() => prefer({ keys: {} })}>
          {text.resetKeys}
        </Button>
      </div>
      <Table
        caption={text.keysCaption}
        columns={columns}
        rows={rows}
        rowKey={({ id }) => id}
        empty={<p className={css['quiet']}>{text.noCommand}</p>}
      />
      <p className={css['quiet']}>{text.otherPages}</p>
    </div>
  );
}
