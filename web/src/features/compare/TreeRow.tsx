// One row of the common tree: a name, the time of each side, the difference by sign, words and bar.

// biome-ignore-all lint/a11y/useSemanticElements: a treegrid that has only the rows on screen is no table
// biome-ignore-all lint/a11y/useFocusableInteractive: rows have the focus, their cells and the head have none

import { ChevronDown, ChevronRight } from 'lucide-react';
import { memo } from 'react';
import { formatDuration, formatDurationChange, formatExactNs } from '../../format/duration.ts';
import type { TraceDiff } from '../../model/diff.ts';
import { cssColourOf, isHatched, NEUTRAL_SLOT } from '../../theme/palette.ts';
import { ServiceDot } from '../../ui/ServiceName/ServiceName.tsx';
import { Highlight } from './Highlight.tsx';
import { nodeName, type Slots } from './names.ts';
import css from './Tree.module.css';
import { text } from './text.ts';
import { differenceOf, hasChildren, sideOf } from './treeRows.ts';

type Extent = { readonly slower: number; readonly faster: number };

/** Deeper rows are not moved further: their names would leave the column. */
const LEVELS_MAX = 16;

export function sideText(count: number, duration: number): string {
  if (count === 0) return '–';
  return count > 1 ? `${formatDuration(duration)} ${text.times(count)}` : formatDuration(duration);
}

/** Words of a difference, as they are read out and shown. */
export function differenceText(diff: TraceDiff, node: number): { shown: string; spoken: string } {
  const side = sideOf(diff, node);
  if (side !== 'both') {
    const words = side === 'a' ? text.onlyInA : text.onlyInB;
    return { shown: words, spoken: words };
  }
  const difference = differenceOf(diff, node);
  if (difference === 0) return { shown: text.same, spoken: text.none };
  const change = formatDurationChange(difference);
  return { shown: change, spoken: `${change}, ${difference > 0 ? text.slowerBy : text.fasterBy}` };
}

function Bar({ difference, extent, isOnly }: { difference: number; extent: Extent; isOnly: boolean }) {
  const whole = extent.slower + extent.faster || 1;
  const axis = (extent.faster / whole) * 100;
  const size = (Math.abs(difference) / whole) * 100;
  return (
    <span aria-hidden className={css['track']}>
      {extent.faster > 0 && extent.slower > 0 && (
        <span className={css['axis']} style={{ insetInlineStart: `${axis}%` }} />
      )}
      {difference !== 0 && (
        <span
          className={css['bar']}
          data-faster={difference < 0 || undefined}
          data-only={isOnly || undefined}
          style={{ insetInlineStart: `${difference < 0 ? axis - size : axis}%`, inlineSize: `${size}%` }}
        />
      )}
    </span>
  );
}

export type TreeRowProps = {
  diff: TraceDiff;
  node: number;
  /** Where it is shown, from 0. */
  index: number;
  top: number;
  extent: Extent;
  slots: Slots;
  words: readonly string[];
  isClosed: boolean;
  isSelected: boolean;
  isTabStop: boolean;
  isFound: boolean;
};

export const TreeRow = memo((props: TreeRowProps) => {
  const { diff, node, index, top, extent, slots, words, isClosed, isSelected, isTabStop, isFound } = props;
  const { service, operation } = nodeName(diff, node);
  const slot = slots.get(service) ?? NEUTRAL_SLOT;
  const level = diff.depth[node] ?? 0;
  const isParent = hasChildren(diff, node);
  const side = sideOf(diff, node);
  const [a, b] = [
    sideText(diff.countA[node] ?? 0, diff.durA[node] ?? 0),
    sideText(diff.countB[node] ?? 0, diff.durB[node] ?? 0),
  ];
  const difference = differenceText(diff, node);
  return (
    <div
      role="row"
      className={css['row']}
      tabIndex={isTabStop ? 0 : -1}
      data-node={node}
      data-found={isFound || undefined}
      data-side={side}
      aria-level={level + 1}
      aria-rowindex={index + 2}
      aria-expanded={isParent ? !isClosed : undefined}
      aria-selected={isSelected}
      aria-label={text.row(`${service} ${operation}`, a, b, difference.spoken)}
      style={{ transform: `translateY(${top}px)` }}
    >
      <div
        role="gridcell"
        className={css['nameCell']}
        style={{ paddingInlineStart: `${Math.min(level, LEVELS_MAX) * 12}px` }}
        title={`${service} ${operation}`}
      >
        <span aria-hidden className={css['expander']} data-toggle={isParent || undefined}>
          {isParent && (isClosed ? <ChevronRight size={14} /> : <ChevronDown size={14} />)}
        </span>
        {side !== 'both' && (
          <span aria-hidden className={css['sign']}>
            {side === 'a' ? '+' : '−'}
          </span>
        )}
        <ServiceDot color={cssColourOf(slot)} isHatched={isHatched(slot)} />
        <span className={css['label']}>
          <span className={css['service']}>
            <Highlight text={service} words={words} />
          </span>{' '}
          <Highlight text={operation} words={words} />
        </span>
      </div>
      <div role="gridcell" className={css['number']} title={formatExactNs(Math.round(diff.durA[node] ?? 0))}>
        {a}
      </div>
      <div role="gridcell" className={css['number']} title={formatExactNs(Math.round(diff.durB[node] ?? 0))}>
        {b}
      </div>
      <div role="gridcell" className={css['difference']}>
        <span className={css['change']} data-quiet={difference.shown === text.same || undefined}>
          {difference.shown}
        </span>
        <Bar difference={differenceOf(diff, node)} extent={extent} isOnly={side !== 'both'} />
      </div>
    </div>
  );
});
