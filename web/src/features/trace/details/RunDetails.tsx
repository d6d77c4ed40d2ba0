// The details of a run of like siblings: how many, how long, how durations are spread, and its members by duration.

import { formatDuration, formatExactNs } from '../../../format/duration.ts';
import type { RowIndex } from '../../../model/columns.ts';
import { groupMembers, spanIdOf } from '../../../model/tree.ts';
import { Button } from '../../../ui/Button/Button.tsx';
import { Sparkline } from '../../../ui/Sparkline/Sparkline.tsx';
import { Hint } from '../../../ui/Tooltip/Tooltip.tsx';
import { withRunOpened } from '../state/collapse.ts';
import { stateNow, update, useRevision, useTracePage } from '../state/page.tsx';
import css from './Details.module.css';
import { text } from './text.ts';

const MEMBERS_MAX = 30;

export function RunDetails({ head }: { head: RowIndex }) {
  const { session, select } = useTracePage();
  useRevision(session);
  const { columns } = session;
  const run = session.distribution(head);
  const members = groupMembers(columns, head)
    .sort((a, b) => (columns.dur[b] as number) - (columns.dur[a] as number))
    .slice(0, MEMBERS_MAX);
  const isOpen = session.rows.opened.has(head);
  const facts: readonly [string, number][] = [
    [text.sum, run.sum],
    [text.average, run.average],
    [text.p95, run.p95],
    [text.shortest, run.shortest],
    [text.longest, run.longest],
  ];
  function toggle(): void {
    const state = stateNow();
    if (state !== null) update({ collapse: withRunOpened(state.collapse, spanIdOf(columns, head), !isOpen) });
  }
  return (
    <div className={css['run']}>
      <p className={css['runCount']}>{text.run(run.count)}</p>
      <dl className={css['facts']}>
        {facts.map(([label, ns]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>
              <Hint text={formatExactNs(Math.round(ns))}>{formatDuration(ns)}</Hint>
            </dd>
          </div>
        ))}
        {run.errors > 0 && (
          <div>
            <dt>{text.errors}</dt>
            <dd data-tone="error">{run.errors}</dd>
          </div>
        )}
      </dl>
      {run.shortest < run.longest && (
        <div className={css['spread']}>
          <Sparkline label={text.spread} kind="bars" values={Array.from(run.buckets)} width={240} height={40} />
          <div className={css['spreadEnds']} aria-hidden>
            <span>{formatDuration(run.shortest)}</span>
            <span>{formatDuration(run.longest)}</span>
          </div>
        </div>
      )}
      <div>
        <Button size="small" onPress={toggle}>
          {isOpen ? text.closeRun : text.openRun}
        </Button>
      </div>
      <h3 className={css['namespaceName']}>{text.members}</h3>
      <ol>
        {members.map((row) => (
          <li key={row}>
            <button type="button" className={css['member']} onClick={() => select(row, { reveal: true })}>
              <span className={css['memberTime']}>{formatDuration(columns.dur[row] as number)}</span>{' '}
              <span className={css['quiet']}>{text.memberAt(formatDuration(columns.start[row] as number))}</span>
            </button>
          </li>
        ))}
      </ol>
      {run.count > MEMBERS_MAX && <p className={css['note']}>{text.moreMembers(run.count - MEMBERS_MAX)}</p>}
    </div>
  );
}
