// Both traces as one tree: a treegrid of which the rows on screen are in the page. It keeps nothing: what is closed and
// chosen is in the link.

// biome-ignore-all lint/a11y/useSemanticElements: a treegrid that has only the rows on screen is no table
// biome-ignore-all lint/a11y/useFocusableInteractive: rows have the focus, their cells and the head have none

import { type KeyboardEvent, type MouseEvent, useEffect, useMemo, useRef } from 'react';
import type { TraceDiff } from '../../model/diff.ts';
import { wordsOf } from '../../model/find.ts';
import { listTarget } from '../../ui/hooks/useListKeys.ts';
import type { Slots } from './names.ts';
import css from './Tree.module.css';
import { TreeRow } from './TreeRow.tsx';
import { text } from './text.ts';
import { EXCEPT_MAX, extentOf, foldable, hasChildren, parentOf, shownNodes } from './treeRows.ts';
import { useRowHeight, useWindow } from './useWindow.ts';

const HEAD = 28;
const PAGE = 20;

export type TreeTableProps = {
  diff: TraceDiff;
  slots: Slots;
  closed: ReadonlySet<number>;
  onClosed: (nodes: readonly number[], isClosed: boolean) => void;
  node: number | null;
  onNode: (node: number) => void;
  /** Enter on a row, or a double press. */
  onOpen: (node: number) => void;
  find: string;
  found: readonly number[];
};

function nodeOf(target: EventTarget | null): number {
  const row = target instanceof Element ? target.closest<HTMLElement>('[data-node]') : null;
  return row === null ? -1 : Number(row.dataset['node']);
}

export function TreeTable(props: TreeTableProps) {
  const { diff, slots, closed, onClosed, node, onNode, onOpen, find, found } = props;
  const shown = useMemo(() => shownNodes(diff, closed), [diff, closed]);
  const extent = useMemo(() => extentOf(diff), [diff]);
  const words = useMemo(() => wordsOf(find), [find]);
  const foundSet = useMemo(() => new Set(found), [found]);
  const rowHeight = useRowHeight(true);
  const { ref, first, end, show } = useWindow(rowHeight, shown.length);
  const current = node === null ? -1 : shown.indexOf(node);
  const wantsFocus = useRef(false);

  // biome-ignore lint/correctness/useExhaustiveDependencies: when another row is chosen, and when it becomes a row
  useEffect(() => {
    if (current < 0) return;
    show(current, HEAD);
    if (!wantsFocus.current) return;
    wantsFocus.current = false;
    ref.current?.querySelector<HTMLElement>(`[data-node="${node}"]`)?.focus({ preventScroll: true });
  }, [current, node, rowHeight]);

  /** A row with all below it, or the row alone where that is more than a link holds. */
  function withBelow(at: number): readonly number[] {
    const nodes = foldable(diff, at);
    return nodes.length > EXCEPT_MAX ? [at] : nodes;
  }
  function moveTo(index: number) {
    const next = shown[Math.min(shown.length - 1, Math.max(0, index))];
    if (next === undefined) return;
    wantsFocus.current = true;
    if (next === node) ref.current?.querySelector<HTMLElement>(`[data-node="${node}"]`)?.focus();
    else onNode(next);
  }
  function right(at: number, withAll: boolean) {
    if (!hasChildren(diff, at)) return;
    if (withAll) onClosed(withBelow(at), false);
    else if (closed.has(at)) onClosed([at], false);
    else moveTo(shown.indexOf(at) + 1);
  }
  function left(at: number, withAll: boolean) {
    if (withAll) onClosed(withBelow(at), true);
    else if (hasChildren(diff, at) && !closed.has(at)) onClosed([at], true);
    else {
      const parent = parentOf(diff, at);
      if (parent >= 0) moveTo(shown.indexOf(parent));
    }
  }
  function key(event: KeyboardEvent<HTMLElement>) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const at = nodeOf(event.target);
    const index = at < 0 ? current : shown.indexOf(at);
    const target = listTarget({ count: shown.length, current: index, pageSize: PAGE }, event.key);
    if (target !== null) moveTo(target);
    else
      switch (event.key) {
        case 'ArrowRight':
          if (at >= 0) right(at, event.shiftKey);
          break;
        case 'ArrowLeft':
          if (at >= 0) left(at, event.shiftKey);
          break;
        case 'Enter':
          if (at >= 0) onOpen(at);
          break;
        default:
          return;
      }
    event.preventDefault();
    event.stopPropagation();
  }
  function press(event: MouseEvent<HTMLElement>) {
    const at = nodeOf(event.target);
    if (at < 0) return;
    const isToggle = event.target instanceof Element && event.target.closest('[data-toggle]') !== null;
    if (isToggle) onClosed([at], !closed.has(at));
    else onNode(at);
  }

  const indexes = new Set<number>();
  for (let index = first; index < end; index += 1) indexes.add(index);
  // The chosen row may have the focus: it stays in the page, however far it is scrolled away.
  if (current >= 0) indexes.add(current);
  return (
    <div
      ref={ref}
      role="treegrid"
      aria-label={text.treeLabel}
      aria-rowcount={shown.length + 1}
      aria-colcount={4}
      className={css['tree']}
      onKeyDown={key}
      onClick={press}
      onDoubleClick={(event) => {
        const at = nodeOf(event.target);
        if (at >= 0) onOpen(at);
      }}
    >
      <div role="row" className={css['head']} aria-rowindex={1}>
        <div role="columnheader">{text.columnName}</div>
        <div role="columnheader" className={css['number']}>
          {text.side('a')}
        </div>
        <div role="columnheader" className={css['number']}>
          {text.side('b')}
        </div>
        <div role="columnheader" className={css['differenceHead']}>
          <span>{text.columnDifference}</span>
        </div>
      </div>
      <div role="rowgroup" className={css['rows']} style={{ blockSize: `${shown.length * rowHeight}px` }}>
        {[...indexes]
          .sort((x, y) => x - y)
          .map((index) => {
            const at = shown[index] ?? 0;
            return (
              <TreeRow
                key={at}
                diff={diff}
                node={at}
                index={index}
                top={index * rowHeight}
                extent={extent}
                slots={slots}
                words={words}
                isClosed={closed.has(at)}
                isSelected={at === node}
                isTabStop={index === Math.max(0, current)}
                isFound={foundSet.has(at)}
              />
            );
          })}
      </div>
    </div>
  );
}
