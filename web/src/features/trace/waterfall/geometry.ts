// Where entries of the list are, in pixels from the first one: all are as high as each other but for one gap, in which
// details stand when they are shown among the rows. A million rows are more than a page may be high, so numbers only.

export type Geometry = {
  readonly count: number;
  readonly rowHeight: number;
  /** Below the entry at `after`; null: none. */
  readonly gap: { readonly after: number; readonly height: number } | null;
};

export function topOf(g: Geometry, index: number): number {
  return index * g.rowHeight + (g.gap !== null && index > g.gap.after ? g.gap.height : 0);
}

export function totalHeight(g: Geometry): number {
  return topOf(g, g.count);
}

/** The entry at a height; within the gap the one above it. Not bounded by the list. */
export function indexAt(g: Geometry, y: number): number {
  const { rowHeight, gap } = g;
  if (gap === null) return Math.floor(y / rowHeight);
  const gapTop = (gap.after + 1) * rowHeight;
  if (y < gapTop) return Math.floor(y / rowHeight);
  return y < gapTop + gap.height ? gap.after : Math.floor((y - gap.height) / rowHeight);
}

export function isInGap(g: Geometry, y: number): boolean {
  if (g.gap === null) return false;
  const top = (g.gap.after + 1) * g.rowHeight;
  return y >= top && y < top + g.gap.height;
}

export function clampScroll(g: Geometry, top: number, height: number): number {
  return Math.min(Math.max(0, top), Math.max(0, totalHeight(g) - height));
}

/** The scroll position that shows an entry: as it is where it is seen, else as near, or in the middle when far. */
export function scrollTo(g: Geometry, index: number, top: number, height: number): number {
  const y = topOf(g, index);
  const { rowHeight } = g;
  if (y >= top && y + rowHeight <= top + height) return top;
  const isNear = y > top - 2 * rowHeight && y < top + height + rowHeight;
  const wanted = isNear ? (y < top ? y : y + rowHeight - height) : y - height / 2 + rowHeight / 2;
  return clampScroll(g, wanted, height);
}
