// The map as a picture to keep: SVG text, and the same painted on a canvas for PNG. Loaded when somebody saves one.

import { mix } from '../../canvas/theme.ts';
import { formatDuration } from '../../format/duration.ts';
import { formatPercent, formatRate } from '../../format/number.ts';
import { colourOf, preferredSlot } from '../../theme/palette.ts';
import { type Theme, tokensOf } from '../../theme/tokens.ts';
import { type Drawn, errorShare } from './calls.ts';
import { arrowOf, dashOf, LABEL_LINES, NODE, type Placed } from './geometry.ts';
import { callLabel, type Metric, RING_FROM, scaleOf } from './scale.ts';

/** What a picture is made of, the lowest first. */
type Shape =
  | {
      readonly kind: 'box';
      x: number;
      y: number;
      width: number;
      height: number;
      fill: string;
      edge: string;
      line: number;
    }
  | { readonly kind: 'line'; path: string; stroke: string; width: number; isDashed: boolean }
  | { readonly kind: 'area'; path: string; fill: string }
  | {
      readonly kind: 'text';
      x: number;
      y: number;
      text: string;
      fill: string;
      size: number;
      weight: number;
      isCentred: boolean;
    };
export type Picture = { readonly width: number; readonly height: number; readonly shapes: readonly Shape[] };

const FONT = 'Inter, system-ui, sans-serif';
const NAME_CHARS_MAX = 24;

export function pictureOf(drawn: Drawn, placed: Placed, metric: Metric, theme: Theme): Picture {
  const tokens = tokensOf(theme);
  const scale = scaleOf(drawn, metric);
  const heat = metric === 'errors' ? tokens['error-fill'] : tokens.accent;
  const width = Math.max(placed.width, NODE.width + 24);
  const height = placed.height + (drawn.rest.length > 0 ? 40 : 0);
  const ground: Shape = { kind: 'box', x: 0, y: 0, width, height, fill: tokens.bg, edge: tokens.bg, line: 0 };
  const shapes: Shape[] = [ground];
  const words = (text: string, x: number, y: number, style: Partial<Extract<Shape, { kind: 'text' }>> = {}): Shape => ({
    kind: 'text',
    ...{ x, y, text, fill: tokens.fg, size: 11, weight: 400, isCentred: false },
    ...style,
  });
  for (const call of drawn.calls) {
    const at = placed.calls.get(call.id);
    if (at === undefined) continue;
    const stroke = mix(tokens['line-strong'], heat, scale.shade(call));
    const lineWidth = scale.width(call);
    shapes.push({ kind: 'line', path: at.path, stroke, width: lineWidth, isDashed: call.isAsync });
    shapes.push({ kind: 'area', path: arrowOf(at, lineWidth), fill: stroke });
  }
  if (placed.isLabelled) {
    for (const call of drawn.calls) {
      const at = placed.calls.get(call.id);
      const label = callLabel(call, metric);
      if (at === undefined) continue;
      const { x, y } = at.label;
      for (const { place, plate, text } of LABEL_LINES) {
        const half = label[place].length * 3.2 + 2;
        shapes.push({
          kind: 'box',
          ...{ x: x - half, y: y + plate, width: 2 * half, height: 13, fill: tokens.bg, edge: tokens.bg, line: 0 },
        });
        const isMain = label.main === place;
        const look = isMain ? { weight: 600 } : { fill: tokens['fg-2'] };
        shapes.push(words(label[place], x, y + text, { isCentred: true, ...look }));
      }
    }
  }
  for (const service of drawn.services) {
    const at = placed.nodes.get(service.name);
    if (at === undefined) continue;
    const [x, y] = [at.x - NODE.width / 2, at.y - NODE.height / 2];
    const share = errorShare(service.total);
    const hasRing = share >= RING_FROM;
    shapes.push({
      kind: 'box',
      ...{ x, y, ...NODE, line: hasRing ? 2 : 1 },
      fill: mix(tokens['bg-1'], heat, scale.shade(service) * 0.2),
      edge: hasRing ? tokens['error-fill'] : tokens['line-strong'],
    });
    const colour = colourOf(preferredSlot(service.name), theme);
    shapes.push({ kind: 'box', x: x + 10, y: y + 9, width: 8, height: 8, fill: colour, edge: colour, line: 0 });
    shapes.push(words(shortName(service.name), x + 24, y + 18, { size: 12, weight: 600 }));
    const facts =
      service.total === null
        ? formatRate(service.rate)
        : [formatRate(service.rate), formatPercent(share), formatDuration(service.total.p95)].join('   ');
    shapes.push(words(facts, x + 10, y + 34, { fill: hasRing ? tokens.error : tokens['fg-2'] }));
  }
  if (drawn.rest.length > 0) shapes.push(words(`+ ${drawn.rest.length}`, 12, height - 16, { fill: tokens['fg-2'] }));
  return { width, height, shapes };
}

function shortName(name: string): string {
  return name.length <= NAME_CHARS_MAX ? name : `${name.slice(0, NAME_CHARS_MAX - 1)}…`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[char] ?? char);
}

function svgOf(shape: Shape): string {
  switch (shape.kind) {
    case 'box': {
      const { x, y, width, height, fill, edge, line } = shape;
      return `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="${line > 0 ? 4 : 0}" fill="${fill}" stroke="${edge}" stroke-width="${line}"/>`;
    }
    case 'line': {
      const dash = shape.isDashed ? ` stroke-dasharray="${dashOf(shape.width)}"` : '';
      return `<path d="${shape.path}" fill="none" stroke="${shape.stroke}" stroke-width="${shape.width.toFixed(2)}"${dash}/>`;
    }
    case 'area':
      return `<path d="${shape.path}" fill="${shape.fill}"/>`;
    case 'text': {
      const anchor = shape.isCentred ? ' text-anchor="middle"' : '';
      return `<text x="${shape.x}" y="${shape.y}" font-size="${shape.size}" font-weight="${shape.weight}" fill="${shape.fill}"${anchor}>${escaped(shape.text)}</text>`;
    }
  }
}

export function svgText({ width, height, shapes }: Picture): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${FONT}">`,
    ...shapes.map(svgOf),
    '</svg>',
    '',
  ].join('\n');
}

/** The longest side of a PNG in pixels: browsers refuse larger canvases. */
const SIDE_MAX = 8_192;

export async function pngBlob({ width, height, shapes }: Picture): Promise<Blob> {
  const scale = Math.min(2, SIDE_MAX / Math.max(width, height, 1));
  const canvas = document.createElement('canvas');
  canvas.width = Math.ceil(width * scale);
  canvas.height = Math.ceil(height * scale);
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('no canvas');
  context.scale(scale, scale);
  for (const shape of shapes) paint(context, shape);
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('the picture is too large'))), 'image/png'),
  );
}

function paint(context: CanvasRenderingContext2D, shape: Shape): void {
  switch (shape.kind) {
    case 'box': {
      context.beginPath();
      context.roundRect(shape.x, shape.y, shape.width, shape.height, shape.line > 0 ? 4 : 0);
      context.fillStyle = shape.fill;
      context.fill();
      if (shape.line === 0) return;
      context.strokeStyle = shape.edge;
      context.lineWidth = shape.line;
      context.stroke();
      return;
    }
    case 'line':
      context.setLineDash(shape.isDashed ? dashOf(shape.width).split(' ').map(Number) : []);
      context.strokeStyle = shape.stroke;
      context.lineWidth = shape.width;
      context.stroke(new Path2D(shape.path));
      context.setLineDash([]);
      return;
    case 'area':
      context.fillStyle = shape.fill;
      context.fill(new Path2D(shape.path));
      return;
    case 'text':
      context.font = `${shape.weight} ${shape.size}px ${FONT}`;
      context.fillStyle = shape.fill;
      context.textAlign = shape.isCentred ? 'center' : 'start';
      context.fillText(shape.text, shape.x, shape.y);
  }
}
