// What became of every span that came, as the sum that it is: received = accepted + rejected + filtered + refused +
// dropped + in flight. If it does not come out, spans were lost unseen, and that is said.

import { Check, TriangleAlert } from 'lucide-react';
import type { LedgerStatus } from '../../api/types.ts';
import { formatCount, formatCountExact, formatPercent } from '../../format/number.ts';
import { VisuallyHidden } from '../../ui/VisuallyHidden/VisuallyHidden.tsx';
import css from './Status.module.css';
import { text } from './text.ts';

type TermProps = { sign: '=' | '+' | ''; name: string; detail: string; count: number; isBad?: boolean };

function Term({ sign, name, detail, count, isBad = false }: TermProps) {
  return (
    <li className={css['term']} data-bad={(isBad && count > 0) || undefined}>
      {sign !== '' && (
        <span className={css['sign']} aria-hidden>
          {sign}
        </span>
      )}
      {sign !== '' && <VisuallyHidden>{sign === '=' ? text.equals : text.plus}</VisuallyHidden>}
      <span className={css['termBody']}>
        <span className={css['termCount']} title={formatCountExact(count)}>
          {formatCount(count)}
        </span>
        <span className={css['termName']}>{name}</span>
        <span className={css['termDetail']}>{detail}</span>
      </span>
    </li>
  );
}

export function Ledger({ ledger }: { ledger: LedgerStatus }) {
  return (
    <section aria-labelledby="status-ledger" className={css['section']}>
      <h2 id="status-ledger" className={css['heading']}>
        {text.ledger}
      </h2>
      <ul className={css['ledger']}>
        <Term sign="" name={text.received} detail={text.receivedDetail} count={ledger.received} />
        <Term sign="=" name={text.accepted} detail={text.acceptedDetail(ledger.duplicates)} count={ledger.accepted} />
        <Term sign="+" name={text.rejected} detail={text.rejectedDetail} count={ledger.rejected} isBad />
        {ledger.filtered > 0 && (
          <Term sign="+" name={text.filtered} detail={text.filteredDetail} count={ledger.filtered} />
        )}
        <Term sign="+" name={text.refused} detail={text.refusedDetail} count={ledger.refused} isBad />
        <Term sign="+" name={text.dropped} detail={text.droppedDetail} count={ledger.dropped} isBad />
        <Term sign="+" name={text.inFlight} detail={text.inFlightDetail} count={ledger.inFlight} />
      </ul>
      <p className={css['balance']} data-bad={!ledger.isBalanced || undefined}>
        {ledger.isBalanced ? <Check aria-hidden size={14} /> : <TriangleAlert aria-hidden size={14} />}
        {ledger.isBalanced ? text.balanced : text.unbalanced}
      </p>
      {ledger.received > 0 && (
        <p className={css['quiet']} title={text.lateHint}>
          {text.late(formatPercent(ledger.late / ledger.received), ledger.late)}
        </p>
      )}
    </section>
  );
}
