// The flame view: every level of the trace a line over the same window of time. For those who cannot see it, arrow keys
// move a cursor that is announced, and the table has the same spans.

import { useEffect, useId, useLayoutEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import type { FlameIndex } from '../../../canvas/flameIndex.ts';
import { keysOf } from '../../../core/commands.ts';
import { usePreferences } from '../../../core/preferences.ts';
import type { Bits } from '../../../model/bits.ts';
import { useHoverCard } from '../../../ui/hooks/useHoverCard.ts';
import { Scrollbar } from '../../../ui/Scrollbar/Scrollbar.tsx';
import { VisuallyHidden } from '../../../ui/VisuallyHidden/VisuallyHidden.tsx';
import { TRACE_COMMANDS } from '../commands.ts';
import { isSamePointed, SpanCard } from '../SpanCard.tsx';
import { setMark, type TracePage, useTracePage } from '../state/page.tsx';
import { Axis } from '../waterfall/Axis.tsx';
import { listenForGestures } from '../waterfall/gestures.ts';
import { Marks } from '../waterfall/Marks.tsx';
import css from './Flame.module.css';
import { FlameSurface } from './flameSurface.ts';
import { highlightOf } from './highlight.ts';
import { text } from './text.ts';
import { useFlameKeys } from './useFlameKeys.ts';

const LEVEL_PX = 20;

export function FlameView({ flame }: { flame: FlameIndex }) {
  const page = useTracePage();
  const { session, window, theme, colours, selection, state } = page;
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [surface, setSurface] = useState<FlameSurface | null>(null);
  const [width, setWidth] = useState(0);
  const [hovered, setHovered] = useState(-1);
  const { shown, point, handlers } = useHoverCard(isSamePointed);
  const highlight = useHighlight(page);
  const id = useId();

  useLayoutEffect(() => {
    const [element, c] = [box.current, canvas.current];
    if (!element || !c) return;
    const made = new FlameSurface(c);
    setSurface(made);
    const measure = () => {
      made.resize(element.clientWidth, element.clientHeight);
      setWidth(element.clientWidth);
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.dispose();
    };
  }, []);
  useLayoutEffect(() => {
    surface?.show({
      ...{ session, flame, window, theme, colours: colours.rows, highlight, rowHeight: LEVEL_PX },
      showsCritical: state.critical !== 'hidden',
      selected: selection.row,
      hovered,
    });
  });
  useEffect(() => (surface === null ? undefined : window.subscribe(surface.invalidate)), [surface, window]);
  useEffect(() => {
    surface?.reveal(selection.row);
  }, [surface, selection]);
  const latest = useRef(page);
  latest.current = page;
  useEffect(() => {
    const element = box.current;
    if (!surface || !element) return;
    return listenForGestures(element, {
      window: () => latest.current.window,
      time: () => ({ left: 0, width: surface.width }),
      scrollBy: (pixels) => surface.scrollBy(pixels),
      pageHeight: () => surface.height,
      onClick: (event) => {
        const at = element.getBoundingClientRect();
        latest.current.select(surface.rowAt(event.clientX - at.left, event.clientY - at.top));
        element.focus({ preventScroll: true });
      },
      onMeasure: (from, to) => {
        const view = latest.current.window.view(surface.width);
        const at = (x: number) => view.from + (x / view.width) * (view.to - view.from);
        setMark({ from: at(Math.min(from, to)), to: at(Math.max(from, to)) });
      },
    });
  }, [surface]);
  useFlameKeys(flame, box);

  return (
    <div className={css['flame']}>
      <div className={css['head']}>
        <Axis width={width} />
      </div>
      <div
        ref={box}
        role="application"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: keys move a cursor in it
        tabIndex={0}
        aria-label={text.label}
        aria-describedby={id}
        className={css['body']}
        data-full-height={(flame.offsets.length - 1) * LEVEL_PX}
        onPointerMove={(event) => {
          // Over its own card the pointer points at nothing else.
          if (!surface || event.buttons !== 0 || event.target !== canvas.current) return;
          const at = event.currentTarget.getBoundingClientRect();
          const [x, y] = [event.clientX - at.left, event.clientY - at.top];
          const row = surface.rowAt(x, y);
          setHovered(row);
          point(row < 0 ? null : { row, isGroup: false, x, y });
        }}
        onPointerLeave={() => {
          setHovered(-1);
          point(null);
        }}
      >
        <canvas ref={canvas} className={css['canvas']} aria-hidden />
        <Marks left={0} width={Math.max(1, width)} />
        {shown !== null && <SpanCard at={shown} width={width} height={surface?.height ?? 0} handlers={handlers} />}
      </div>
      {surface && <Levels surface={surface} />}
      <How id={id} />
    </div>
  );
}

function useHighlight(page: TracePage): Bits | null {
  const { session, find, hiddenServices, state } = page;
  // biome-ignore lint/correctness/useExhaustiveDependencies: what of the page it depends on
  return useMemo(() => highlightOf(page), [session, find, hiddenServices, state.minNs, state.critical, state.focus]);
}

function How({ id }: { id: string }) {
  usePreferences();
  const key = (command: 'flame.up' | 'flame.down' | 'flame.left' | 'flame.right' | 'flame.in') =>
    keysOf({ id: command, ...TRACE_COMMANDS[command] })[0] ?? text.noKey;
  return (
    <VisuallyHidden id={id}>
      {text.how(key('flame.up'), key('flame.down'), key('flame.left'), key('flame.right'), key('flame.in'))}
    </VisuallyHidden>
  );
}

function Levels({ surface }: { surface: FlameSurface }) {
  const shown = useSyncExternalStore(surface.subscribe, () => Object.values(surface.bar).join(' '));
  const [value = 0, page = 0, total = 0] = shown.split(' ').map(Number);
  return (
    <Scrollbar
      label={text.scroll}
      value={value}
      page={page}
      total={total}
      valueText={text.levels(Math.floor(value) + 1, Math.min(total, Math.ceil(value + page)), total)}
      onChange={(next) => surface.scrollTo(next * LEVEL_PX)}
    />
  );
}
