// Cuts a body that arrives in pieces into whole Arrow messages.
//
// The body of `/skeleton` is several Arrow IPC streams one after the other, each preceded by its length in bytes as a
// little-endian u32. Arrow wants every message in one piece and at a multiple of eight bytes, which neither the network
// nor the length in front of a stream gives, so a message is copied once, into memory of its own.
//
// Lengths are checked before memory is taken: a body that is no Arrow at all fails with `DecodeError`. It is no defence
// against a server that forges messages; the only one asked is that which sent the page.

const MESSAGE_BYTES_MAX = 256 * 1024 * 1024;
const METADATA_BYTES_MAX = 16 * 1024 * 1024;
/** Prefix of a message: the continuation mark, then the length of the metadata. */
const PREFIX_BYTES = 8;
const CONTINUATION = 0xffffffff;

/** The bytes are not what they should be. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
}

export interface Frame {
  /** Which of the streams it is from. */
  readonly stream: number;
  /** A whole message; null: the end of the stream. */
  readonly message: Uint8Array | null;
}

export class ArrowFrames {
  readonly #queue = new ByteQueue();
  #stream = -1;
  /** Bytes of the current stream that are still to come. */
  #left = 0;
  #isEnded = true;
  /** Bytes that the message at hand needs; fewer are not worth another look. */
  #wanted = 0;

  push(chunk: Uint8Array): void {
    this.#queue.push(chunk);
  }

  /** The next frame, or null until more bytes are pushed. */
  next(): Frame | null {
    while (this.#left === 0) {
      if (!this.#isEnded) {
        this.#isEnded = true;
        return { stream: this.#stream, message: null };
      }
      const head = this.#queue.peek(4);
      if (head === null) return null;
      this.#left = u32(head, 0);
      this.#queue.skip(4);
      this.#stream += 1;
      this.#isEnded = false;
    }
    return this.#nextOfStream();
  }

  /** Fails when the body ended inside a stream. */
  end(): void {
    if (this.#left > 0 || this.#queue.length > 0) throw new DecodeError('the trace was cut off on its way');
  }

  #nextOfStream(): Frame | null {
    const queue = this.#queue;
    if (this.#isEnded) {
      // Padding behind the end mark.
      const some = Math.min(this.#left, queue.length);
      queue.skip(some);
      this.#left -= some;
      return this.#left === 0 ? this.next() : null;
    }
    if (queue.length < this.#wanted) return null;
    const prefix = queue.peek(Math.min(PREFIX_BYTES, this.#left));
    if (prefix === null) return null;
    if (prefix.length < PREFIX_BYTES || u32(prefix, 0) !== CONTINUATION)
      throw new DecodeError('the answer is not an Arrow stream');
    const metadataBytes = u32(prefix, 4);
    if (metadataBytes === 0) {
      this.#isEnded = true;
      this.#consume(PREFIX_BYTES);
      return { stream: this.#stream, message: null };
    }
    if (metadataBytes > METADATA_BYTES_MAX)
      throw new DecodeError(`an Arrow message has ${metadataBytes} bytes of metadata`);
    const metadata = queue.peek(PREFIX_BYTES + metadataBytes);
    if (metadata === null) return null;
    const bytes = PREFIX_BYTES + metadataBytes + bodyBytes(metadata.subarray(PREFIX_BYTES));
    if (bytes > MESSAGE_BYTES_MAX || bytes > this.#left)
      throw new DecodeError(`an Arrow message of ${bytes} bytes does not fit`);
    const message = queue.take(bytes);
    this.#wanted = message === null ? bytes : 0;
    if (message === null) return null;
    this.#left -= bytes;
    return { stream: this.#stream, message };
  }

  #consume(bytes: number): void {
    this.#queue.skip(bytes);
    this.#left -= bytes;
  }
}

function u32(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset + at, 4).getUint32(0, true);
}

/** `bodyLength` of a flatbuffer `Message`: its fourth field. */
function bodyBytes(metadata: Uint8Array): number {
  const view = new DataView(metadata.buffer, metadata.byteOffset, metadata.byteLength);
  try {
    const table = view.getUint32(0, true);
    const vtable = table - view.getInt32(table, true);
    const field = view.getUint16(vtable, true) > 10 ? view.getUint16(vtable + 10, true) : 0;
    const length = field === 0 ? 0 : Number(view.getBigInt64(table + field, true));
    if (length < 0) throw new DecodeError('an Arrow message has a negative length');
    return length;
  } catch (cause) {
    if (cause instanceof RangeError) throw new DecodeError('an Arrow message is broken');
    throw cause;
  }
}

/** Bytes in the order they came, without joining the pieces before somebody wants them in one. */
class ByteQueue {
  #chunks: Uint8Array[] = [];
  /** The first chunk that still has bytes, and how many of it are used. */
  #first = 0;
  #used = 0;
  length = 0;

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.length += chunk.length;
  }

  /** The next bytes, which stay in the queue. */
  peek(bytes: number): Uint8Array | null {
    if (bytes > this.length) return null;
    const head = this.#chunks[this.#first];
    if (head !== undefined && head.length - this.#used >= bytes) return head.subarray(this.#used, this.#used + bytes);
    return this.#copy(bytes);
  }

  take(bytes: number): Uint8Array | null {
    if (bytes > this.length) return null;
    const taken = this.#copy(bytes);
    this.skip(bytes);
    return taken;
  }

  skip(bytes: number): void {
    let left = bytes;
    this.length -= bytes;
    while (left > 0) {
      const rest = (this.#chunks[this.#first] as Uint8Array).length - this.#used;
      if (left < rest) {
        this.#used += left;
        break;
      }
      left -= rest;
      this.#first += 1;
      this.#used = 0;
    }
    if (this.#first > 64 || this.length === 0) {
      this.#chunks = this.#chunks.slice(this.#first);
      this.#first = 0;
    }
  }

  #copy(bytes: number): Uint8Array {
    const copy = new Uint8Array(bytes);
    let filled = 0;
    for (let c = this.#first; filled < bytes; c++) {
      const chunk = this.#chunks[c] as Uint8Array;
      const from = c === this.#first ? this.#used : 0;
      const part = chunk.subarray(from, from + bytes - filled);
      copy.set(part, filled);
      filled += part.length;
    }
    return copy;
  }
}
