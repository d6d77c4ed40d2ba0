// @vitest-environment happy-dom
// Tables, list keys, splitter, scroll bar, trees, fields of values.

import { act, cleanup, fireEvent, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { afterEach, expect, test, vi } from 'vitest';
import { Checkbox } from './Checkbox/Checkbox.tsx';
import { JsonTree } from './JsonTree/JsonTree.tsx';
import { KeyValueTable } from './KeyValueTable/KeyValueTable.tsx';
import { MeterBar } from './MeterBar/MeterBar.tsx';
import { NumberField } from './NumberField/NumberField.tsx';
import { Scrollbar } from './Scrollbar/Scrollbar.tsx';
import { SearchField } from './SearchField/SearchField.tsx';
import { Splitter } from './Splitter/Splitter.tsx';
import { Table, type TableColumn } from './Table/Table.tsx';
import { VirtualTable } from './Table/VirtualTable.tsx';

afterEach(cleanup);

type Row = { id: string; ms: number };
const rows: Row[] = [
  { id: 'a', ms: 1 },
  { id: 'b', ms: 2 },
  { id: 'c', ms: 3 },
];
const columns: TableColumn<Row>[] = [
  {
    id: 'id',
    header: 'Id',
    isRowHeader: true,
    sort: 'ascending',
    cell: ({ id }) => <button type="button">{id}</button>,
  },
  { id: 'ms', header: 'Duration', align: 'end', sort: 'descending', cell: ({ ms }) => `${ms} ms` },
];
const rowKey = ({ id }: Row) => id;

test('a table says how it is sorted, and asks for the other way', async () => {
  const onSort = vi.fn();
  const sort = { column: 'ms', direction: 'descending' } as const;
  render(<Table caption="Traces" {...{ columns, rows, rowKey, sort, onSort }} />);
  expect(screen.getByRole('columnheader', { name: 'Duration' }).getAttribute('aria-sort')).toBe('descending');
  expect(screen.getByRole('columnheader', { name: 'Id' }).getAttribute('aria-sort')).toBe('none');
  await userEvent.click(screen.getByRole('button', { name: 'Duration' }));
  expect(onSort).toHaveBeenLastCalledWith({ column: 'ms', direction: 'ascending' });
  await userEvent.click(screen.getByRole('button', { name: 'Id' }));
  expect(onSort).toHaveBeenLastCalledWith({ column: 'id', direction: 'ascending' });
});

test('rows move by j, k and arrows, open by Enter, are marked by x', () => {
  const onOpen = vi.fn();
  const onMark = vi.fn();
  const exclude = vi.fn();
  render(<Table caption="Traces" {...{ columns, rows, rowKey, onOpen, onMark }} keys={{ 'Shift+F': exclude }} />);
  const [, first, second, third] = screen.getAllByRole('row');
  expect([first?.tabIndex, second?.tabIndex, third?.tabIndex]).toEqual([0, -1, -1]);
  act(() => first?.focus());
  const press = (key: string, shiftKey = false) =>
    fireEvent.keyDown(document.activeElement ?? document.body, { key, shiftKey });
  press('j');
  expect(document.activeElement).toBe(second);
  expect(second?.getAttribute('aria-current')).toBe('true');
  press('ArrowDown');
  press('j');
  expect(document.activeElement).toBe(third);
  press('k');
  press('x');
  press('Enter');
  press('F', true);
  expect(onMark).toHaveBeenCalledExactlyOnceWith(rows[1]);
  expect(onOpen).toHaveBeenCalledExactlyOnceWith(rows[1]);
  expect(exclude).toHaveBeenCalledExactlyOnceWith(rows[1]);
});

test('a press on a control in a row is not a press on the row', async () => {
  const onOpen = vi.fn();
  render(<Table caption="Traces" {...{ columns, rows, rowKey, onOpen }} />);
  await userEvent.click(screen.getByRole('button', { name: 'b' }));
  expect(onOpen).not.toHaveBeenCalled();
  await userEvent.click(screen.getByText('2 ms'));
  expect(onOpen).toHaveBeenCalledExactlyOnceWith(rows[1]);
});

test('a virtual table has few rows in the page and says how many there are', () => {
  // happy-dom lays nothing out.
  vi.spyOn(HTMLElement.prototype, 'clientHeight', 'get').mockReturnValue(320);
  const many = Array.from({ length: 10_000 }, (_, i) => ({ id: `row ${i}`, ms: i }));
  render(
    <VirtualTable
      caption="Traces"
      columns={columns}
      rows={many}
      rowKey={rowKey}
      current="row 5000"
      onOpen={() => {}}
      totalRows={12_400}
    />,
  );
  expect(screen.getByRole('table').getAttribute('aria-rowcount')).toBe('12401');
  const shown = screen.getAllByRole('row').length;
  expect(shown).toBeLessThan(100);
  // The current row is always there: it may have the focus.
  expect(screen.getByRole('button', { name: 'row 5000' }).closest('tr')?.getAttribute('aria-rowindex')).toBe('5002');
});

test('a splitter moves by keys within its bounds and resets by a double press', () => {
  const onChange = vi.fn();
  const onCommit = vi.fn();
  render(<Splitter label="Panel" value={200} min={100} max={210} defaultValue={150} {...{ onChange, onCommit }} />);
  const splitter = screen.getByRole('separator', { name: 'Panel' });
  expect(splitter.getAttribute('aria-valuenow')).toBe('200');
  fireEvent.keyDown(splitter, { key: 'ArrowRight' });
  expect(onChange).toHaveBeenLastCalledWith(210);
  fireEvent.keyDown(splitter, { key: 'ArrowLeft' });
  expect(onCommit).toHaveBeenLastCalledWith(184);
  fireEvent.keyDown(splitter, { key: 'Home' });
  expect(onCommit).toHaveBeenLastCalledWith(100);
  fireEvent.doubleClick(splitter);
  expect(onCommit).toHaveBeenLastCalledWith(150);
});

test('a splitter of a pane behind it grows the other way', () => {
  const onChange = vi.fn();
  render(<Splitter label="Panel" isReversed value={200} min={0} max={900} defaultValue={1} onChange={onChange} />);
  fireEvent.keyDown(screen.getByRole('separator'), { key: 'ArrowLeft' });
  expect(onChange).toHaveBeenLastCalledWith(216);
});

test('a scroll bar of a million rows steps, pages and jumps', () => {
  const onChange = vi.fn();
  render(<Scrollbar label="Rows" value={500} page={40} total={1_000_000} onChange={onChange} valueText="Row 500" />);
  const bar = screen.getByRole('scrollbar', { name: 'Rows' });
  expect(bar.getAttribute('aria-valuemax')).toBe('999960');
  const after = (key: string) => {
    fireEvent.keyDown(bar, { key });
    return onChange.mock.lastCall?.[0];
  };
  expect(['ArrowDown', 'ArrowUp', 'PageDown', 'PageUp', 'End', 'Home'].map(after)).toEqual([
    501, 499, 539, 461, 999_960, 0,
  ]);
});

test('a JSON tree opens and closes by keys', async () => {
  render(
    <JsonTree label="Message" value={{ user: { name: 'Ada' }, list: Array.from({ length: 150 }, (_, i) => i) }} />,
  );
  expect(screen.getAllByRole('treeitem')).toHaveLength(3);
  await userEvent.tab();
  await userEvent.keyboard('{ArrowDown}{ArrowRight}');
  expect(screen.getByText('"Ada"')).toBeTruthy();
  await userEvent.keyboard('{ArrowRight}{ArrowLeft}{ArrowLeft}');
  expect(screen.queryByText('"Ada"')).toBeNull();
  await userEvent.keyboard('{ArrowDown}{Enter}{End}');
  expect(document.activeElement?.textContent).toBe('50 more');
  await userEvent.keyboard('{Enter}');
  expect(screen.getAllByRole('treeitem')).toHaveLength(153);
});

test('attributes are rows with their key as header; long values are cut until asked for', async () => {
  render(
    <KeyValueTable
      caption="Attributes"
      rows={[
        { key: 'a', value: 'x\n'.repeat(20) },
        { key: 'a', value: '2' },
      ]}
    />,
  );
  expect(screen.getAllByRole('rowheader', { name: 'a' })).toHaveLength(2);
  await userEvent.click(screen.getByRole('button', { name: 'Show all' }));
  expect(screen.getByRole('button', { name: 'Show less' })).toBeTruthy();
});

function Find({ onEnter }: { onEnter: (isBackwards: boolean) => void }) {
  const [text, setText] = useState('abc');
  return <SearchField label="Find" value={text} onChange={setText} onEnter={onEnter} />;
}

test('a search field is cleared by Escape and goes on by Enter', async () => {
  const onEnter = vi.fn();
  render(<Find onEnter={onEnter} />);
  const input = screen.getByRole<HTMLInputElement>('searchbox', { name: 'Find' });
  await userEvent.type(input, '{Enter}{Shift>}{Enter}{/Shift}');
  expect(onEnter.mock.calls).toEqual([[false], [true]]);
  await userEvent.keyboard('{Escape}');
  expect(input.value).toBe('');
  expect(screen.queryByRole('button', { name: 'Clear' })).toBeNull();
});

test('a number field takes numbers within bounds and drops the rest', async () => {
  const onChange = vi.fn();
  render(<NumberField label="Min" value={500} onChange={onChange} min={0} max={1000} step={100} unit="ms" />);
  const input = screen.getByRole<HTMLInputElement>('spinbutton', { name: 'Min' });
  expect(input.getAttribute('aria-valuetext')).toBe('500 ms');
  await userEvent.type(input, '{ArrowUp}');
  expect(onChange).toHaveBeenLastCalledWith(600);
  await userEvent.clear(input);
  await userEvent.type(input, '5000{Enter}');
  expect(onChange).toHaveBeenLastCalledWith(1000);
  await userEvent.clear(input);
  await userEvent.type(input, 'x{Enter}');
  expect(input.value).toBe('500');
});

test('a tick box can be mixed; a meter says its value in words', () => {
  render(<Checkbox label="All" isSelected={false} isMixed onChange={() => {}} />);
  expect(screen.getByRole<HTMLInputElement>('checkbox', { name: 'All' }).indeterminate).toBe(true);
  render(<MeterBar label="Store" value={41} max={100} valueText="41 % of 200 GB" />);
  expect(screen.getByRole('meter', { name: 'Store' }).getAttribute('aria-valuetext')).toBe('41 % of 200 GB');
});
