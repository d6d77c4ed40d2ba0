// The page of the program's state, put together from its parts.

import { Check, TriangleAlert } from 'lucide-react';
import type { StatusAnswer } from '../../api/types.ts';
import type { Asked as AskedAnswer } from '../../core/ranged.ts';
import { relativeTime } from '../../format/time.ts';
import { Ago } from '../../ui/Ago/Ago.tsx';
import { Asked } from '../../ui/Asked/Asked.tsx';
import { PageTitle } from '../../ui/PageTitle/PageTitle.tsx';
import { Heard } from './Heard.tsx';
import { Ledger } from './Ledger.tsx';
import { Receivers } from './Receivers.tsx';
import { Refused } from './Refused.tsx';
import { useRates } from './rates.ts';
import { Scrape } from './Scrape.tsx';
import css from './Status.module.css';
import { Store } from './Store.tsx';
import { text } from './text.ts';

function Verdict({ status }: { status: StatusAnswer }) {
  const { notReady, store } = status.program;
  const why = notReady ?? store.notWritable;
  if (why !== null) {
    return (
      <p className={css['verdict']} data-tone="error" role="alert">
        <TriangleAlert aria-hidden size={16} />
        {text.notReady(why)}
      </p>
    );
  }
  return (
    <p className={css['verdict']}>
      <Check aria-hidden size={16} />
      {text.ready}
    </p>
  );
}

function Answer({ status }: { status: StatusAnswer }) {
  const rates = useRates(status);
  const now = BigInt(status.nowNs);
  const { program } = status;
  return (
    <>
      <div className={css['verdictLine']}>
        <Verdict status={status} />
        <p className={css['quiet']}>{text.version(status.version, relativeTime(BigInt(program.startedNs), now))}</p>
      </div>
      <Receivers receivers={program.receivers} rates={rates?.doors ?? null} nowNs={now} />
      <Ledger ledger={program.ledger} />
      <Refused refused={program.refused} last={program.lastRefusal} nowNs={now} />
      <Store store={program.store} writes={rates?.writes ?? null} nowNs={now} />
      <Heard services={status.services} nowNs={now} />
    </>
  );
}

export function StatusPage({ status }: { status: AskedAnswer<StatusAnswer> }) {
  return (
    <div className={css['page']}>
      <header className={css['head']}>
        <PageTitle title={text.title} routeKey="status" />
        <Ago at={status.updatedAt} />
      </header>
      <Asked asked={status} failed={text.failed} rows={12} columns="2fr 1fr 1fr 1fr">
        {(answer) => <Answer status={answer} />}
      </Asked>
      <Scrape admin={status.data?.program.admin} />
    </div>
  );
}
