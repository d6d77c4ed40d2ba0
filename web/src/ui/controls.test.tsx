// @vitest-environment happy-dom
// Buttons, menus, selects, tabs, chips: names, keys, what is called.

import { act, cleanup, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { Copy } from 'lucide-react';
import { useState } from 'react';
import { afterEach, expect, test, vi } from 'vitest';
import { Button } from './Button/Button.tsx';
import { Chip } from './Chip/Chip.tsx';
import { ComboBox, type ComboBoxItem } from './ComboBox/ComboBox.tsx';
import { IconButton } from './IconButton/IconButton.tsx';
import { Kbd } from './Kbd/Kbd.tsx';
import { Menu, MenuItem, MenuTrigger } from './Menu/Menu.tsx';
import { SegmentedControl } from './SegmentedControl/SegmentedControl.tsx';
import { Select } from './Select/Select.tsx';
import { Tabs } from './Tabs/Tabs.tsx';
import { ToggleButton } from './ToggleButton/ToggleButton.tsx';
import { ValueMenu } from './ValueMenu/ValueMenu.tsx';

afterEach(cleanup);

test('a busy button keeps its name and refuses presses', async () => {
  const onPress = vi.fn();
  render(
    <Button isBusy onPress={onPress}>
      {'Send'}
    </Button>,
  );
  const button = screen.getByRole('button', { name: 'Send' });
  await userEvent.click(button);
  expect(onPress).not.toHaveBeenCalled();
  expect(button.getAttribute('aria-disabled')).toBe('true');
});

test('an icon button has its label as name, and as tooltip on focus', async () => {
  render(<IconButton icon={Copy} label="Copy link" keys="u" />);
  await userEvent.tab();
  expect(document.activeElement).toBe(screen.getByRole('button', { name: 'Copy link' }));
  expect((await screen.findByRole('tooltip')).textContent).toContain('Copy link');
  expect(screen.getByRole('tooltip').textContent).toContain('U');
});

test('a menu opens at an icon button, moves by arrows and calls the item', async () => {
  const onAction = vi.fn();
  render(
    <MenuTrigger>
      <IconButton icon={Copy} label="More" />
      <Menu label="More">
        <MenuItem id="a" label="First" />
        <MenuItem id="b" label="Second" keys="x" onAction={onAction} />
      </Menu>
    </MenuTrigger>,
  );
  await userEvent.tab();
  await userEvent.keyboard('{Enter}');
  expect(screen.getAllByRole('menuitem')).toHaveLength(2);
  // Which item has the focus at first depends on layout, which happy-dom has not.
  act(() => screen.getByRole('menuitem', { name: /First/ }).focus());
  await userEvent.keyboard('{ArrowDown}{Enter}');
  expect(onAction).toHaveBeenCalledOnce();
  expect(screen.queryByRole('menu')).toBeNull();
});

test('a menu of choices says what is chosen and gives the new set', async () => {
  const onChange = vi.fn();
  render(
    <MenuTrigger>
      <Button>{'Columns'}</Button>
      <Menu label="Columns" choice={{ mode: 'multiple', selected: ['a'], onChange }}>
        <MenuItem id="a" label="A" />
        <MenuItem id="b" label="B" />
      </Menu>
    </MenuTrigger>,
  );
  await userEvent.click(screen.getByRole('button', { name: 'Columns' }));
  expect(screen.getByRole('menuitemcheckbox', { name: 'A' }).getAttribute('aria-checked')).toBe('true');
  await userEvent.click(screen.getByRole('menuitemcheckbox', { name: 'B' }));
  expect(onChange).toHaveBeenCalledWith(['a', 'b']);
});

test('a select shows its value and gives the chosen id', async () => {
  const onChange = vi.fn();
  const items = [
    { id: 'newest', label: 'Newest' },
    { id: 'slowest', label: 'Slowest' },
  ] as const;
  render(<Select label="Sort" items={items} value="newest" onChange={onChange} />);
  await userEvent.click(screen.getByRole('button', { name: /Sort/ }));
  expect(screen.getByRole('option', { name: 'Newest' }).getAttribute('aria-selected')).toBe('true');
  await userEvent.click(screen.getByRole('option', { name: 'Slowest' }));
  expect(onChange).toHaveBeenCalledWith('slowest');
});

function Views() {
  const [view, setView] = useState<'a' | 'b' | 'c'>('a');
  const items = [
    { id: 'a', label: 'A' },
    { id: 'b', label: 'B', isDisabled: true },
    { id: 'c', label: 'C', count: 1200 },
  ] as const;
  return (
    <Tabs label="Views" items={items} selected={view} onSelect={setView}>
      {view}
    </Tabs>
  );
}

test('tabs move by arrows, skip what is off, and their panel is named by them', async () => {
  render(<Views />);
  await userEvent.tab();
  await userEvent.keyboard('{ArrowRight}');
  expect(screen.getByRole('tab', { name: /C/ }).getAttribute('aria-selected')).toBe('true');
  expect(screen.getByRole('tabpanel', { name: /C\s*1,200/ }).textContent).toBe('c');
});

test('a chip is edited by Enter, given up by Escape, removed by its cross', async () => {
  const onEdit = vi.fn();
  const onRemove = vi.fn();
  render(<Chip label={{ text: 'duration > 5ms' }} onEdit={onEdit} onRemove={onRemove} />);
  await userEvent.click(screen.getByRole('button', { name: 'duration > 5ms' }));
  await userEvent.keyboard('{End}0{Escape}');
  expect(onEdit).not.toHaveBeenCalled();
  expect(document.activeElement).toBe(screen.getByRole('button', { name: 'duration > 5ms' }));
  await userEvent.keyboard('{Enter}');
  const input = screen.getByRole('textbox', { name: 'Edit duration > 5ms' });
  await userEvent.clear(input);
  await userEvent.type(input, 'duration > 9ms{Enter}');
  expect(onEdit).toHaveBeenCalledExactlyOnceWith('duration > 9ms');
  await userEvent.click(screen.getByRole('button', { name: 'Remove duration > 5ms' }));
  expect(onRemove).toHaveBeenCalledOnce();
});

test('an excluded chip says so and offers to include', async () => {
  const onExclude = vi.fn();
  render(<Chip label={{ field: 'status', op: '=', value: 'error' }} isExcluded onExclude={onExclude} />);
  await userEvent.click(screen.getByRole('button', { name: /not\s*status = error/ }));
  await userEvent.click(screen.getByRole('menuitem', { name: 'Include' }));
  expect(onExclude).toHaveBeenCalledWith(false);
});

test('the menu of a value has the verbs it was given, and copying', async () => {
  const filterOut = vi.fn();
  render(<ValueMenu field="http.route" value="/pay" actions={{ filterIn: vi.fn(), filterOut }} />);
  await userEvent.click(screen.getByRole('button', { name: 'Actions for http.route = /pay' }));
  const names = screen.getAllByRole('menuitem').map((item) => item.getAttribute('data-key'));
  expect(names).toEqual(['filterIn', 'filterOut', 'copy', 'copyKey']);
  await userEvent.click(screen.getByRole('menuitem', { name: /Exclude this/ }));
  expect(filterOut).toHaveBeenCalledOnce();
});

test('f and Shift+F filter by the value that has the focus; other keys go on to who has them', async () => {
  const [filterIn, filterOut, onKeyDown] = [vi.fn(), vi.fn(), vi.fn()];
  const { rerender } = render(<ValueMenu value="/pay" actions={{ filterIn, filterOut }} />);
  document.addEventListener('keydown', onKeyDown);
  await userEvent.tab();
  await userEvent.keyboard('f');
  await userEvent.keyboard('{Shift>}F{/Shift}');
  expect([filterIn.mock.calls.length, filterOut.mock.calls.length]).toEqual([1, 1]);
  expect(onKeyDown.mock.calls.map(([event]) => event.key)).toEqual(['Tab', 'Shift']);
  await userEvent.keyboard('y{Control>}f{/Control}');
  expect(onKeyDown.mock.calls.map(([event]) => event.key)).toEqual(['Tab', 'Shift', 'y', 'Control', 'f']);
  rerender(<ValueMenu value="/pay" actions={{}} />);
  await userEvent.keyboard('f');
  expect(filterIn).toHaveBeenCalledOnce();
  document.removeEventListener('keydown', onKeyDown);
});

test('segments are radio buttons', async () => {
  const onChange = vi.fn();
  const items = [
    { id: 'a', label: 'Traces' },
    { id: 'b', label: 'Spans' },
  ] as const;
  render(<SegmentedControl label="Show" items={items} value="a" onChange={onChange} />);
  expect(screen.getByRole('radiogroup', { name: 'Show' })).toBeTruthy();
  await userEvent.click(screen.getByRole('radio', { name: 'Spans' }));
  expect(onChange).toHaveBeenCalledWith('b');
});

test('a toggle says whether it is pressed', async () => {
  const onChange = vi.fn();
  render(<ToggleButton label="Live" isSelected={false} onChange={onChange} />);
  const button = screen.getByRole('button', { name: 'Live' });
  expect(button.getAttribute('aria-pressed')).toBe('false');
  await userEvent.click(button);
  expect(onChange).toHaveBeenCalledWith(true);
});

type BoxProps = { onSelect: (item: ComboBoxItem) => void; onCustom: (text: string) => void };
function Box({ onSelect, onCustom }: BoxProps) {
  const [text, setText] = useState('');
  const items = [{ id: 'checkout', label: 'checkout', count: 81204 }].filter(({ id }) => id.includes(text));
  return <ComboBox label="Service" {...{ items, onSelect, onCustom }} inputValue={text} onInputChange={setText} />;
}

test('a combo box shows what it is given, takes an item, and a text that is none', async () => {
  const onSelect = vi.fn();
  const onCustom = vi.fn();
  render(<Box onSelect={onSelect} onCustom={onCustom} />);
  const input = screen.getByRole('combobox', { name: 'Service' });
  await userEvent.type(input, 'chec');
  expect(screen.getByRole('option').textContent).toContain('81,204');
  await userEvent.keyboard('{ArrowDown}{Enter}');
  expect(onSelect).toHaveBeenCalledWith(expect.objectContaining({ id: 'checkout' }));
  await userEvent.clear(input);
  await userEvent.type(input, 'zzz{Enter}');
  expect(onCustom).toHaveBeenCalledWith('zzz');
});

test('keys are written as they are on this machine', () => {
  const { container } = render(<Kbd keys="Mod+ArrowUp g" />);
  expect([...container.querySelectorAll('kbd')].map((kbd) => kbd.textContent)).toEqual(['Ctrl', '↑', 'G']);
});
