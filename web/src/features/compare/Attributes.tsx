// The attributes of two spans side by side: what differs first of all, the rest when asked for.

import { useMemo } from 'react';
import { ApiError, curlOf } from '../../api/client.ts';
import { hrefOf } from '../../core/navigation.ts';
import { placeOfTrace } from '../../core/places.ts';
import type { TraceColumns } from '../../model/columns.ts';
import type { TraceDiff } from '../../model/diff.ts';
import { wordsOf } from '../../model/find.ts';
import { spanIdOf } from '../../model/tree.ts';
import { Button } from '../../ui/Button/Button.tsx';
import { EmptyState } from '../../ui/EmptyState/EmptyState.tsx';
import { ErrorBox } from '../../ui/ErrorBox/ErrorBox.tsx';
import { SegmentedControl } from '../../ui/SegmentedControl/SegmentedControl.tsx';
import { Skeleton } from '../../ui/Skeleton/Skeleton.tsx';
import css from './Attributes.module.css';
import { type AttributeGroup, type AttributeRow, attributeGroups, countDifferences } from './attributeRows.ts';
import { Highlight } from './Highlight.tsx';
import { nodeName } from './names.ts';
import { text } from './text.ts';
import { useSpan } from './useComparison.ts';

const HOW = { same: text.howSame, differs: text.howDiffers, onlyA: text.onlyInA, onlyB: text.onlyInB };
const TITLE = { span: text.groupSpan, attributes: text.groupAttributes, resource: text.groupResource };

function Value({ value, words }: { value: string | null; words: readonly string[] }) {
  if (value === null) return <span className={css['none']}>–</span>;
  return <Highlight text={value} words={words} />;
}

function Rows({ group, words }: { group: AttributeGroup; words: readonly string[] }) {
  return (
    <tbody>
      <tr>
        <th scope="rowgroup" colSpan={4} className={css['group']}>
          {TITLE[group.id]}
        </th>
      </tr>
      {group.rows.map(({ key, a, b, difference }) => (
        <tr key={key} className={css['row']} data-difference={difference}>
          <th scope="row" className={css['key']}>
            <Highlight text={key} words={words} />
          </th>
          <td className={css['value']}>
            <Value value={a} words={words} />
          </td>
          <td className={css['value']}>
            <Value value={b} words={words} />
          </td>
          <td className={css['how']}>{HOW[difference]}</td>
        </tr>
      ))}
    </tbody>
  );
}

function isFound({ key, a, b }: AttributeRow, words: readonly string[]): boolean {
  const all = `${key}\n${a ?? ''}\n${b ?? ''}`.toLowerCase();
  return words.every((word) => all.includes(word));
}

export type AttributesProps = {
  diff: TraceDiff;
  a: TraceColumns;
  b: TraceColumns;
  node: number;
  find: string;
  isAll: boolean;
  onAll: (isAll: boolean) => void;
  onTree: () => void;
};

export function Attributes({ diff, a, b, node, find, isAll, onAll, onTree }: AttributesProps) {
  const [rowA, rowB] = [diff.rowA[node] ?? -1, diff.rowB[node] ?? -1];
  const left = useSpan(a, rowA);
  const right = useSpan(b, rowB);
  const words = useMemo(() => wordsOf(find), [find]);
  const groups = useMemo(() => attributeGroups(left.data ?? null, right.data ?? null), [left.data, right.data]);
  const { service, operation } = nodeName(diff, node);
  const error = left.error ?? right.error;
  if (error) {
    return (
      <ErrorBox
        isPage
        title={text.failedDetails}
        message={error.message}
        hint={error instanceof ApiError ? error.hint : null}
        curl={error instanceof ApiError && error.url !== '' ? curlOf(error.url) : undefined}
        onRetry={() => {
          void left.refetch();
          void right.refetch();
        }}
      />
    );
  }
  const differences = countDifferences(groups);
  const all = groups.reduce((sum, { rows }) => sum + rows.length, 0);
  const shown = groups
    .map((group) => ({
      ...group,
      rows: group.rows.filter((row) => (isAll || row.difference !== 'same') && isFound(row, words)),
    }))
    .filter(({ rows }) => rows.length > 0);
  const sides = [
    { side: 'a', trace: a, row: rowA, count: diff.countA[node] ?? 0 },
    { side: 'b', trace: b, row: rowB, count: diff.countB[node] ?? 0 },
  ] as const;
  return (
    <div className={css['attributes']}>
      <div className={css['bar']}>
        <p className={css['pair']}>
          <strong>{service}</strong> {operation}
          {diff.depth[node] === 0 && <span className={css['quiet']}>{` · ${text.pairRoot}`}</span>}
        </p>
        {sides.map(({ side, trace, row, count }) =>
          row < 0 ? (
            <span key={side} className={css['quiet']}>
              {text.missingIn(side)}
            </span>
          ) : (
            <a key={side} className={css['link']} href={hrefOf(placeOfTrace(trace.traceId, spanIdOf(trace, row)))}>
              {text.openSpan(side)}
              {count > 1 && <span className={css['quiet']}>{` (${text.pairFirst(count)})`}</span>}
            </a>
          ),
        )}
        <div className={css['end']}>
          <SegmentedControl
            label={text.shown}
            items={[
              { id: 'differences', label: text.onlyDifferences(differences) },
              { id: 'all', label: text.allRows(all) },
            ]}
            value={isAll ? 'all' : 'differences'}
            onChange={(id) => onAll(id === 'all')}
          />
          <Button size="small" variant="quiet" onPress={onTree}>
            {text.chooseInTree}
          </Button>
        </div>
      </div>
      {left.isPending || right.isPending ? (
        <Skeleton rows={10} columns="1fr 2fr 2fr" />
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and a keyboard must be able to scroll it
        <section className={css['scroller']} tabIndex={0} aria-label={text.attributeTable}>
          <table className={css['table']}>
            <caption className={css['caption']}>{text.attributeTable}</caption>
            <thead>
              <tr>
                <th scope="col" className={css['head']}>
                  {text.key}
                </th>
                <th scope="col" className={css['head']}>
                  {text.side('a')}
                </th>
                <th scope="col" className={css['head']}>
                  {text.side('b')}
                </th>
                <th scope="col" className={css['headHow']}>
                  {text.how}
                </th>
              </tr>
            </thead>
            {shown.map((group) => (
              <Rows key={group.id} group={group} words={words} />
            ))}
          </table>
          {shown.length === 0 && (
            <EmptyState isSmall title={words.length > 0 ? text.noAttributeMatch(find) : text.noAttributeDifference} />
          )}
        </section>
      )}
    </div>
  );
}
