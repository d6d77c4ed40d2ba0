// What painters need of a canvas: the context of a <canvas> or an OffscreenCanvas is one as it is.
//
// Only rectangles and text, so that a test can paint into plain memory and compare pixels. All numbers are device
// pixels; rectangles are whole pixels, so nothing is blurred.

export interface Surface {
  fillStyle: string | CanvasGradient | CanvasPattern;
  font: string;
  textBaseline: CanvasTextBaseline;
  fillRect(x: number, y: number, width: number, height: number): void;
  fillText(text: string, x: number, y: number): void;
}

/** Width of a text without asking the canvas: digits are as wide as each other, the rest is near enough. */
export function textWidth(text: string, fontPx: number): number {
  return text.length * fontPx * 0.58;
}
