// A set of rows as bits: an eighth of a byte a row.
//
// Indexes at or past the length are never members; `words` is public for loops that look at millions of rows.

export class Bits {
  readonly length: number;
  readonly words: Uint32Array;

  constructor(length: number, words: Uint32Array = new Uint32Array((length + 31) >>> 5)) {
    this.length = length;
    this.words = words;
  }

  has(index: number): boolean {
    return index < this.length && ((this.words[index >>> 5] as number) & (1 << (index & 31))) !== 0;
  }

  add(index: number): void {
    if (index < this.length) this.words[index >>> 5] = (this.words[index >>> 5] as number) | (1 << (index & 31));
  }

  delete(index: number): void {
    if (index < this.length) this.words[index >>> 5] = (this.words[index >>> 5] as number) & ~(1 << (index & 31));
  }

  clear(): void {
    this.words.fill(0);
  }

  get isEmpty(): boolean {
    return this.words.every((word) => word === 0);
  }

  /** Members in `[from, to)`. */
  count(from = 0, to = this.length): number {
    const end = Math.min(to, this.length);
    if (from >= end) return 0;
    const first = from >>> 5;
    const last = (end - 1) >>> 5;
    let total = 0;
    for (let w = first; w <= last; w++) {
      let word = this.words[w] as number;
      if (w === first) word &= -1 << (from & 31);
      if (w === last && (end & 31) !== 0) word &= ~(-1 << (end & 31));
      total += ones(word);
    }
    return total;
  }

  /** The first member at or after `from`, or -1. */
  next(from: number): number {
    if (from >= this.length) return -1;
    const start = Math.max(0, from);
    let w = start >>> 5;
    let word = (this.words[w] as number) & (-1 << (start & 31));
    while (word === 0) {
      if (++w >= this.words.length) return -1;
      word = this.words[w] as number;
    }
    return w * 32 + 31 - Math.clz32(word & -word);
  }

  /** The last member at or before `from`, or -1. */
  previous(from: number): number {
    if (from < 0) return -1;
    const start = Math.min(from, this.length - 1);
    if (start < 0) return -1;
    let w = start >>> 5;
    let word = (this.words[w] as number) & (-1 >>> (31 - (start & 31)));
    while (word === 0) {
      if (--w < 0) return -1;
      word = this.words[w] as number;
    }
    return w * 32 + 31 - Math.clz32(word);
  }

  copy(): Bits {
    return new Bits(this.length, this.words.slice());
  }
}

function ones(word: number): number {
  let v = word - ((word >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
