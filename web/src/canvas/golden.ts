// Compares painted pixels with a committed file, for tests.
//
// The file is text: one character a pixel, one line a row of pixels, the colours of the characters above them, so that
// a change shows in a diff where it happened. `UPDATE=1 npx vitest run` writes what was painted.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { Pixels } from './pixels.ts';

const CHARACTERS = '.#abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** `notes` are lines of their own, for texts. */
export function expectGolden(name: string, pixels: Pixels, notes: readonly string[] = []): void {
  const file = fileURLToPath(new URL(`./golden/${name}.txt`, import.meta.url));
  const painted = printed(pixels, notes);
  if (process.env['UPDATE'] === '1') {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, painted);
  }
  expect(existsSync(file), `no golden file for ${name}; UPDATE=1 writes it`).toBe(true);
  expect(painted).toBe(readFileSync(file, 'utf8'));
}

function printed(pixels: Pixels, notes: readonly string[]): string {
  const names = new Map<number, string>();
  const lines: string[] = [];
  for (let y = 0; y < pixels.height; y++) {
    let line = '';
    for (let x = 0; x < pixels.width; x++) {
      const pixel = pixels.data[y * pixels.width + x] as number;
      const known = names.get(pixel) ?? CHARACTERS[names.size] ?? '?';
      names.set(pixel, known);
      line += known;
    }
    lines.push(line);
  }
  const legend = [...names].map(([pixel, character]) => `${character} ${hex(pixel)}`);
  return `${[...legend, ...notes, '', ...lines].join('\n')}\n`;
}

function hex(pixel: number): string {
  const bytes = [pixel & 255, (pixel >>> 8) & 255, (pixel >>> 16) & 255, pixel >>> 24];
  return `#${bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}
