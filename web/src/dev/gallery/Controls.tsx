// Buttons, menus, selects, tabs, chips.

import {
  ArrowDownToLine,
  ChevronDown,
  CirclePlus,
  Columns3,
  Copy,
  Link,
  RefreshCw,
  Search,
  Trash2,
} from 'lucide-react';
import { useState } from 'react';
import { Button } from '../../ui/Button/Button.tsx';
import { Chip } from '../../ui/Chip/Chip.tsx';
import { CopyButton } from '../../ui/CopyButton/CopyButton.tsx';
import { IconButton } from '../../ui/IconButton/IconButton.tsx';
import { Kbd } from '../../ui/Kbd/Kbd.tsx';
import { Menu, MenuItem, MenuSection, MenuSeparator, MenuTrigger } from '../../ui/Menu/Menu.tsx';
import { Select } from '../../ui/Select/Select.tsx';
import { Tabs } from '../../ui/Tabs/Tabs.tsx';
import { Hint } from '../../ui/Tooltip/Tooltip.tsx';
import { Line, Section } from './Section.tsx';

const sorts = [
  { id: 'newest', label: 'newest' },
  { id: 'slowest', label: 'slowest', detail: 'by the server' },
] as const;

const views = [
  { id: 'waterfall', label: 'Waterfall', keys: '1' },
  { id: 'flame', label: 'Flame', keys: '2' },
  { id: 'events', label: 'Events', count: 1204, keys: '5' },
  { id: 'graph', label: 'Graph', isDisabled: true },
] as const;

function noop() {}

export function Controls() {
  const [sort, setSort] = useState<'newest' | 'slowest'>('slowest');
  const [view, setView] = useState<'waterfall' | 'flame' | 'events' | 'graph'>('waterfall');
  const [columns, setColumns] = useState(['service', 'name']);
  const [isExcluded, setExcluded] = useState(true);
  const [filter, setFilter] = useState('duration > 500ms && kind = server');
  return (
    <Section title="Controls">
      <Line label="Button">
        <Button variant="primary">{'Compare'}</Button>
        <Button icon={RefreshCw}>{'Refresh'}</Button>
        <Button variant="quiet" icon={ArrowDownToLine}>
          {'Download'}
        </Button>
        <Button variant="danger" icon={Trash2}>
          {'Delete'}
        </Button>
        <Button isDisabled>{'Disabled'}</Button>
        <Button variant="primary" isBusy>
          {'Sending'}
        </Button>
        <Button size="small">{'Small'}</Button>
        <Button size="small" variant="quiet" end={<ChevronDown aria-hidden size={14} />}>
          {'Columns'}
        </Button>
      </Line>
      <Line label="IconButton">
        <IconButton icon={Link} label="Copy link" keys="u" />
        <IconButton icon={Search} label="Search" variant="plain" keys="Mod+K" />
        <IconButton icon={RefreshCw} label="Refresh" size="small" />
        <IconButton icon={RefreshCw} label="Off" size="small" isDisabled />
        <CopyButton value="4bf92f3577b34da6a3ce929d0e0e4736" label="Copy trace id" />
        <CopyButton value="x" isWide label="Copy as curl" variant="plain" />
      </Line>
      <Line label="Menu">
        <MenuTrigger>
          <Button end={<ChevronDown aria-hidden size={14} />}>{'Trace'}</Button>
          <Menu label="Trace">
            <MenuItem id="copy" icon={Copy} label="Copy link" keys="u" onAction={noop} />
            <MenuItem id="compare" icon={CirclePlus} label="Add to compare" keys="x" detail="2 chosen" />
            <MenuItem id="off" label="Archive" isDisabled />
            <MenuSeparator />
            <MenuSection title="Columns" choice={{ mode: 'multiple', selected: columns, onChange: setColumns }}>
              <MenuItem id="service" label="service" />
              <MenuItem id="name" label="name" />
              <MenuItem id="status" label="status" />
            </MenuSection>
            <MenuSeparator />
            <MenuItem id="delete" icon={Trash2} label="Delete" isDanger />
          </Menu>
        </MenuTrigger>
        <MenuTrigger>
          <IconButton icon={Columns3} label="Columns" variant="plain" />
          <Menu label="Columns">
            <MenuItem id="service" label="service" />
          </Menu>
        </MenuTrigger>
        <Kbd keys="Mod+K" />
        <Kbd keys="g h" />
        <Hint text="2,140,113,402 ns">{'2.14 s'}</Hint>
      </Line>
      <Line label="Select">
        <Select label="Sort" items={sorts} value={sort} onChange={setSort} />
        <Select label="Sort" labelPlace="hidden" variant="quiet" items={sorts} value={sort} onChange={setSort} />
        <Select label="None" labelPlace="above" placeholder="Choose…" items={sorts} value={null} onChange={setSort} />
        <Select label="Off" size="small" isDisabled items={sorts} value={sort} onChange={setSort} />
      </Line>
      <Line label="Chip">
        <Chip label={{ field: 'service', op: '=', value: 'checkout' }} onRemove={noop} onEdit={noop} onExclude={noop} />
        <Chip
          label={{ field: 'status', op: '=', value: 'error' }}
          isExcluded={isExcluded}
          onExclude={setExcluded}
          onRemove={noop}
          menu={<MenuItem id="only" label="Only this" />}
        />
        <Chip label={{ text: filter }} onEdit={setFilter} onRemove={noop} />
        <Chip label={{ text: 'duration >> 5' }} hasError onEdit={noop} onRemove={noop} />
        <Chip label={{ text: 'fixed' }} />
      </Line>
      <Line label="Tabs" isWide>
        <Tabs
          label="Views"
          items={views}
          selected={view}
          onSelect={setView}
          actions={<IconButton icon={Link} label="Copy link" size="small" />}
        >
          <p>{view}</p>
        </Tabs>
      </Line>
    </Section>
  );
}
