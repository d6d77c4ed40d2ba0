// The flame view as a picture to keep: what trace it is, the axis, all levels of the time that is shown.

import { linearTicks } from '../../../format/durationAxis.ts';
import type { TracePage } from '../state/page.tsx';
import { FlameSurface } from './flameSurface.ts';
import { highlightOf } from './highlight.ts';

const WIDTH_PX = 1_600;
const MARGIN_PX = 16;
const HEAD_PX = 36;
const AXIS_PX = 24;
const LEVEL_PX = 20;
/** Browsers refuse canvases that are much higher; what is deeper is left out. */
const LEVELS_MAX = 400;
/** A tick nearer to the end has no room for its label. */
const LABEL_PX = 64;

/** All levels, as they are in the view, on a canvas of their own. */
function levelsOf(page: TracePage, levels: number): HTMLCanvasElement {
  const { session, window, theme, colours, state } = page;
  const canvas = document.createElement('canvas');
  const surface = new FlameSurface(canvas);
  if (session.flame !== null) {
    surface.resize(WIDTH_PX, levels * LEVEL_PX);
    surface.show({
      ...{ session, flame: session.flame, window, theme, colours: colours.rows, highlight: highlightOf(page) },
      ...{ showsCritical: state.critical !== 'hidden', selected: -1, hovered: -1, rowHeight: LEVEL_PX },
    });
    surface.draw();
  }
  surface.dispose();
  return canvas;
}

export async function flamePng(page: TracePage, title: string, facts: string): Promise<Blob> {
  const { session, theme, window } = page;
  const levels = Math.min(LEVELS_MAX, session.flame === null ? 0 : session.flame.offsets.length - 1);
  const scale = devicePixelRatio || 1;
  const height = HEAD_PX + AXIS_PX + levels * LEVEL_PX + 2 * MARGIN_PX;
  const canvas = document.createElement('canvas');
  canvas.width = Math.round((WIDTH_PX + 2 * MARGIN_PX) * scale);
  canvas.height = Math.round(height * scale);
  const context = canvas.getContext('2d', { alpha: false });
  if (context === null) throw new Error('the browser has no canvas');
  context.scale(scale, scale);
  context.fillStyle = theme.background;
  context.fillRect(0, 0, WIDTH_PX + 2 * MARGIN_PX, height);
  context.translate(MARGIN_PX, MARGIN_PX);
  context.textBaseline = 'middle';
  context.font = '600 15px "Inter Variable", system-ui, sans-serif';
  context.fillStyle = theme.text;
  context.fillText(title, 0, 10);
  const after = context.measureText(title).width + 12;
  context.font = '12px "Inter Variable", system-ui, sans-serif';
  context.fillStyle = theme.textSecondary;
  context.fillText(facts, after, 11);
  const { from, to } = window.bounds;
  for (const { at, label } of linearTicks(from, to, WIDTH_PX)) {
    const x = ((at - from) / (to - from)) * WIDTH_PX;
    context.fillStyle = theme.line;
    context.fillRect(x, HEAD_PX, 1, AXIS_PX);
    context.fillStyle = theme.textSecondary;
    if (x < WIDTH_PX - LABEL_PX) context.fillText(label, x + 5, HEAD_PX + AXIS_PX / 2);
  }
  context.drawImage(levelsOf(page, levels), 0, HEAD_PX + AXIS_PX, WIDTH_PX, levels * LEVEL_PX);
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('the picture is too large'))), 'image/png'),
  );
}
