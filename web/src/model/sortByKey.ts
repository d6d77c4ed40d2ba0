// Sorts a part of a list of rows by a column, keeping the order of equals.
//
// A merge of the runs that are there: rows come in pre-order and are nearly sorted by start, which a sort with a
// comparison function does not notice and takes ten times as long for.

export function sortByKey(rows: Uint32Array, key: Float64Array, low: number, high: number, spare: Uint32Array): void {
  let bounds = runsOf(rows, key, low, high);
  let from = rows;
  let to = spare;
  while (bounds.length > 2) {
    const merged: number[] = [low];
    for (let r = 0; r + 1 < bounds.length; r += 2) {
      const a = bounds[r] as number;
      const b = bounds[r + 1] as number;
      const c = bounds[r + 2] ?? b;
      merge(from, to, key, a, b, c);
      merged.push(c);
    }
    [from, to] = [to, from];
    bounds = merged;
  }
  if (from !== rows) rows.set(from.subarray(low, high), low);
}

/** Where ascending runs begin, and the end. */
function runsOf(rows: Uint32Array, key: Float64Array, low: number, high: number): number[] {
  const bounds = [low];
  for (let i = low + 1; i < high; i++) {
    if ((key[rows[i] as number] as number) < (key[rows[i - 1] as number] as number)) bounds.push(i);
  }
  bounds.push(high);
  return bounds;
}

function merge(from: Uint32Array, to: Uint32Array, key: Float64Array, low: number, middle: number, high: number): void {
  let a = low;
  let b = middle;
  for (let i = low; i < high; i++) {
    const isLeft =
      a < middle && (b >= high || (key[from[a] as number] as number) <= (key[from[b] as number] as number));
    to[i] = from[isLeft ? a++ : b++] as number;
  }
}
