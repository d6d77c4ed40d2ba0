// What the map shows and how: focus, hops, threshold, measure, text, graph or table.

import { Download, X } from 'lucide-react';
import { type Ref, useState } from 'react';
import { serviceColour } from '../../theme/palette.ts';
import { ComboBox } from '../../ui/ComboBox/ComboBox.tsx';
import { IconButton } from '../../ui/IconButton/IconButton.tsx';
import { Menu, MenuItem, MenuTrigger } from '../../ui/Menu/Menu.tsx';
import { NumberField } from '../../ui/NumberField/NumberField.tsx';
import { SearchField } from '../../ui/SearchField/SearchField.tsx';
import { SegmentedControl } from '../../ui/SegmentedControl/SegmentedControl.tsx';
import { ServiceDot } from '../../ui/ServiceName/ServiceName.tsx';
import type { MapState } from '../../url/index.ts';
import { Age } from './Age.tsx';
import { type Calls, isFound } from './calls.ts';
import css from './Toolbar.module.css';
import { text } from './text.ts';
import type { ChangeMap } from './useMap.ts';

const HOPS = ['1', '2', '3', 'all'] as const;
const SUGGESTED_MAX = 50;

function Focus({ calls, state, change }: { calls: Calls | null; state: MapState; change: ChangeMap }) {
  const [draft, setDraft] = useState<string | null>(null);
  const typed = draft ?? '';
  const names = [...(calls?.services.values() ?? [])]
    .filter(({ name }) => isFound(name, typed))
    .sort((a, b) => b.rate - a.rate)
    .slice(0, SUGGESTED_MAX);
  const take = (name: string) => {
    setDraft(null);
    change({ focus: name, selected: [name] });
  };
  return (
    <div className={css['focus']}>
      <ComboBox
        label={text.focus}
        items={names.map(({ name }) => ({
          id: name,
          label: name,
          lead: <ServiceDot color={serviceColour(name)} />,
        }))}
        inputValue={draft ?? state.focus ?? ''}
        onInputChange={(value) => setDraft(value === state.focus ? null : value)}
        onSelect={({ id }) => take(id)}
        onCustom={(value) => {
          const [only] = names;
          if (calls?.services.has(value)) take(value);
          else if (only && names.length === 1) take(only.name);
        }}
        placeholder={text.focusPlaceholder}
        className={css['focusBox']}
      />
      {state.focus !== null && (
        <IconButton icon={X} label={text.clearFocus} size="small" onPress={() => change({ focus: null })} />
      )}
    </div>
  );
}

export type ToolbarProps = {
  calls: Calls | null;
  state: MapState;
  shownAs: 'graph' | 'table' | 'calls';
  change: ChangeMap;
  found: number;
  /** The next match. */
  onFind: (isBackwards: boolean) => void;
  /** Absent where there is no picture. */
  onSave: ((kind: 'png' | 'svg') => void) | undefined;
  findRef: Ref<HTMLInputElement>;
  /** When the server answered. */
  atMs: number;
};

export function Toolbar({ calls, state, shownAs, change, found, onFind, onSave, findRef, atMs }: ToolbarProps) {
  return (
    <div className={css['bar']}>
      <Focus calls={calls} state={state} change={change} />
      {state.focus !== null && (
        <SegmentedControl
          label={text.hops}
          isLabelShown
          items={HOPS.map((id) => ({ id, label: text.hop(id === 'all' ? 'all' : Number(id)) }))}
          value={HOPS.find((id) => id === String(state.hops)) ?? '2'}
          onChange={(id) => change({ hops: ([1, 2, 3, 'all'] as const).find((hops) => String(hops) === id) ?? 2 })}
        />
      )}
      <NumberField
        label={text.hideBelow}
        value={state.min}
        min={0}
        max={1e6}
        step={0.1}
        unit={text.perSecond}
        width={5}
        onChange={(min) => change({ min: Math.round(min * 1e6) / 1e6 })}
      />
      <SegmentedControl
        label={text.colourBy}
        items={(['latency', 'errors', 'rate'] as const).map((id) => ({ id, label: text[id] }))}
        value={state.metric}
        onChange={(metric) => change({ metric })}
      />
      <SearchField
        ref={findRef}
        label={text.find}
        value={state.find}
        onChange={(find) => change({ find }, { replace: true })}
        onEnter={onFind}
        end={state.find.trim() === '' ? undefined : text.foundOf(found)}
        className={css['find']}
      />
      <div className={css['end']}>
        <Age atMs={atMs} />
        {onSave && (
          <MenuTrigger>
            <IconButton icon={Download} label={text.export} />
            <Menu label={text.export} placement="bottom end">
              <MenuItem id="png" label={text.savePng} onAction={() => onSave('png')} />
              <MenuItem id="svg" label={text.saveSvg} onAction={() => onSave('svg')} />
            </Menu>
          </MenuTrigger>
        )}
        <SegmentedControl
          label={text.showAs}
          items={[
            { id: 'graph', label: text.graph },
            { id: 'table', label: text.services },
            { id: 'calls', label: text.calls },
          ]}
          value={shownAs}
          onChange={(as) => change({ as })}
        />
      </div>
    </div>
  );
}
