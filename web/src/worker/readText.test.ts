// The text of a file: packed or not, with how far it is, and an end for what is too large or broken.

import { gzipSync } from 'node:zlib';
import { expect, test, vi } from 'vitest';
import { FILE_BYTES_MAX, readText } from './readText.ts';

const options = () => ({ signal: new AbortController().signal, onProgress: vi.fn() });

test('plain and packed files are read as they are, whatever they are called', async () => {
  const text = 'ä'.repeat(100_000);
  expect(await readText(new Blob([text]), options())).toBe(text);
  expect(await readText(new Blob([gzipSync(text)]), options())).toBe(text);
  expect(await readText(new Blob([]), options())).toBe('');
});

test('it tells how far it is, and that all of it is read', async () => {
  const { signal, onProgress } = options();
  await readText(new Blob(Array.from({ length: 9 }, () => 'x'.repeat(1_000_000))), { signal, onProgress });
  const told = onProgress.mock.calls.map(([{ read, all }]) => [read, all]);
  expect(told[0]).toEqual([0, 9_000_000]);
  expect(told.at(-1)).toEqual([9_000_000, 9_000_000]);
  expect(told.length).toBeGreaterThan(2);
});

test('what is too large is refused with the size that is allowed; a broken archive says where it broke', async () => {
  const huge = { size: FILE_BYTES_MAX + 1, slice: () => new Blob(['{"']) } as unknown as Blob;
  await expect(readText(huge, options())).rejects.toThrow(/it has 256 MB: at most 256 MB are read here/);
  const packed = gzipSync(Array.from({ length: 50_000 }, (_, i) => i * 7919).join());
  await expect(readText(new Blob([packed.subarray(0, 9_000)]), options())).rejects.toThrow(
    /could not be unpacked after 9 kB of 9 kB/,
  );
});

test('who gives up is not kept waiting', async () => {
  const abort = new AbortController();
  const reading = readText(new Blob(['x'.repeat(100_000)]), {
    signal: abort.signal,
    onProgress: () => abort.abort(new Error('left')),
  });
  await expect(reading).rejects.toThrow('left');
});
