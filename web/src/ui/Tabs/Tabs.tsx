// Views of one thing. The panel of the selected tab is the children; other panels are not in the page.

import type { LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';
import { Tabs as AriaTabs, Tab, TabList, TabPanel } from 'react-aria-components';
import { formatCount } from '../../i18n/catalogue.ts';
import { Kbd } from '../Kbd/Kbd.tsx';
import { cx, given } from '../props.ts';
import css from './Tabs.module.css';

export type TabItem<Id extends string = string> = {
  id: Id;
  label: string;
  icon?: LucideIcon | undefined;
  count?: number | undefined;
  keys?: string | undefined;
  isDisabled?: boolean | undefined;
};

export type TabsProps<Id extends string> = {
  label: string;
  items: readonly TabItem<Id>[];
  selected: Id;
  onSelect: (id: Id) => void;
  children: ReactNode;
  /** At the end of the line of tabs. */
  actions?: ReactNode;
  /** `manual`: arrow keys move, Enter selects; for panels that cost a request. */
  activation?: 'automatic' | 'manual' | undefined;
  className?: string | undefined;
  panelClassName?: string | undefined;
};

export function Tabs<Id extends string>(props: TabsProps<Id>) {
  const {
    label,
    items,
    selected,
    onSelect,
    children,
    actions,
    activation = 'automatic',
    className,
    panelClassName,
  } = props;
  return (
    <AriaTabs
      selectedKey={selected}
      onSelectionChange={(key) => {
        const item = items.find(({ id }) => id === key);
        if (item && item.id !== selected) onSelect(item.id);
      }}
      keyboardActivation={activation}
      className={cx(css['tabs'], className)}
    >
      <div className={css['bar']}>
        <TabList aria-label={label} items={items} className={cx(css['list'])}>
          {({ id, label: name, icon: Icon, count, keys, isDisabled }) => (
            <Tab id={id} {...given({ isDisabled })} className={cx(css['tab'])}>
              {Icon && <Icon aria-hidden size={14} />}
              {name}
              {count !== undefined && <span className={css['count']}>{formatCount(count)}</span>}
              {keys !== undefined && (
                <span aria-hidden className={css['count']}>
                  <Kbd keys={keys} />
                </span>
              )}
            </Tab>
          )}
        </TabList>
        {actions}
      </div>
      <TabPanel id={selected} className={cx(css['panel'], panelClassName)}>
        {children}
      </TabPanel>
    </AriaTabs>
  );
}
