// A rectangle of pixels in memory, as `ImageData` has it: what rasters are painted into, and a canvas in tests.
//
// Drawing outside of it is cut off.

import type { Surface } from './surface.ts';
import { packed } from './theme.ts';

export class Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint32Array<ArrayBuffer>;

  constructor(width: number, height: number, data = new Uint32Array(width * height)) {
    this.width = width;
    this.height = height;
    this.data = data;
  }

  fill(x: number, y: number, width: number, height: number, pixel: number): void {
    const left = Math.max(0, x);
    const right = Math.min(this.width, x + width);
    if (right <= left) return;
    for (let line = Math.max(0, y), end = Math.min(this.height, y + height); line < end; line++) {
      this.data.fill(pixel, line * this.width + left, line * this.width + right);
    }
  }

  /** For `ImageData`: the same memory as bytes. */
  bytes(): Uint8ClampedArray<ArrayBuffer> {
    return new Uint8ClampedArray(this.data.buffer, this.data.byteOffset, this.data.byteLength);
  }
}

/** A canvas that paints rectangles into pixels; texts are only noted, fonts differ between machines. */
export class PixelSurface implements Surface {
  readonly pixels: Pixels;
  readonly texts: { text: string; x: number; y: number }[] = [];
  fillStyle: string | CanvasGradient | CanvasPattern = '#000000';
  font = '';
  textBaseline: CanvasTextBaseline = 'alphabetic';

  constructor(width: number, height: number) {
    this.pixels = new Pixels(width, height);
  }

  fillRect(x: number, y: number, width: number, height: number): void {
    if (![x, y, width, height].every(Number.isInteger))
      throw new Error(`a rectangle off the pixels: ${x} ${y} ${width} ${height}`);
    if (typeof this.fillStyle !== 'string') throw new Error('only plain colours');
    this.pixels.fill(x, y, width, height, packed(this.fillStyle));
  }

  fillText(text: string, x: number, y: number): void {
    this.texts.push({ text, x, y });
  }
}
