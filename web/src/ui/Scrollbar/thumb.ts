// Where the thumb of a scroll bar is, and what place of it means which value.

export const minThumb = 24;

type Bar = { page: number; total: number; length: number };

function sizeOf({ page, total, length }: Bar): number {
  return Math.min(length, Math.max(minThumb, total > 0 ? (length * page) / total : length));
}

export function thumbOf(bar: Bar & { value: number }): { start: number; size: number } {
  const size = sizeOf(bar);
  const max = bar.total - bar.page;
  return { size, start: max > 0 ? ((bar.length - size) * bar.value) / max : 0 };
}

export function valueAt(bar: Bar & { start: number }): number {
  const room = bar.length - sizeOf(bar);
  if (room <= 0) return 0;
  return Math.min(1, Math.max(0, bar.start / room)) * Math.max(0, bar.total - bar.page);
}
