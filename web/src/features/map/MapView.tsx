// The map, loaded: toolbar, graph or table, details. It draws what it is given and changes the link.

import { SearchX } from 'lucide-react';
import { lazy, type ReactNode, Suspense, useEffect, useRef, useState } from 'react';
import { commandsOf, useCommands } from '../../core/commands.ts';
import { Banner } from '../../ui/Banner/Banner.tsx';
import { Button } from '../../ui/Button/Button.tsx';
import { EmptyState } from '../../ui/EmptyState/EmptyState.tsx';
import { ErrorBox } from '../../ui/ErrorBox/ErrorBox.tsx';
import { announce } from '../../ui/LiveRegion/LiveRegion.tsx';
import { SlowNotice } from '../../ui/SlowNotice/SlowNotice.tsx';
import type { MapState } from '../../url/index.ts';
import { DRAWN_MAX, type Drawn, isFound, shownAs } from './calls.ts';
import { MAP_COMMANDS } from './commands.ts';
import type { Placed } from './geometry.ts';
import { placeAside } from './layoutClient.ts';
import css from './Map.module.css';
import { MapEmpty } from './MapEmpty.tsx';
import { Panel } from './Panel.tsx';
import { savePicture } from './save.ts';
import { Tables } from './Tables.tsx';
import { Toolbar } from './Toolbar.tsx';
import { text } from './text.ts';
import type { ChangeMap, MapModel } from './useMap.ts';

const Graph = lazy(() => import('./Graph.tsx').then((module) => ({ default: module.Graph })));

/** The picture of what is drawn; the one before stays until the next is there. */
function usePlaced(drawn: Drawn, isWanted: boolean): { of: Drawn; placed: Placed } | { failed: string } | null {
  const [placed, setPlaced] = useState<{ of: Drawn; placed: Placed } | { failed: string } | null>(null);
  useEffect(() => {
    if (!isWanted || drawn.services.length === 0) return;
    let isOver = false;
    placeAside(drawn).then(
      (answer) => !isOver && setPlaced({ of: drawn, placed: answer }),
      (why: unknown) => !isOver && setPlaced({ failed: String(why) }),
    );
    return () => {
      isOver = true;
    };
  }, [drawn, isWanted]);
  return placed;
}

export type MapViewProps = { model: MapModel; state: MapState; change: ChangeMap; atMs: number };

export function MapView({ model, state, change, atMs }: MapViewProps) {
  const { calls, drawn } = model;
  const as = shownAs(state, drawn);
  const picture = usePlaced(drawn, as === 'graph');
  const find = useRef<HTMLInputElement>(null);
  const [match, setMatch] = useState<{ name: string; index: number } | null>(null);
  const looks = state.find.trim() !== '';
  const among = as === 'graph' ? drawn.services : drawn.wanted;
  const isExact = ({ name }: { name: string }) => name.toLowerCase() === state.find.trim().toLowerCase();
  const matching = looks ? among.filter(({ name }) => isFound(name, state.find)) : [];
  // A name that is typed out stands before those that hold it.
  const found = [...matching.filter(isExact), ...matching.filter((one) => !isExact(one))];

  function toMatch(isBackwards: boolean) {
    const index = ((match?.index ?? (isBackwards ? 0 : -1)) + (isBackwards ? -1 : 1) + found.length) % found.length;
    const name = found[index]?.name;
    if (name === undefined) return;
    setMatch({ name, index });
    change({ selected: [name] }, { replace: true });
    announce(name);
  }
  const focusSelected = () => {
    const [name, second] = state.selected;
    if (name !== undefined && second === undefined) change({ focus: name });
  };
  useCommands(
    commandsOf(MAP_COMMANDS, {
      'map.view': () => change({ as: as === 'graph' ? 'table' : 'graph' }),
      'map.focus': focusSelected,
      'map.find': () => find.current?.focus(),
      'map.next': () => toMatch(false),
      'map.previous': () => toMatch(true),
      'map.clear': () => {
        if (state.selected.length > 0) change({ selected: [] }, { replace: true });
        else if (state.focus !== null) change({ focus: null });
      },
    }),
  );

  const isThere = picture !== null && 'placed' in picture;
  const onSave =
    as === 'graph' && isThere
      ? (kind: 'png' | 'svg') => void savePicture(kind, picture.of, picture.placed, state.metric)
      : undefined;
  let body: ReactNode;
  if (drawn.wanted.length === 0 || (state.min > 0 && drawn.wantedCalls.length === 0)) {
    body = <MapEmpty state={state} change={change} isThreshold={calls.calls.length > 0} />;
  } else if (as !== 'graph') {
    const empty = (
      <EmptyState
        icon={SearchX}
        title={text.noMatch(state.find)}
        actions={<Button onPress={() => change({ find: '' }, { replace: true })}>{text.clearFind}</Button>}
      />
    );
    body = <Tables drawn={drawn} state={state} change={change} as={as} empty={empty} />;
  } else if (picture !== null && 'failed' in picture) {
    body = <ErrorBox isPage title={text.layoutFailed} message={picture.failed} />;
  } else {
    body = (
      <>
        <button type="button" className={css['asTable']} onClick={() => change({ as: 'table' })}>
          {text.asTable}
        </button>
        <Suspense fallback={<SlowNotice what={text.drawing} />}>
          {isThere ? (
            <Graph
              drawn={picture.of}
              placed={picture.placed}
              state={state}
              change={change}
              onRest={() => change(state.focus === null && state.hops !== 'all' ? { hops: 'all' } : { as: 'table' })}
              wanted={match}
            />
          ) : (
            <SlowNotice what={text.drawing} />
          )}
        </Suspense>
      </>
    );
  }
  return (
    <>
      <Toolbar
        calls={calls}
        state={state}
        shownAs={as}
        change={change}
        found={found.length}
        onFind={toMatch}
        onSave={onSave}
        findRef={find}
        atMs={atMs}
      />
      {state.focus !== null && !calls.services.has(state.focus) && (
        <Banner
          tone="warn"
          actions={
            <Button size="small" onPress={() => change({ focus: null })}>
              {text.clearFocus}
            </Button>
          }
        >
          {text.unknownFocus(state.focus)}
        </Banner>
      )}
      {drawn.wanted.length > DRAWN_MAX && state.as === 'auto' && (
        <Banner>{text.tooMany(drawn.wanted.length, drawn.services.length)}</Banner>
      )}
      <div className={css['body']}>
        {body}
        <Panel calls={calls} state={state} change={change} />
      </div>
    </>
  );
}
