// Home: is anything wrong right now? When nothing has ever arrived, it is the page of the first steps.

import { useState } from 'react';
import { homeQuestion, statusQuestion } from '../../api/questions.ts';
import { go } from '../../core/navigation.ts';
import { useAsked, useRanged } from '../../core/ranged.ts';
import { PageTitle } from '../../ui/PageTitle/PageTitle.tsx';
import type { RouteOf } from '../../url/index.ts';
import { FirstRun } from './firstRun/FirstRun.tsx';
import { HomePage } from './HomePage.tsx';
import { text } from './text.ts';

const EVERY_MS = 30_000;
/** While nothing has arrived, somebody is watching for it. */
const LISTENING_EVERY_MS = 2_000;

export default function Home({ route }: { route: RouteOf<'home'> }) {
  const { range, sort } = route.state;
  const home = useRanged(range, homeQuestion, {
    everyMs: (data) => (data?.lastSpanNs === null ? LISTENING_EVERY_MS : EVERY_MS),
  });
  const isEmpty = home.data?.lastSpanNs === null;
  const status = useAsked(statusQuestion(), { everyMs: isEmpty ? LISTENING_EVERY_MS : EVERY_MS });
  const [listensSince] = useState(() => Date.now());
  if (isEmpty) return <FirstRun status={status} listensSince={listensSince} onArrived={home.retry} />;
  return (
    <>
      <PageTitle isHidden title={text.home} routeKey="home" />
      <HomePage
        home={home}
        store={status.data?.program.store ?? null}
        notReady={status.data?.program.notReady ?? null}
        range={range}
        sort={sort}
        onSort={(next) => go({ page: 'home', state: { range, sort: next } }, { replace: true })}
      />
    </>
  );
}
