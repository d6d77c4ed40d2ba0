// The text of a file, read piece by piece: compressed or not, told how far it is, and refused where it is too large.

import type { FileProgress } from './messages.ts';

/** What a browser holds as one text, with what is made of it. Of a compressed file: when it is unpacked. */
export const FILE_BYTES_MAX = 256_000_000;

const TELL_EVERY_BYTES = 4_000_000;
const GZIP = [0x1f, 0x8b];

export type ReadOptions = { readonly signal: AbortSignal; readonly onProgress: (progress: FileProgress) => void };

export async function readText(file: Blob, { signal, onProgress }: ReadOptions): Promise<string> {
  const isPacked = await isGzip(file);
  if (!isPacked && file.size > FILE_BYTES_MAX) throw tooLarge(megabytes(file.size));
  let read = 0;
  let told = 0;
  onProgress({ read, all: file.size });
  const counted = file.stream().pipeThrough(
    new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform(chunk, controller) {
        signal.throwIfAborted();
        read += chunk.byteLength;
        if (read - told >= TELL_EVERY_BYTES || read >= file.size) {
          told = read;
          onProgress({ read, all: file.size });
        }
        controller.enqueue(chunk);
      },
    }),
  );
  const bytes = isPacked ? counted.pipeThrough(new DecompressionStream('gzip')) : counted;
  const decoder = new TextDecoder();
  const pieces: string[] = [];
  let unpacked = 0;
  const reader = bytes.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      unpacked += value.byteLength;
      if (unpacked > FILE_BYTES_MAX) throw tooLarge(`${megabytes(unpacked)} or more, unpacked`);
      pieces.push(decoder.decode(value, { stream: true }));
    }
  } catch (cause) {
    reader.cancel().catch(() => undefined);
    // The browser's own words say neither what was unpacked nor where.
    if (isPacked && !signal.aborted && !(cause instanceof FileTooLarge))
      throw new Error(`it could not be unpacked after ${megabytes(read)} of ${megabytes(file.size)}: was it cut off?`);
    throw cause;
  }
  return pieces.join('') + decoder.decode();
}

async function isGzip(file: Blob): Promise<boolean> {
  const start = new Uint8Array(await file.slice(0, GZIP.length).arrayBuffer());
  return GZIP.every((byte, i) => start[i] === byte);
}

class FileTooLarge extends Error {}

function tooLarge(size: string): Error {
  const most = `at most ${megabytes(FILE_BYTES_MAX)} are read here; send it to the server, which holds more`;
  return new FileTooLarge(`it has ${size}: ${most}`);
}

function megabytes(bytes: number): string {
  return bytes < 1e5 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}
