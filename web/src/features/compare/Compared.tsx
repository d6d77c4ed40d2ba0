// The comparison, loaded: the line that says what differs, and the three views of it.

import { useMemo, useRef } from 'react';
import { commandsOf, useCommands } from '../../core/commands.ts';
import type { TraceColumns } from '../../model/columns.ts';
import type { TraceDiff } from '../../model/diff.ts';
import { Banner } from '../../ui/Banner/Banner.tsx';
import { announce } from '../../ui/LiveRegion/LiveRegion.tsx';
import { SearchField } from '../../ui/SearchField/SearchField.tsx';
import { Tabs } from '../../ui/Tabs/Tabs.tsx';
import type { CompareState, CompareTab } from '../../url/index.ts';
import { Attributes } from './Attributes.tsx';
import css from './Compare.module.css';
import { COMPARE_COMMANDS } from './commands.ts';
import { nodeName, slotsOf } from './names.ts';
import { SideBySide } from './SideBySide.tsx';
import { Summary } from './Summary.tsx';
import { TreeTable } from './TreeTable.tsx';
import { text } from './text.ts';
import { closedNodes, findNodes, oneLevelLess, oneLevelMore, revealing, withClosed } from './treeRows.ts';

const TABS: readonly { id: CompareTab; label: string }[] = [
  { id: 'tree', label: text.tree },
  { id: 'side', label: text.sideBySide },
  { id: 'attributes', label: text.attributes },
];

export type ChangeCompare = (change: Partial<CompareState>, options?: { replace?: boolean }) => void;

export type ComparedProps = {
  diff: TraceDiff;
  a: TraceColumns;
  b: TraceColumns;
  state: CompareState;
  change: ChangeCompare;
};

export function Compared({ diff, a, b, state, change }: ComparedProps) {
  const { find, tab, level, except } = state;
  // A link of another pair of traces may name a row that is not there.
  const node = state.node !== null && state.node < diff.count ? state.node : null;
  const slots = useMemo(() => slotsOf(diff), [diff]);
  const closed = useMemo(() => closedNodes(diff, { level, except }), [diff, level, except]);
  const found = useMemo(() => findNodes(diff, find), [diff, find]);
  const findField = useRef<HTMLInputElement>(null);

  const goTo = (next: number, more: Partial<CompareState> = {}) => {
    if (next < 0) return;
    change({ node: next, ...revealing(diff, state, next), ...more }, { replace: true });
  };
  /** A cause leads to its row: in the tree, or in both waterfalls. */
  const goToCause = (next: number) => {
    if (next < 0) return;
    if (tab === 'attributes') change({ node: next, ...revealing(diff, state, next), tab: 'tree' });
    else goTo(next);
  };
  const toMatch = (isBackwards: boolean) => {
    const at = node ?? -1;
    const next = isBackwards
      ? (found.findLast((one) => one < at) ?? found.at(-1))
      : (found.find((one) => one > at) ?? found[0]);
    if (next === undefined) return;
    const { service, operation } = nodeName(diff, next);
    announce(`${service} ${operation}`);
    goTo(next);
  };
  useCommands(
    commandsOf(COMPARE_COMMANDS, {
      'compare.tree': () => change({ tab: 'tree' }),
      'compare.side': () => change({ tab: 'side' }),
      'compare.attributes': () => change({ tab: 'attributes' }),
      'compare.find': () => findField.current?.focus(),
      'compare.next': () => toMatch(false),
      'compare.previous': () => toMatch(true),
      'compare.less': () => change(oneLevelLess(diff, closed), { replace: true }),
      'compare.more': () => change(oneLevelMore(diff, closed), { replace: true }),
    }),
  );

  const growing = [a.isComplete ? '' : text.side('a'), b.isComplete ? '' : text.side('b')].filter((one) => one !== '');
  const at = node === null ? -1 : found.indexOf(node);
  const matchText = at >= 0 ? text.foundOf(at + 1, found.length) : text.matches(found.length);
  return (
    <>
      {a.traceId === b.traceId && <Banner>{text.sameTrace}</Banner>}
      {growing.length > 0 && <Banner>{text.growing(growing.join(', '))}</Banner>}
      <Summary diff={diff} node={node} onGo={goToCause} />
      <Tabs
        label={text.views}
        items={TABS}
        selected={tab}
        onSelect={(next) => change({ tab: next })}
        className={css['tabs']}
        panelClassName={css['panel']}
        actions={
          <SearchField
            ref={findField}
            label={text.find}
            value={find}
            onChange={(next) => change({ find: next }, { replace: true })}
            onEnter={toMatch}
            end={find.trim() === '' || tab === 'attributes' ? undefined : matchText}
            className={css['find']}
          />
        }
      >
        {tab === 'tree' && (
          <TreeTable
            diff={diff}
            slots={slots}
            closed={closed}
            onClosed={(nodes, isClosed) => change(withClosed(diff, state, nodes, isClosed), { replace: true })}
            node={node}
            onNode={goTo}
            onOpen={(next) => change({ node: next, tab: 'attributes' })}
            find={find}
            found={found}
          />
        )}
        {tab === 'side' && <SideBySide diff={diff} a={a} b={b} slots={slots} find={find} node={node} onNode={goTo} />}
        {tab === 'attributes' && (
          <Attributes
            diff={diff}
            a={a}
            b={b}
            node={node ?? 0}
            find={find}
            isAll={state.all}
            onAll={(all) => change({ all }, { replace: true })}
            onTree={() => change({ tab: 'tree' })}
          />
        )}
      </Tabs>
    </>
  );
}
