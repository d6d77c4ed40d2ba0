// What the difference is and what makes it, in one line. Each cause leads to its row.

import { Fragment } from 'react';
import { formatDuration, formatDurationChange } from '../../format/duration.ts';
import { formatPercent } from '../../format/number.ts';
import { type DiffCause, isEmptyDiff, type TraceDiff } from '../../model/diff.ts';
import css from './Summary.module.css';
import { text } from './text.ts';
import { sideOf } from './treeRows.ts';

const CAUSES_SHOWN = 3;

export function headline({ durationA, durationB }: Pick<TraceDiff, 'durationA' | 'durationB'>): string {
  const difference = durationA - durationB;
  if (difference === 0) return text.equallyLong;
  return difference > 0 ? text.slower(formatDuration(difference)) : text.faster(formatDuration(-difference));
}

export function countText(countA: number, countB: number): string {
  if (countA === countB || countA === 0 || countB === 0) {
    const count = Math.max(countA, countB);
    return count > 1 ? text.times(count) : '';
  }
  return text.timesBoth(countA, countB);
}

/** "+1.19 s, 69 %". More than all where other causes make some of it good again; those have no share. */
export function causeText({ difference, share }: Pick<DiffCause, 'difference' | 'share'>): string {
  const change = formatDurationChange(difference);
  return share !== null && share >= 0.005 && share < 10 ? `${change}, ${formatPercent(share)}` : change;
}

/** The node after this one that only one side has; from the top after the last. */
export function nextOnly(diff: TraceDiff, side: 'a' | 'b', after: number): number {
  for (let step = 1; step <= diff.count; step += 1) {
    const node = (after + step + diff.count) % diff.count;
    if (sideOf(diff, node) === side) return node;
  }
  return -1;
}

export type SummaryProps = { diff: TraceDiff; node: number | null; onGo: (node: number) => void };

export function Summary({ diff, node, onGo }: SummaryProps) {
  if (isEmptyDiff(diff)) return <p className={css['summary']}>{text.noDifference}</p>;
  const causes = diff.causes.slice(0, CAUSES_SHOWN);
  const only = [
    { side: 'a', count: diff.onlyA },
    { side: 'b', count: diff.onlyB },
  ] as const;
  return (
    <div className={css['summary']}>
      <strong className={css['headline']}>{headline(diff)}</strong>
      <ul className={css['causes']} aria-label={text.causes}>
        {causes.map((cause) => (
          <li key={`${cause.service} ${cause.name}`}>
            <button type="button" className={css['cause']} onClick={() => onGo(cause.node)}>
              <span className={css['service']}>{cause.service}</span>
              <span className={css['operation']} title={cause.name}>
                {cause.name}
              </span>
              <span>{countText(cause.countA, cause.countB)}</span>
              <span className={css['change']}>{`(${causeText(cause)})`}</span>
            </button>
          </li>
        ))}
        {only.map(({ side, count }) => (
          <Fragment key={side}>
            {count > 0 && (
              <li>
                <button
                  type="button"
                  className={css['cause']}
                  title={text.nextOnly(side)}
                  onClick={() => onGo(nextOnly(diff, side, node ?? -1))}
                >
                  {text.onlyIn(count, side)}
                </button>
              </li>
            )}
          </Fragment>
        ))}
      </ul>
    </div>
  );
}
