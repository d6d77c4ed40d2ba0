// The waterfall: names at the left, bars over time at the right, one entry a line.

// biome-ignore-all lint/a11y/useSemanticElements: rows are placed by hand, which no table of the browser allows
// biome-ignore-all lint/a11y/useFocusableInteractive: rows have the focus, their cells and heads do not

import { type ReactNode, Suspense, useEffect, useId, useLayoutEffect, useRef, useState } from 'react';
import { setSize, usePreferences } from '../../../core/preferences.ts';
import { VisuallyHidden } from '../../../ui/VisuallyHidden/VisuallyHidden.tsx';
import { BarCard, Marks, NothingLeft, RowsScrollbar, Splitter, WaterfallKeys, whenLate } from '../lazies.ts';
import { setMark, useRevision, useTracePage } from '../state/page.tsx';
import { indexOfSelection, isEntryOf } from '../state/selection.ts';
import { GridHead } from './GridHead.tsx';
import rowCss from './rows.module.css';
import { WaterfallSurface } from './surface.ts';
import { text } from './text.ts';
import css from './Waterfall.module.css';

const SELF_PX = 72;
const VALUE_PX = 120;
const NAMES_PX = 400;
const NAMES_PX_MIN = 200;
const TIME_PX_MIN = 160;
/** Below this there is no room for names and bars side by side. */
const STACKED_BELOW_PX = 560;
/** Bars below their names begin where the minimap does: at the page's gutter. */
const STACKED_LEFT_PX = 12;

export function Waterfall({ inline }: { inline: ReactNode }) {
  const page = useTracePage();
  const { session, window, state, selection, colours, valueColumns, find, eventTimes, theme, rowHeight } = page;
  const { sizes } = usePreferences();
  const revision = useRevision(session);
  const id = useId();
  const frame = useRef<HTMLDivElement>(null);
  const body = useRef<HTMLDivElement>(null);
  const rows = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const gap = useRef<HTMLDivElement>(null);
  const [surface, setSurface] = useState<WaterfallSurface | null>(null);
  const [size, setFrameSize] = useState({ width: 0, height: 0 });
  const [dragged, setDragged] = useState<number | null>(null);
  const isStacked = size.width > 0 && size.width < STACKED_BELOW_PX;
  const valuesPx = isStacked ? 0 : valueColumns.length * VALUE_PX;
  const most = Math.max(NAMES_PX_MIN, size.width - TIME_PX_MIN);
  const wanted = dragged ?? sizes['trace.names'] ?? Math.min(NAMES_PX, size.width * 0.45) + valuesPx;
  const namesPx = Math.round(Math.min(most, Math.max(NAMES_PX_MIN, wanted)));
  const timeLeft = isStacked ? STACKED_LEFT_PX : namesPx;
  const active = indexOfSelection(session.rows, selection.row, selection.isGroup);
  const gapPx = inline === null || active < 0 ? 0 : Math.round(Math.min(360, Math.max(160, size.height * 0.6)));

  useLayoutEffect(() => {
    const [b, r, c, g] = [body.current, rows.current, canvas.current, gap.current];
    if (!b || !r || !c || !g) return;
    const made = new WaterfallSurface({ body: b, rows: r, canvas: c, gap: g });
    setSurface(made);
    const measure = () => {
      const width = b.clientWidth;
      const height = b.clientHeight;
      made.resize(width, height);
      setFrameSize({ width, height });
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(b);
    return () => {
      observer.disconnect();
      made.dispose();
    };
  }, []);

  useLayoutEffect(() => {
    surface?.show({
      ...{ id, session, window, theme, colours: colours.rows, values: isStacked ? [] : valueColumns, eventTimes },
      ...{ active, rowHeight, isStacked, timeLeft, gapPx },
      matches: find.matches?.bits ?? null,
      showsCritical: state.critical !== 'hidden',
    });
  });
  useEffect(() => (surface === null ? undefined : window.subscribe(surface.invalidate)), [surface, window]);
  const isHidden = useRef(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was chosen comes into view, not what moved
  useEffect(() => {
    surface?.reveal(active);
    isHidden.current = !isEntryOf(session.rows, active, selection);
  }, [surface, selection, session]);
  // What hid it opens a moment later.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the list has changed
  useEffect(() => {
    if (!isHidden.current || !isEntryOf(session.rows, active, selection)) return;
    isHidden.current = false;
    surface?.reveal(active);
  }, [revision]);

  const latest = useRef({ page, timeLeft });
  latest.current = { page, timeLeft };
  useEffect(() => {
    const element = body.current;
    if (!surface || !element) return;
    const time = () => ({
      left: latest.current.timeLeft,
      width: surface.timeWidth,
    });
    return whenLate(({ listenForGestures, toggleEntry }) =>
      listenForGestures(element, {
        time,
        window: () => latest.current.page.window,
        scrollBy: (pixels) => surface.scrollBy(pixels),
        pageHeight: () => surface.height,
        onClick: (event) => {
          const index = surface.indexAt(event.clientY - element.getBoundingClientRect().top);
          if (index < 0) return;
          const { page: now } = latest.current;
          const list = now.session.rows;
          const isToggle = event.target instanceof Element && event.target.closest(`.${rowCss['toggle']}[data-on]`);
          if (isToggle) toggleEntry(now.session, index);
          else now.select(list.rowAt(index), { isGroup: list.isGroupAt(index) });
          surface.focus(index);
        },
        onMeasure: (from, to) => {
          const { page: now } = latest.current;
          const view = now.window.view(surface.timeWidth);
          const at = (x: number) => view.from + (x / view.width) * (view.to - view.from);
          setMark({ from: at(Math.min(from, to)), to: at(Math.max(from, to)) });
        },
      }),
    );
  }, [surface]);

  const columns = isStacked
    ? `minmax(0, 1fr) ${SELF_PX}px`
    : `${namesPx - SELF_PX - valuesPx}px ${SELF_PX}px ${`${VALUE_PX}px `.repeat(valueColumns.length)}minmax(0, 1fr)`;
  return (
    <div
      ref={frame}
      className={css['waterfall']}
      data-stacked={isStacked || undefined}
      style={{
        ['--columns' as string]: columns,
        ['--names' as string]: `${timeLeft}px`,
        ['--line-height' as string]: `${surface?.geometry.rowHeight ?? rowHeight}px`,
        ['--name-height' as string]: `${rowHeight}px`,
      }}
    >
      <div
        role="treegrid"
        aria-label={text.rows}
        aria-rowcount={session.rows.length + 1}
        aria-colcount={3 + valueColumns.length}
        data-revision={revision}
        className={css['grid']}
      >
        <GridHead isStacked={isStacked} timeWidth={Math.max(0, size.width - timeLeft)} />
        <div ref={body} className={css['body']}>
          <canvas ref={canvas} className={css['canvas']} aria-hidden />
          <div ref={rows} role="rowgroup" className={css['rows']} />
        </div>
      </div>
      <div className={css['overlay']}>
        <Suspense>
          <Marks left={timeLeft} width={Math.max(1, size.width - timeLeft)} />
        </Suspense>
        <div ref={gap} className={css['gap']} data-own-wheel hidden>
          {inline}
        </div>
        {session.rows.length === 0 && (
          <Suspense>
            <NothingLeft />
          </Suspense>
        )}
        {surface && !isStacked && (
          <Suspense>
            <BarCard surface={surface} body={body} left={timeLeft} size={size} />
          </Suspense>
        )}
        {!isStacked && (
          <div className={css['split']}>
            <Suspense>
              <Splitter
                label={text.names}
                value={namesPx}
                min={NAMES_PX_MIN}
                max={most}
                defaultValue={NAMES_PX}
                onChange={setDragged}
                onCommit={(px) => {
                  setSize('trace.names', px);
                  setDragged(null);
                }}
              />
            </Suspense>
          </div>
        )}
      </div>
      <Suspense fallback={<div className={css['scrollbar']} />}>
        {surface && <RowsScrollbar surface={surface} />}
      </Suspense>
      <Suspense>
        <WaterfallKeys surface={surface} active={active} grid={rows} />
      </Suspense>
      <VisuallyHidden>{text.time}</VisuallyHidden>
    </div>
  );
}
