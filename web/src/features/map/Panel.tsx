// Details of the selected service or calls: rate, errors, latency, who is called by whom, and where to go on.

import { X } from 'lucide-react';
import { useState } from 'react';
import { formatDuration, formatExactNs } from '../../format/duration.ts';
import { formatPercent, formatRate } from '../../format/number.ts';
import { cssColourOf, preferredSlot } from '../../theme/palette.ts';
import { Button } from '../../ui/Button/Button.tsx';
import { IconButton } from '../../ui/IconButton/IconButton.tsx';
import { ServiceDot } from '../../ui/ServiceName/ServiceName.tsx';
import { Stat } from '../../ui/Stat/Stat.tsx';
import type { MapState } from '../../url/index.ts';
import { type Call, type Calls, errorShare, type Service } from './calls.ts';
import css from './Panel.module.css';
import { serviceHref, traceHref, tracesHref } from './places.ts';
import { type Measured, RING_FROM } from './scale.ts';
import { text } from './text.ts';
import type { ChangeMap } from './useMap.ts';

const LISTED = 8;

type PanelProps = { calls: Calls; state: MapState; change: ChangeMap };

function Numbers({ measured }: { measured: Measured }) {
  const { total, rate } = measured;
  const errors = errorShare(total);
  return (
    <div className={css['numbers']}>
      <Stat label={text.legendRate} value={formatRate(rate)} />
      <Stat
        label={text.legendErrors}
        value={total === null ? '–' : formatPercent(errors)}
        tone={errors >= RING_FROM ? 'error' : 'normal'}
      />
      {total !== null && (
        <div className={css['quantiles']} title={formatExactNs(Math.round(total.p95))}>
          <Stat label={text.p50} value={formatDuration(total.p50)} />
          <Stat label={text.p95} value={formatDuration(total.p95)} />
          <Stat label={text.p99} value={formatDuration(total.p99)} />
        </div>
      )}
    </div>
  );
}

type NeighboursProps = {
  title: string;
  none: string;
  calls: readonly Call[];
  nameOf: (call: Call) => string;
  onSelect: (call: Call) => void;
};

function Neighbours({ title, none, calls, nameOf, onSelect }: NeighboursProps) {
  const [isWhole, setWhole] = useState(false);
  const shown = isWhole ? calls : calls.slice(0, LISTED);
  return (
    <section className={css['neighbours']}>
      <h3 className={css['listTitle']}>{title}</h3>
      {calls.length === 0 && <p className={css['none']}>{none}</p>}
      <ul className={css['list']}>
        {shown.map((call) => (
          <li key={call.id}>
            <button type="button" className={css['neighbour']} onClick={() => onSelect(call)}>
              <span className={css['neighbourName']} title={nameOf(call)}>
                {nameOf(call)}
              </span>
              <span className={css['number']}>{formatRate(call.rate)}</span>
              <span className={css['number']} data-bad={call.errors >= RING_FROM || undefined}>
                {formatPercent(call.errors)}
              </span>
              <span className={css['number']}>{formatDuration(call.total.p95)}</span>
            </button>
          </li>
        ))}
      </ul>
      {shown.length < calls.length && (
        <Button size="small" variant="quiet" onPress={() => setWhole(true)}>
          {text.more(calls.length - shown.length)}
        </Button>
      )}
    </section>
  );
}

function Link({ href, title, children }: { href: string; title?: string; children: string }) {
  return (
    <a className={css['link']} href={href} title={title}>
      {children}
    </a>
  );
}

function ServicePanel({ service, state, change }: Omit<PanelProps, 'calls'> & { service: Service }) {
  const { name } = service;
  const select = (call: Call) => change({ selected: [call.caller, call.callee] }, { replace: true });
  return (
    <>
      <Numbers measured={service} />
      {service.total === null && <p className={css['none']}>{text.notSeen}</p>}
      <div className={css['actions']}>
        <Link href={serviceHref(name, state.range)}>{text.openService}</Link>
        <Link href={tracesHref(name, state.range)}>{text.openTraces}</Link>
        {state.focus !== name && (
          <Button size="small" onPress={() => change({ focus: name })}>
            {text.focusHere}
          </Button>
        )}
      </div>
      <Neighbours
        title={text.in(service.in.length)}
        none={text.nobody}
        calls={service.in}
        nameOf={({ caller }) => caller}
        onSelect={select}
      />
      <Neighbours
        title={text.out(service.out.length)}
        none={text.nothing}
        calls={service.out}
        nameOf={({ callee }) => callee}
        onSelect={select}
      />
    </>
  );
}

function CallPanel({ call, state, change }: Omit<PanelProps, 'calls'> & { call: Call }) {
  return (
    <section className={css['call']}>
      <p className={css['kind']}>{call.isAsync ? text.asynchronous : text.synchronous}</p>
      <Numbers measured={call} />
      <div className={css['actions']}>
        {call.slowest !== null && <Link href={traceHref(call.slowest)}>{text.slowest}</Link>}
        {call.failed !== null && <Link href={traceHref(call.failed)}>{text.failing}</Link>}
        <Link href={tracesHref(call.callee, state.range)} title={text.tracesOfLong}>
          {text.tracesOf(call.callee)}
        </Link>
      </div>
      <ul className={css['list']}>
        {[call.caller, call.callee].map((name) => (
          <li key={name}>
            <button
              type="button"
              className={css['neighbour']}
              onClick={() => change({ selected: [name] }, { replace: true })}
            >
              <ServiceDot color={cssColourOf(preferredSlot(name))} />
              <span className={css['neighbourName']}>{name}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

export function Panel({ calls, state, change }: PanelProps) {
  const [first, second] = state.selected;
  if (first === undefined) return null;
  const service = second === undefined ? calls.services.get(first) : undefined;
  const chosen =
    second === undefined ? [] : calls.calls.filter(({ caller, callee }) => caller === first && callee === second);
  return (
    <aside className={css['panel']} aria-label={text.panel}>
      <header className={css['head']}>
        <h2 className={css['title']}>
          {second === undefined ? (
            <>
              <ServiceDot color={cssColourOf(preferredSlot(first))} />
              <span>{first}</span>
            </>
          ) : (
            <span>{text.callTitle(first, second)}</span>
          )}
        </h2>
        <IconButton
          icon={X}
          label={text.close}
          size="small"
          onPress={() => change({ selected: [] }, { replace: true })}
        />
      </header>
      {service && <ServicePanel service={service} state={state} change={change} />}
      {chosen.map((call) => (
        <CallPanel key={call.id} call={call} state={state} change={change} />
      ))}
      {!service && chosen.length === 0 && <p className={css['none']}>{text.gone}</p>}
    </aside>
  );
}
