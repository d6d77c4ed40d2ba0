// Menus: `<MenuTrigger><IconButton … /><Menu label="…"><MenuItem … /></Menu></MenuTrigger>`. Items show the key of
// their command, so that menus teach keys. With `selection` the items of a section are choices.

import { Check, type LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';
import {
  Menu as AriaMenu,
  MenuItem as AriaMenuItem,
  MenuSection as AriaMenuSection,
  Header,
  Popover,
  type PopoverProps,
  Separator,
} from 'react-aria-components';
import { Kbd } from '../Kbd/Kbd.tsx';
import overlayCss from '../Overlay/Overlay.module.css';
import { cx, given } from '../props.ts';

export { MenuTrigger } from 'react-aria-components';

export type MenuChoice = {
  mode: 'single' | 'multiple';
  selected: readonly string[];
  onChange: (selected: string[]) => void;
};

function choiceProps(choice: MenuChoice | undefined) {
  if (!choice) return {};
  return {
    selectionMode: choice.mode,
    disallowEmptySelection: choice.mode === 'single',
    selectedKeys: choice.selected,
    onSelectionChange: (keys: 'all' | Set<string | number>) => {
      if (keys !== 'all') choice.onChange([...keys].map(String));
    },
  } as const;
}

export type MenuProps = {
  label: string;
  children: ReactNode;
  choice?: MenuChoice | undefined;
  /** The id of the item that was chosen; items may have an `onAction` of their own as well. */
  onAction?: ((id: string) => void) | undefined;
  placement?: PopoverProps['placement'] | undefined;
};

export function Menu({ label, children, choice, onAction, placement = 'bottom start' }: MenuProps) {
  return (
    <Popover placement={placement} offset={4} className={cx(overlayCss['overlay'])}>
      <AriaMenu
        aria-label={label}
        className={cx(overlayCss['list'])}
        {...choiceProps(choice)}
        {...given({ onAction: onAction && ((key: string | number) => onAction(String(key))) })}
      >
        {children}
      </AriaMenu>
    </Popover>
  );
}

export type MenuItemProps = {
  id: string;
  label: string;
  icon?: LucideIcon | undefined;
  keys?: string | undefined;
  /** Secondary text at the end. */
  detail?: string | undefined;
  href?: string | undefined;
  target?: string | undefined;
  rel?: string | undefined;
  isDisabled?: boolean | undefined;
  isDanger?: boolean | undefined;
  onAction?: (() => void) | undefined;
};

export function MenuItem({ id, label, icon: Icon, keys, detail, isDanger = false, ...rest }: MenuItemProps) {
  return (
    <AriaMenuItem
      {...given(rest)}
      id={id}
      textValue={label}
      className={cx(overlayCss['item'], isDanger && overlayCss['danger'])}
    >
      {({ selectionMode, isSelected }) => (
        <>
          {selectionMode !== 'none' && (
            <span className={overlayCss['lead']}>{isSelected && <Check aria-hidden size={14} />}</span>
          )}
          {Icon && <Icon aria-hidden size={14} className={overlayCss['lead']} />}
          <span className={overlayCss['label']}>{label}</span>
          {detail !== undefined && <span className={overlayCss['detail']}>{detail}</span>}
          {keys !== undefined && (
            <span className={overlayCss['detail']}>
              <Kbd keys={keys} />
            </span>
          )}
        </>
      )}
    </AriaMenuItem>
  );
}

export type MenuSectionProps = { title: string; children: ReactNode; choice?: MenuChoice | undefined };

export function MenuSection({ title, children, choice }: MenuSectionProps) {
  return (
    <AriaMenuSection {...choiceProps(choice)}>
      <Header className={overlayCss['header']}>{title}</Header>
      {children}
    </AriaMenuSection>
  );
}

export function MenuSeparator() {
  return <Separator className={cx(overlayCss['separator'])} />;
}
