// The line of tools: find, services, colour, folding, critical path, short spans, columns.

import { ChevronDown, ChevronsDownUp, ChevronsUpDown, Columns3, FoldVertical, UnfoldVertical, X } from 'lucide-react';
import { Button } from '../../../ui/Button/Button.tsx';
import { IconButton } from '../../../ui/IconButton/IconButton.tsx';
import { Menu, MenuItem, MenuTrigger } from '../../../ui/Menu/Menu.tsx';
import { Popover, PopoverTrigger } from '../../../ui/Popover/Popover.tsx';
import { ToggleButton } from '../../../ui/ToggleButton/ToggleButton.tsx';
import type { TraceState } from '../../../url/index.ts';
import { text as keysText } from '../keysText.ts';
import { stateNow, update, useTracePage } from '../state/page.tsx';
import { nameOf, serviceOf } from '../waterfall/rowText.ts';
import { closeAll, closeOneLevel, openAll, openOneLevel } from '../waterfall/toggle.ts';
import { FindField } from './FindField.tsx';
import { KeyPicker } from './KeyPicker.tsx';
import { MinDuration } from './MinDuration.tsx';
import { ServicesFilter } from './ServicesFilter.tsx';
import css from './Toolbar.module.css';
import { text } from './text.ts';

const CRITICAL: readonly { id: TraceState['critical']; label: string; short: string }[] = [
  { id: 'shown', label: text.criticalShown, short: text.criticalShownShort },
  { id: 'only', label: text.criticalOnly, short: text.criticalOnlyShort },
  { id: 'hidden', label: text.criticalHidden, short: text.criticalHiddenShort },
];

export function Toolbar() {
  const { session, state, colours, fileName } = useTracePage();
  const hasRows = state.view === 'waterfall';
  const hasBars = hasRows || state.view === 'flame';
  const focus = state.focus === null ? -1 : session.rowOf(state.focus);
  return (
    <div role="toolbar" aria-label={text.tools} className={css['toolbar']}>
      <FindField />
      <div className={css['rest']}>
        <ServicesFilter />
        {hasBars && fileName === null && (
          <PopoverTrigger>
            <Button size="small" variant="quiet" end={<ChevronDown aria-hidden size={14} />}>
              {text.colour} <span className={css['chosen']}>{colours.field ?? state.colour}</span>
            </Button>
            <Popover label={text.colour}>
              {(close) => (
                <KeyPicker
                  first={[text.colourService]}
                  onPick={(colour) => {
                    update({ colour });
                    close();
                  }}
                />
              )}
            </Popover>
          </PopoverTrigger>
        )}
        {hasBars && (
          <MenuTrigger>
            <Button size="small" variant="quiet" end={<ChevronDown aria-hidden size={14} />}>
              {text.critical}{' '}
              <span className={css['chosen']}>{CRITICAL.find(({ id }) => id === state.critical)?.short}</span>
            </Button>
            <Menu
              label={text.critical}
              choice={{
                mode: 'single',
                selected: [state.critical],
                onChange: ([next]) => {
                  const chosen = CRITICAL.find(({ id }) => id === next);
                  if (chosen) update({ critical: chosen.id }, 'push');
                },
              }}
            >
              {CRITICAL.map(({ id, label }) => (
                <MenuItem key={id} id={id} label={label} />
              ))}
            </Menu>
          </MenuTrigger>
        )}
        {hasRows && session.hasRuns && (
          <ToggleButton
            label={text.fold}
            keys="o"
            size="small"
            isSelected={state.fold}
            onChange={(fold) => update({ fold }, 'push')}
          />
        )}
        {hasRows && <MinDuration />}
        {hasRows && fileName === null && (
          <PopoverTrigger>
            <Button size="small" variant="quiet" icon={Columns3}>
              {text.columns}
            </Button>
            <Popover label={text.addColumn}>
              {(close) => (
                <KeyPicker
                  except={state.cols}
                  onPick={(field) => {
                    update({ cols: [...(stateNow()?.cols ?? []), field] }, 'push');
                    close();
                  }}
                />
              )}
            </Popover>
          </PopoverTrigger>
        )}
        {hasRows && (
          <MenuTrigger>
            <IconButton icon={ChevronsUpDown} size="small" label={text.rowsMenu} />
            <Menu label={text.rowsMenu}>
              <MenuItem
                id="less"
                icon={FoldVertical}
                label={keysText.levelLess}
                keys="["
                onAction={() => closeOneLevel(session)}
              />
              <MenuItem
                id="more"
                icon={UnfoldVertical}
                label={keysText.levelMore}
                keys="]"
                onAction={() => openOneLevel(session)}
              />
              <MenuItem id="closeAll" icon={ChevronsDownUp} label={keysText.closeAll} keys="{" onAction={closeAll} />
              <MenuItem id="openAll" icon={ChevronsUpDown} label={keysText.openAll} keys="}" onAction={openAll} />
            </Menu>
          </MenuTrigger>
        )}
        {focus >= 0 && (
          <Button
            size="small"
            end={<X aria-hidden size={12} />}
            aria-label={text.focusOff}
            onPress={() => update({ focus: null }, 'push')}
          >
            {text.focus(`${serviceOf(session, focus)} ${nameOf(session, focus)}`)}
          </Button>
        )}
        {colours.error !== null && <span className={css['error']}>{text.colourFailed(colours.error)}</span>}
      </div>
    </div>
  );
}
