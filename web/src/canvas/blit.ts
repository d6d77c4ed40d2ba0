// From pixels in memory to a canvas. The only place of this folder that needs a browser.
//
// A canvas of the size of the pixels is kept between frames; `drawImage` stretches it with smoothing off.

import type { FlameFrame } from './flame.ts';
import type { Pixels } from './pixels.ts';

export class Blitter {
  #canvas: OffscreenCanvas | null = null;
  #held: Pixels | null = null;

  /** Takes the pixels over; they may be painted into again afterwards, and are then loaded again. */
  load(pixels: Pixels): void {
    if (this.#canvas?.width !== pixels.width || this.#canvas.height !== pixels.height) {
      this.#canvas = new OffscreenCanvas(Math.max(1, pixels.width), Math.max(1, pixels.height));
    }
    this.#held = pixels;
    if (pixels.width === 0 || pixels.height === 0) return;
    this.#canvas.getContext('2d')?.putImageData(new ImageData(pixels.bytes(), pixels.width, pixels.height), 0, 0);
  }

  /** Draws lines of what was loaded, all of its width, into a rectangle. */
  draw(
    context: CanvasRenderingContext2D,
    line: number,
    lines: number,
    to: { x: number; y: number; width: number; height: number },
  ): void {
    if (this.#canvas === null || this.#held === null || this.#held.width === 0 || lines <= 0) return;
    context.imageSmoothingEnabled = false;
    context.drawImage(this.#canvas, 0, line, this.#held.width, lines, to.x, to.y, to.width, to.height);
  }
}

/** A frame of the flame view: boxes as high as a row less a line, the critical path at their feet. Device pixels. */
export class FlameBlitter {
  readonly #boxes = new Blitter();
  readonly #critical = new Blitter();

  draw(context: CanvasRenderingContext2D, frame: FlameFrame, top: number, rowHeight: number, scale: number): void {
    this.#boxes.load(frame.boxes);
    this.#critical.load(frame.critical);
    const gap = Math.max(1, Math.round(scale));
    const foot = 2 * gap;
    const { width, height: lines } = frame.boxes;
    for (let line = 0; line < lines; line++) {
      const y = top + line * rowHeight;
      this.#boxes.draw(context, line, 1, { x: 0, y, width, height: rowHeight - gap });
      this.#critical.draw(context, line, 1, { x: 0, y: y + rowHeight - gap - foot, width, height: foot });
    }
  }
}
