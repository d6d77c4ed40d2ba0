// The exercise in docs/tutorial: it calls things as they are called, and its pictures are there.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

import { EXERCISE, HOME, PROJECT } from './support.js';

const FOLDER = dirname(EXERCISE);
const PICTURES_MAX = 10;
const PICTURE_BYTES_MAX = 150_000;
const PICTURE_WIDTH = 1_280;
/** A text of the app with so few letters of its own would match everything. */
const LETTERS_MIN = 4;

const exercise = readFileSync(EXERCISE, 'utf8');
const prose = exercise.replace(/```.*?```/gs, '');

test('what the exercise calls by name is called so in the app and in the shop', () => {
  const texts = readdirSync(join(PROJECT, 'web', 'src'), { recursive: true })
    .filter((path) => /(^|\/)text\.ts$/.test(path))
    .map((path) => readFileSync(join(PROJECT, 'web', 'src', path), 'utf8'))
    .join('\n');
  const words = wordsOf(texts);
  const labels = [...prose.matchAll(/\*\*(.+?)\*\*/gs)].map(([, label]) => label.replace(/\s+/g, ' '));
  assert.ok(labels.length > 20, `${labels.length} labels`);
  const unknown = labels.filter((label) => label !== 'Bold' && !words.some((word) => word.test(label)));
  assert.deepEqual(unknown, []);

  const code = ['page.js', 'storefront.js', 'payment.js'].map((file) => readFileSync(join(HOME, file), 'utf8'));
  const page = code.join('\n');
  const quoted = [...prose.matchAll(/“(.+?)”/gs)].map(([, text]) => text.replace(/\s+/g, ' '));
  assert.deepEqual(quoted.filter((text) => text !== 'quotes' && !page.includes(text)), []);
});

test('every picture of the exercise is there, fits, and is shown', () => {
  const shown = [...exercise.matchAll(/!\[[^\]]+\]\(([\w-]+\.png)\)/g)].map(([, file]) => file).sort();
  const there = readdirSync(FOLDER).filter((file) => file.endsWith('.png')).sort();
  assert.deepEqual(shown, there);
  assert.ok(there.length <= PICTURES_MAX);
  for (const file of there) {
    const bytes = readFileSync(join(FOLDER, file));
    assert.ok(bytes.length <= PICTURE_BYTES_MAX, `${file}: ${bytes.length} bytes`);
    assert.equal(bytes.readUInt32BE(16), PICTURE_WIDTH, file);
  }
});

/** The texts of the app as patterns: what is put into them can be anything. */
function wordsOf(source) {
  const literals = [...source.matchAll(/'((?:[^'\\\n]|\\.)+)'|`((?:[^`\\]|\\.)+)`/g)];
  return literals.flatMap(([, plain, made]) => {
    const literal = plain ?? made;
    const parts = literal.split(/\$\{(?:[^{}]|\{[^{}]*\})*\}/);
    if (parts.length > 1 && parts.join('').trim().length < LETTERS_MIN) return [];
    return [new RegExp(`^${parts.map((part) => part.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')).join('.+')}$`)];
  });
}
