// Any value is a verb: the same menu wherever a value is shown. What a place cannot do it does not pass. Copying is
// always there. While the focus is on a value, f and Shift+F filter by it without the menu.

import {
  CircleMinus,
  CirclePlus,
  Columns3,
  Copy,
  Ellipsis,
  Group,
  Key,
  type LucideIcon,
  Palette,
  Pin,
  PinOff,
} from 'lucide-react';
import type { ReactNode } from 'react';
import { Button as AriaButton, type ButtonProps } from 'react-aria-components';
import { copyText } from '../CopyButton/copyText.ts';
import { Menu, MenuItem, MenuSeparator, MenuTrigger } from '../Menu/Menu.tsx';
import { cx } from '../props.ts';
import { text } from './text.ts';
import css from './ValueMenu.module.css';

export type ValueVerbs = {
  filterIn?: (() => void) | undefined;
  filterOut?: (() => void) | undefined;
  colourBy?: (() => void) | undefined;
  groupBy?: (() => void) | undefined;
  addColumn?: (() => void) | undefined;
  removeColumn?: (() => void) | undefined;
  pin?: (() => void) | undefined;
  unpin?: (() => void) | undefined;
};

const verbs: { id: keyof ValueVerbs; icon: LucideIcon; keys?: string }[] = [
  { id: 'filterIn', icon: CirclePlus, keys: 'f' },
  { id: 'filterOut', icon: CircleMinus, keys: 'Shift+F' },
  { id: 'colourBy', icon: Palette },
  { id: 'groupBy', icon: Group },
  { id: 'addColumn', icon: Columns3 },
  { id: 'removeColumn', icon: Columns3 },
  { id: 'pin', icon: Pin },
  { id: 'unpin', icon: PinOff },
];

export type ValueMenuProps = {
  field?: string | undefined;
  value: string;
  actions: ValueVerbs;
  /** Further `MenuItem`s: link templates. */
  more?: ReactNode;
  /** What is pressed; without it three dots. */
  children?: ReactNode;
};

function keysOf({ filterIn, filterOut }: ValueVerbs): NonNullable<ButtonProps['onKeyDown']> {
  return (event) => {
    const verb = event.key.toLowerCase() === 'f' ? (event.shiftKey ? filterOut : filterIn) : undefined;
    // Of other keys React Aria would let nobody know.
    if (verb === undefined || event.ctrlKey || event.metaKey || event.altKey) event.continuePropagation();
    else verb();
  };
}

export function ValueMenu({ field, value, actions, more, children }: ValueMenuProps) {
  const shown = verbs.filter(({ id }) => actions[id]);
  const name = field === undefined ? value : `${field} = ${value}`;
  return (
    <MenuTrigger>
      <AriaButton
        className={cx(children === undefined ? css['dots'] : css['value'])}
        onKeyDown={keysOf(actions)}
        {...(children === undefined && { 'aria-label': text.open(name) })}
      >
        {children ?? <Ellipsis aria-hidden size={14} />}
      </AriaButton>
      <Menu label={name}>
        {shown.map(({ id, icon, keys }) => (
          <MenuItem key={id} id={id} icon={icon} label={text[id]} keys={keys} onAction={actions[id]} />
        ))}
        {shown.length > 0 && <MenuSeparator />}
        <MenuItem id="copy" icon={Copy} label={text.copy} onAction={() => void copyText(value)} />
        {field !== undefined && (
          <MenuItem id="copyKey" icon={Key} label={text.copyKey} onAction={() => void copyText(field)} />
        )}
        {more}
      </Menu>
    </MenuTrigger>
  );
}
