// Why what was sent may not be here: which doors are open, what came through each, and the last request that was
// refused.

import { Check, CircleDashed, type LucideIcon, X } from 'lucide-react';
import type { ReactNode } from 'react';
import type { ReceiverStatus, StatusAnswer } from '../../../api/types.ts';
import { usePreferences } from '../../../core/preferences.ts';
import type { Asked } from '../../../core/ranged.ts';
import { nowNs } from '../../../format/now.ts';
import { clockTime, relativeTime } from '../../../format/time.ts';
import { ErrorBox } from '../../../ui/ErrorBox/ErrorBox.tsx';
import { VisuallyHidden } from '../../../ui/VisuallyHidden/VisuallyHidden.tsx';
import css from './FirstRun.module.css';
import { text } from './text.ts';

type Mark = 'ok' | 'bad' | 'waiting';
const MARKS: Record<Mark, LucideIcon> = { ok: Check, bad: X, waiting: CircleDashed };

function Line({ mark, children }: { mark: Mark; children: ReactNode }) {
  const Icon = MARKS[mark];
  return (
    <li className={css['line']} data-mark={mark}>
      <Icon aria-hidden size={14} className={css['mark']} />
      <VisuallyHidden>{text[mark]}</VisuallyHidden>
      <span>{children}</span>
    </li>
  );
}

function Door({ door }: { door: ReceiverStatus }) {
  const name = text.protocols(door.protocol);
  if (door.addresses.length === 0) return <Line mark="waiting">{text.off(name)}</Line>;
  const came =
    door.lastNs !== null
      ? text.came(door.requests, relativeTime(BigInt(door.lastNs), nowNs()))
      : door.requests > 0
        ? text.neverTaken(door.requests)
        : text.nothingCame;
  return (
    <Line mark="ok">
      {text.open(name, door.addresses.join(', '))}
      <span className={css['quiet']}>{` · ${came}`}</span>
    </Line>
  );
}

export function NotWorking({ status }: { status: Asked<StatusAnswer> }) {
  const { zone } = usePreferences();
  const program = status.data?.program;
  const refusal = program?.lastRefusal ?? null;
  return (
    <section aria-labelledby="first-why" className={css['section']}>
      <h2 id="first-why" className={css['heading']}>
        {text.notWorking}
      </h2>
      {!program && status.error && (
        <ErrorBox
          title={text.noStatus}
          message={status.error.message}
          curl={status.error.curl}
          onRetry={status.retry}
          isRetrying={status.isWaiting}
        />
      )}
      {program && (
        <ul className={css['lines']}>
          {program.receivers.map((door) => (
            <Door key={door.protocol} door={door} />
          ))}
          {program.notReady !== null && <Line mark="bad">{program.notReady}</Line>}
          {refusal && (
            <Line mark="bad">
              {text.refusal(text.protocols(refusal.protocol), clockTime(BigInt(refusal.timeNs), zone, 0))}
              {': '}
              <code className={css['message']}>{refusal.message}</code>
            </Line>
          )}
          {!refusal && <Line mark="waiting">{text.noRefusal}</Line>}
        </ul>
      )}
    </section>
  );
}
