// A canvas as wide as its place, painted anew when its size, the screen or what is painted changes.

import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { Surface } from '../../canvas/surface.ts';
import css from './Charts.module.css';

/** The width of an element in CSS pixels; 0 until it is known. */
export function useWidth(element: React.RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const { current } = element;
    if (!current) return;
    setWidth(current.clientWidth);
    const watcher = new ResizeObserver(() => setWidth(current.clientWidth));
    watcher.observe(current);
    return () => watcher.disconnect();
  }, [element]);
  return width;
}

export type Size = { readonly width: number; readonly height: number; readonly scale: number };

type ChartCanvasProps = { width: number; height: number; paint: (surface: Surface, size: Size) => void };

export function ChartCanvas({ width, height, paint }: ChartCanvasProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const element = canvas.current;
    const scale = Math.max(1, devicePixelRatio || 1);
    const context = width > 0 ? element?.getContext?.('2d', { alpha: false }) : null;
    if (!element || !context) return;
    element.width = Math.round(width * scale);
    element.height = Math.round(height * scale);
    paint(context, { width, height, scale });
  }, [width, height, paint]);
  return <canvas ref={canvas} aria-hidden className={css['canvas']} style={{ blockSize: height }} />;
}
