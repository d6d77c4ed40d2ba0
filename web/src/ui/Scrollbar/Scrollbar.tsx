// A scroll bar of our own: 1,000,000 rows of 24 px are taller than a browser lets an element be. It knows numbers only:
// the first thing in view, how many are in view, how many there are.

import { type KeyboardEvent, type PointerEvent, useRef } from 'react';
import { cx } from '../props.ts';
import css from './Scrollbar.module.css';
import { thumbOf, valueAt } from './thumb.ts';

export type ScrollbarProps = {
  label: string;
  orientation?: 'vertical' | 'horizontal' | undefined;
  /** The first thing in view; need not be whole. */
  value: number;
  /** How many are in view. */
  page: number;
  total: number;
  onChange: (value: number) => void;
  /** The id of what scrolls. */
  controls?: string | undefined;
  /** "Rows 1,204 to 1,250 of 1,000,000" */
  valueText?: string | undefined;
  className?: string | undefined;
};

export function Scrollbar(props: ScrollbarProps) {
  const { label, orientation = 'vertical', value, page, total, onChange, controls, valueText, className } = props;
  const track = useRef<HTMLDivElement>(null);
  const grip = useRef<number | null>(null);
  const isVertical = orientation === 'vertical';
  const max = Math.max(0, total - page);
  const clamped = Math.min(max, Math.max(0, value));

  function set(next: number) {
    const inside = Math.min(max, Math.max(0, next));
    if (inside !== clamped) onChange(inside);
  }
  function place(event: PointerEvent): { at: number; length: number } {
    const box = track.current?.getBoundingClientRect();
    if (!box) return { at: 0, length: 1 };
    return isVertical
      ? { at: event.clientY - box.top, length: box.height }
      : { at: event.clientX - box.left, length: box.width };
  }
  function down(event: PointerEvent<HTMLElement>) {
    if (event.button !== 0 || max === 0) return;
    const { at, length } = place(event);
    const thumb = thumbOf({ value: clamped, page, total, length });
    const isOnThumb = at >= thumb.start && at < thumb.start + thumb.size;
    if (isOnThumb) {
      event.currentTarget.setPointerCapture(event.pointerId);
      grip.current = at - thumb.start;
    } else {
      set(clamped + (at < thumb.start ? -page : page));
    }
  }
  function moved(event: PointerEvent<HTMLElement>) {
    if (grip.current === null) return;
    const { at, length } = place(event);
    set(valueAt({ start: at - grip.current, page, total, length }));
  }
  function up() {
    grip.current = null;
  }
  function key(event: KeyboardEvent<HTMLElement>) {
    const by = {
      [isVertical ? 'ArrowDown' : 'ArrowRight']: 1,
      [isVertical ? 'ArrowUp' : 'ArrowLeft']: -1,
      PageDown: Math.max(1, page - 1),
      PageUp: -Math.max(1, page - 1),
      Home: -Infinity,
      End: Infinity,
    }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    set(clamped + by);
  }

  const size = total > 0 ? Math.min(1, page / total) : 1;
  const share = max > 0 ? clamped / max : 0;
  return (
    <div
      ref={track}
      role="scrollbar"
      tabIndex={max === 0 ? -1 : 0}
      aria-label={label}
      aria-orientation={orientation}
      aria-controls={controls}
      aria-valuenow={Math.round(clamped)}
      aria-valuemin={0}
      aria-valuemax={Math.round(max)}
      aria-valuetext={valueText}
      aria-disabled={max === 0 || undefined}
      className={cx(css['track'], css[orientation], className)}
      onPointerDown={down}
      onPointerMove={moved}
      onPointerUp={up}
      onPointerCancel={up}
      onKeyDown={key}
    >
      {max > 0 && (
        <div
          className={css['thumb']}
          style={{
            [isVertical ? 'height' : 'width']: `max(24px, ${size * 100}%)`,
            [isVertical ? 'top' : 'left']: `calc((100% - max(24px, ${size * 100}%)) * ${share})`,
          }}
        />
      )}
    </div>
  );
}
