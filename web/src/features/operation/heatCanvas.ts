// Puts the raster of the heatmap onto a canvas, in the colours of the theme that is shown.

import type { HeatGrid, Size } from '../../canvas/grid.ts';
import { rasterHeatmap } from '../../canvas/heatmap.ts';
import type { Theme } from '../../canvas/theme.ts';

export function paintHeat(canvas: HTMLCanvasElement, grid: HeatGrid, { width, height }: Size, theme: Theme): void {
  const context = canvas.getContext('2d');
  if (!context || width <= 0) return;
  canvas.width = Math.round(width * devicePixelRatio);
  canvas.height = Math.round(height * devicePixelRatio);
  const pixels = rasterHeatmap(grid, { width: canvas.width, height: canvas.height }, theme);
  context.putImageData(new ImageData(pixels.bytes(), pixels.width, pixels.height), 0, 0);
}
