// All of the trace in a strip: errors red, the critical path as a line. A drag zooms, the ends of what is shown can be
// moved by pointer and by keys.

import { type KeyboardEvent, type PointerEvent, useEffect, useRef, useState } from 'react';
import type { FlameIndex } from '../../../canvas/flameIndex.ts';
import { rasterMinimap } from '../../../canvas/minimap.ts';
import { clamp, WINDOW_NS_MIN } from '../../../canvas/viewport.ts';
import { formatDuration } from '../../../format/duration.ts';
import { linearTicks } from '../../../format/durationAxis.ts';
import { useTracePage, useWindowBounds } from '../state/page.tsx';
import { panWindow } from '../waterfall/gestures.ts';
import css from './Minimap.module.css';
import { text } from './text.ts';
import { useRangeDrag } from './useRangeDrag.ts';

const HEIGHT_PX = 48;
const LOW_HEIGHT_PX = 24;
/** Fewer levels need no tall strip. */
const LOW_DEPTHS = 3;
const KEY_SHARE = 0.01;
/** A tick nearer to the end has no room for its label. */
const LABEL_PX = 48;

export function Minimap({ flame }: { flame: FlameIndex }) {
  const { session, window, theme, colours } = useTracePage();
  const { columns } = session;
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(0);
  const height = flame.offsets.length - 1 <= LOW_DEPTHS ? LOW_HEIGHT_PX : HEIGHT_PX;
  const bounds = useWindowBounds(window);
  const duration = Math.max(WINDOW_NS_MIN, columns.durationNs);

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    setWidth(element.clientWidth);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    const context = canvas.current?.getContext('2d', { alpha: false });
    if (!context || width === 0) return;
    const scale = devicePixelRatio || 1;
    const size = { width: Math.round(width * scale), height: Math.round(height * scale) };
    context.canvas.width = size.width;
    context.canvas.height = size.height;
    const pixels = rasterMinimap({ columns, index: flame, theme, colours: colours.rows, ...size });
    context.putImageData(new ImageData(pixels.bytes(), size.width, size.height), 0, 0);
  }, [columns, flame, theme, colours.rows, width, height]);

  const atPx = (x: number) => (x / Math.max(1, width)) * duration;
  const show = (from: number, to: number) => window.set(clamp({ from, to, width: 1 }, window));
  const drag = useRangeDrag(
    box,
    (a, b) => show(atPx(a), atPx(b)),
    (x) => {
      const length = window.bounds.to - window.bounds.from;
      if (!window.isWhole) show(atPx(x) - length / 2, atPx(x) + length / 2);
    },
  );
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const wheel = (event: WheelEvent) => {
      if (window.isWhole) return;
      event.preventDefault();
      const delta = Math.abs(event.deltaX) > Math.abs(event.deltaY) ? event.deltaX : event.deltaY;
      panWindow(window, 1_000, delta);
    };
    element.addEventListener('wheel', wheel, { passive: false });
    return () => element.removeEventListener('wheel', wheel);
  }, [window]);

  const share = (ns: number) => `${(Math.min(Math.max(0, ns), duration) / duration) * 100}%`;
  const shownText = text.shown(formatDuration(bounds.from), formatDuration(bounds.to));
  return (
    // biome-ignore lint/a11y/useSemanticElements: no element is a group of sliders
    <div role="group" aria-label={text.minimap} className={css['minimap']}>
      <div className={css['axis']} aria-hidden>
        {linearTicks(0, duration, width, 120)
          .filter(({ at }) => (at / duration) * width < width - LABEL_PX)
          .map(({ at, label }) => (
            <span key={label} className={css['tick']} style={{ insetInlineStart: share(at) }}>
              {label}
            </span>
          ))}
      </div>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the two ends within it are for keys */}
      <div
        ref={box}
        className={css['strip']}
        style={{ blockSize: height }}
        {...drag.handlers}
        onDoubleClick={() => window.showAll()}
      >
        <canvas ref={canvas} className={css['canvas']} aria-hidden />
        <div className={css['shade']} style={{ insetInlineStart: 0, inlineSize: share(bounds.from) }} />
        <div className={css['shade']} style={{ insetInlineEnd: 0, inlineSize: share(duration - bounds.to) }} />
        {drag.range !== null && (
          <div
            className={css['range']}
            style={{ insetInlineStart: drag.range.from, inlineSize: drag.range.to - drag.range.from }}
          />
        )}
        <Handle
          label={text.from}
          value={bounds.from}
          max={bounds.to}
          duration={duration}
          valueText={shownText}
          onChange={(ns) => show(Math.min(ns, bounds.to - WINDOW_NS_MIN), bounds.to)}
          atPx={atPx}
          box={box}
        />
        <Handle
          label={text.to}
          value={bounds.to}
          max={duration}
          duration={duration}
          valueText={shownText}
          onChange={(ns) => show(bounds.from, Math.max(ns, bounds.from + WINDOW_NS_MIN))}
          atPx={atPx}
          box={box}
        />
      </div>
    </div>
  );
}

type HandleProps = {
  label: string;
  value: number;
  max: number;
  duration: number;
  valueText: string;
  onChange: (ns: number) => void;
  atPx: (x: number) => number;
  box: React.RefObject<HTMLDivElement | null>;
};

function Handle({ label, value, duration, valueText, onChange, atPx, box }: HandleProps) {
  const isHeld = useRef(false);
  function key(event: KeyboardEvent): void {
    const step = duration * KEY_SHARE * (event.shiftKey ? 10 : 1);
    const by = { ArrowLeft: -step, ArrowDown: -step, ArrowRight: step, ArrowUp: step }[event.key];
    const next = event.key === 'Home' ? 0 : event.key === 'End' ? duration : by === undefined ? null : value + by;
    if (next === null) return;
    event.preventDefault();
    onChange(Math.min(duration, Math.max(0, next)));
  }
  function down(event: PointerEvent<HTMLElement>): void {
    if (event.button !== 0) return;
    event.stopPropagation();
    isHeld.current = true;
    event.currentTarget.setPointerCapture(event.pointerId);
  }
  function moved(event: PointerEvent): void {
    if (!isHeld.current || !box.current) return;
    event.stopPropagation();
    onChange(Math.min(duration, Math.max(0, atPx(event.clientX - box.current.getBoundingClientRect().left))));
  }
  return (
    <div
      role="slider"
      tabIndex={0}
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={Math.round(duration)}
      aria-valuenow={Math.round(value)}
      aria-valuetext={valueText}
      className={css['handle']}
      style={{ insetInlineStart: `${(Math.min(duration, Math.max(0, value)) / duration) * 100}%` }}
      onKeyDown={key}
      onPointerDown={down}
      onPointerMove={moved}
      onPointerUp={() => {
        isHeld.current = false;
      }}
      onPointerCancel={() => {
        isHeld.current = false;
      }}
    />
  );
}
