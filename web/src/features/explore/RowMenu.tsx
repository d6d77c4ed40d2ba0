// What can be done with a row: filter by its service and operation, or without them, compare, copy.

import { CircleMinus, CirclePlus, Copy, Ellipsis, GitCompare } from 'lucide-react';
import type { Scope } from '../../api/types.ts';
import { toggleInBasket } from '../../core/preferences.ts';
import { ROOT_NAME, ROOT_SERVICE, SERVICE } from '../../query/fields.ts';
import { copyText } from '../../ui/CopyButton/copyText.ts';
import { IconButton } from '../../ui/IconButton/IconButton.tsx';
import { Menu, MenuItem, MenuSeparator, MenuTrigger } from '../../ui/Menu/Menu.tsx';
import { quoteText } from '../../url/queryText.ts';
import type { ResultRow } from './rows.ts';
import { text } from './text.ts';
import type { Changes } from './useExplore.ts';

/** What a row's names are filtered by: those of the root where rows are traces. */
export function fieldsOfRow(scope: Scope): { service: string; name: string } {
  return scope === 'traces' ? { service: ROOT_SERVICE, name: ROOT_NAME } : { service: SERVICE, name: 'name' };
}

type RowMenuProps = { row: ResultRow; scope: Scope; changes: Changes };

export function RowMenu({ row, scope, changes }: RowMenuProps) {
  const fields = fieldsOfRow(scope);
  const { service, name, trace } = row;
  return (
    <MenuTrigger>
      <IconButton
        icon={Ellipsis}
        size="small"
        label={text.rowActions(`${service} ${name}`)}
        // The keys f, Shift+F and x of the row do the same.
        excludeFromTabOrder
      />
      <Menu label={text.rowActions(`${service} ${name}`)} placement="bottom end">
        <MenuItem
          id="service"
          icon={CirclePlus}
          label={text.only(service)}
          onAction={() => changes.include(fields.service, quoteText(service))}
        />
        <MenuItem
          id="noService"
          icon={CircleMinus}
          label={text.without(service)}
          onAction={() => changes.exclude(fields.service, quoteText(service))}
        />
        <MenuItem
          id="name"
          icon={CirclePlus}
          label={text.only(name)}
          keys="f"
          onAction={() => changes.include(fields.name, quoteText(name))}
        />
        <MenuItem
          id="noName"
          icon={CircleMinus}
          label={text.without(name)}
          keys="Shift+F"
          onAction={() => changes.exclude(fields.name, quoteText(name))}
        />
        <MenuSeparator />
        <MenuItem
          id="mark"
          icon={GitCompare}
          label={text.select}
          keys="x"
          onAction={() => toggleInBasket(trace.traceId)}
        />
        <MenuItem id="copy" icon={Copy} label={text.copyTraceId} onAction={() => void copyText(trace.traceId)} />
      </Menu>
    </MenuTrigger>
  );
}
