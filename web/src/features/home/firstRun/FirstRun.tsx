// The first steps, for as long as nothing has ever arrived: what to type, ways to see something at once, and why what
// was sent may not be here. Turns into Home by itself.

import { useEffect, useState } from 'react';
import { sendSample, sendTestTrace } from '../../../api/questions.ts';
import type { SentAnswer, StatusAnswer } from '../../../api/types.ts';
import { boot } from '../../../core/boot.ts';
import { go } from '../../../core/navigation.ts';
import { placeOfTrace } from '../../../core/places.ts';
import { type Asked, errorOf } from '../../../core/ranged.ts';
import { CodeBlock } from '../../../ui/CodeBlock/CodeBlock.tsx';
import { useNow } from '../../../ui/hooks/useNow.ts';
import { announce } from '../../../ui/LiveRegion/LiveRegion.tsx';
import { PageTitle } from '../../../ui/PageTitle/PageTitle.tsx';
import { Tabs } from '../../../ui/Tabs/Tabs.tsx';
import { endpointsOf } from './endpoints.ts';
import css from './FirstRun.module.css';
import { NotWorking } from './NotWorking.tsx';
import { snippetsOf } from './snippets.ts';
import { TryNow } from './TryNow.tsx';
import { text } from './text.ts';

type FirstRunProps = {
  status: Asked<StatusAnswer>;
  /** Milliseconds since the epoch. */
  listensSince: number;
  /** Something was sent from here: look again at once. */
  onArrived: () => void;
};

function Listening({ since }: { since: number }) {
  const seconds = Math.max(0, Math.floor((useNow(1000) - since) / 1000));
  const clock = `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`;
  return (
    <p className={css['listening']}>
      <span aria-hidden className={css['pulse']} />
      {text.listening(clock)}
    </p>
  );
}

function useSend(onArrived: () => void) {
  const [busy, setBusy] = useState<'test' | 'sample' | null>(null);
  const [failure, setFailure] = useState<Asked<unknown>['error']>(null);
  const send = async (which: 'test' | 'sample', ask: () => Promise<SentAnswer>) => {
    setBusy(which);
    setFailure(null);
    try {
      const { traceId, spans } = await ask();
      announce(text.sampleSent(spans));
      if (traceId !== null) go(placeOfTrace(traceId));
      else onArrived();
    } catch (error) {
      setFailure(errorOf(error instanceof Error ? error : new Error(String(error))));
    } finally {
      setBusy(null);
    }
  };
  return {
    busy,
    failure,
    sendTest: () => void send('test', sendTestTrace),
    sendSample: () => void send('sample', sendSample),
  };
}

export function FirstRun({ status, listensSince, onArrived }: FirstRunProps) {
  const endpoints = endpointsOf(boot.receivers, location.hostname);
  const snippets = snippetsOf(endpoints);
  const [selected, setSelected] = useState('env');
  const sending = useSend(onArrived);
  // Gone means that Home has taken its place; whoever left for another page is told nothing wrong either.
  useEffect(() => () => (location.pathname.endsWith('/') ? announce(text.arrived) : undefined), []);
  const snippet = snippets.find(({ id }) => id === selected) ?? snippets[0];
  return (
    <div className={css['page']}>
      <header className={css['head']}>
        <PageTitle title={text.title} routeKey="home">
          <span className={css['title']}>{text.title}</span>
        </PageTitle>
        <Listening since={listensSince} />
      </header>
      <section aria-labelledby="first-send" className={css['section']}>
        <h2 id="first-send" className={css['heading']}>
          {text.send}
        </h2>
        <Tabs
          label={text.languages}
          items={snippets.map(({ id, label }) => ({ id, label }))}
          selected={selected}
          onSelect={setSelected}
          panelClassName={css['panel']}
        >
          {snippet?.note !== null && <p className={css['note']}>{snippet?.note}</p>}
          {snippet?.blocks.map(({ label, code }) => (
            <div key={label} className={css['block']}>
              <h3 className={css['blockTitle']}>{label}</h3>
              <CodeBlock label={label} code={code} />
            </div>
          ))}
        </Tabs>
        <p className={css['endpoints']}>
          {text.endpoints}
          {endpoints.grpc !== null && <code>{text.grpc(endpoints.grpc)}</code>}
          {endpoints.http !== null && <code>{text.http(endpoints.http)}</code>}
        </p>
      </section>
      <TryNow canSend={boot.capabilities.testTrace} {...sending} />
      <NotWorking status={status} />
    </div>
  );
}
