// A canvas as wide as its place, painted anew when its size, the screen or what is painted changes.

import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { Pixels } from '../../canvas/pixels.ts';
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

/** In device pixels; `scale` of them are a CSS pixel. */
export type Size = { readonly width: number; readonly height: number; readonly scale: number };

type ChartCanvasProps = { width: number; height: number; paint: (size: Size) => Pixels };

export function ChartCanvas({ width, height, paint }: ChartCanvasProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const element = canvas.current;
    const scale = Math.max(1, devicePixelRatio || 1);
    const context = width > 0 ? element?.getContext?.('2d', { alpha: false }) : null;
    if (!element || !context) return;
    const size = { width: Math.round(width * scale), height: Math.round(height * scale), scale };
    element.width = size.width;
    element.height = size.height;
    const pixels = paint(size);
    context.putImageData(new ImageData(pixels.bytes(), pixels.width, pixels.height), 0, 0);
  }, [width, height, paint]);
  return <canvas ref={canvas} aria-hidden className={css['canvas']} style={{ blockSize: height }} />;
}
