// The line between two panes: drag, arrow keys, double press for the default size. The size belongs to the pane before
// it, or after it with `isReversed`.

import { type KeyboardEvent, type PointerEvent, useRef } from 'react';
import { cx } from '../props.ts';
import css from './Splitter.module.css';

export type SplitterProps = {
  label: string;
  /** `vertical`: a vertical line between panes side by side. */
  orientation?: 'vertical' | 'horizontal' | undefined;
  /** Size of the pane in px. */
  value: number;
  min: number;
  max: number;
  defaultValue: number;
  isReversed?: boolean | undefined;
  /** While dragging. */
  onChange: (value: number) => void;
  /** After a drag or a key: to remember it. */
  onCommit?: ((value: number) => void) | undefined;
  /** The id of the pane. */
  controls?: string | undefined;
};

const step = 16;

export function Splitter(props: SplitterProps) {
  const {
    label,
    orientation = 'vertical',
    value,
    min,
    max,
    defaultValue,
    isReversed = false,
    onChange,
    onCommit,
    controls,
  } = props;
  const drag = useRef<{ at: number; value: number; now: number } | null>(null);
  const isVertical = orientation === 'vertical';

  function sign(element: HTMLElement): number {
    const isRtl = isVertical && getComputedStyle(element).direction === 'rtl';
    return isRtl === isReversed ? 1 : -1;
  }
  function clamp(next: number): number {
    return Math.round(Math.min(max, Math.max(min, next)));
  }
  function set(next: number) {
    const clamped = clamp(next);
    if (clamped === value) return;
    onChange(clamped);
    onCommit?.(clamped);
  }
  function down(event: PointerEvent<HTMLElement>) {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    drag.current = { at: isVertical ? event.clientX : event.clientY, value, now: value };
  }
  function moved(event: PointerEvent<HTMLElement>) {
    if (!drag.current) return;
    const delta = (isVertical ? event.clientX : event.clientY) - drag.current.at;
    const next = clamp(drag.current.value + delta * sign(event.currentTarget));
    if (next === drag.current.now) return;
    drag.current.now = next;
    onChange(next);
  }
  function up() {
    if (drag.current && drag.current.now !== drag.current.value) onCommit?.(drag.current.now);
    drag.current = null;
  }
  function key(event: KeyboardEvent<HTMLElement>) {
    const forward = { [isVertical ? 'ArrowRight' : 'ArrowDown']: 1, [isVertical ? 'ArrowLeft' : 'ArrowUp']: -1 }[
      event.key
    ];
    if (forward !== undefined) set(value + forward * sign(event.currentTarget) * step * (event.shiftKey ? 4 : 1));
    else if (event.key === 'Home') set(min);
    else if (event.key === 'End') set(max);
    else if (event.key === 'Enter') set(defaultValue);
    else return;
    event.preventDefault();
  }

  return (
    // biome-ignore lint/a11y/useSemanticElements: an <hr> cannot be dragged with a handle inside
    <div
      role="separator"
      tabIndex={0}
      aria-label={label}
      aria-orientation={orientation}
      aria-valuenow={value}
      aria-valuemin={min}
      aria-valuemax={max}
      aria-controls={controls}
      className={cx(css['splitter'], css[orientation])}
      onPointerDown={down}
      onPointerMove={moved}
      onPointerUp={up}
      onPointerCancel={up}
      onDoubleClick={() => set(defaultValue)}
      onKeyDown={key}
    />
  );
}
