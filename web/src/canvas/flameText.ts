// What is drawn over the stretched lines of the flame view: texts of boxes, and frames round some of them.

import type { RowIndex } from '../model/columns.ts';
import type { FlameLabel } from './flame.ts';
import { type Surface, textWidth } from './surface.ts';
import { mix, type Theme, textOn } from './theme.ts';

export interface FlameTextInput {
  readonly labels: readonly FlameLabel[];
  readonly firstDepth: number;
  /** Device pixels. */
  readonly rowHeight: number;
  readonly scale: number;
  readonly textOf: (row: RowIndex) => string;
  /** The colour the box has, for a text that is read on it. */
  readonly colourOf: (row: RowIndex) => string;
}

export function paintFlameTexts(surface: Surface, input: FlameTextInput): void {
  const fontPx = Math.round(11 * input.scale);
  const pad = Math.round(4 * input.scale);
  surface.font = `${fontPx}px "Inter Variable", system-ui, sans-serif`;
  surface.textBaseline = 'middle';
  for (const { row, depth, x0, x1 } of input.labels) {
    const text = cut(input.textOf(row), x1 - x0 - 2 * pad, fontPx);
    if (text === '') continue;
    surface.fillStyle = textOn(input.colourOf(row));
    surface.fillText(text, x0 + pad, (depth - input.firstDepth + 0.5) * input.rowHeight);
  }
}

/** As much of a text as there is room for, with a mark where it was cut; nothing where that is hardly a letter. */
export function cut(text: string, room: number, fontPx: number): string {
  if (textWidth(text, fontPx) <= room) return text;
  const letters = Math.floor(room / textWidth('x', fontPx)) - 1;
  return letters < 2 ? '' : `${text.slice(0, letters)}…`;
}

/** A frame round the pixels of a row, with a line of background within, so that it is seen on any colour. */
export function paintFrame(
  surface: Surface,
  theme: Theme,
  box: { x: number; y: number; width: number; height: number },
  kind: 'selected' | 'hovered',
): void {
  const ring = (inset: number, colour: string): void => {
    const [x, y, w, h] = [box.x + inset, box.y + inset, box.width - 2 * inset, box.height - 2 * inset];
    if (w <= 0 || h <= 0) return;
    surface.fillStyle = colour;
    surface.fillRect(x, y, w, 1);
    surface.fillRect(x, y + h - 1, w, 1);
    surface.fillRect(x, y, 1, h);
    surface.fillRect(x + w - 1, y, 1, h);
  };
  ring(0, kind === 'selected' ? theme.text : mix(theme.background, theme.text, 0.6));
  if (kind === 'selected') ring(1, theme.background);
}

/** The pixels that a row has in a frame's window, at least one wide; null when it is outside. */
export function boxOfRow(
  columns: { readonly depth: ArrayLike<number>; readonly start: ArrayLike<number>; readonly dur: ArrayLike<number> },
  window: { readonly from: number; readonly to: number; readonly width: number },
  row: RowIndex,
  firstDepth: number,
  rowHeight: number,
): { x: number; y: number; width: number; height: number } | null {
  const perNs = window.width / (window.to - window.from);
  const start = columns.start[row] as number;
  const x0 = Math.floor((start - window.from) * perNs);
  const x1 = Math.max(x0 + 1, Math.ceil((start + (columns.dur[row] as number) - window.from) * perNs));
  if (x1 <= 0 || x0 >= window.width) return null;
  const x = Math.max(0, x0);
  return {
    x,
    y: ((columns.depth[row] as number) - firstDepth) * rowHeight,
    width: Math.min(window.width, x1) - x,
    height: rowHeight,
  };
}
