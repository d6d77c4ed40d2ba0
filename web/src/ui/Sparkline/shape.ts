// The SVG paths of a sparkline. Gaps stay gaps; a lone point becomes a dot; a value above zero is never invisible.

type Size = { width: number; height: number; top: number };

const round = (n: number) => Math.round(n * 10) / 10;

export function pathOf(values: readonly (number | null)[], { width, height, top }: Size): string {
  const stepX = values.length > 1 ? (width - 2) / (values.length - 1) : 0;
  const parts: string[] = [];
  for (const [i, value] of values.entries()) {
    if (value === null) continue;
    const x = round(1 + i * stepX);
    const y = round(height - 1 - (top > 0 ? (value / top) * (height - 2) : 0));
    const isStart = i === 0 || values[i - 1] === null;
    const isAlone = isStart && (values[i + 1] ?? null) === null;
    parts.push(isAlone ? `M${x - 1} ${y}h2` : `${isStart ? 'M' : 'L'}${x} ${y}`);
  }
  return parts.join('');
}

export function barsOf(values: readonly (number | null)[], { width, height, top }: Size): string {
  const stepX = width / Math.max(1, values.length);
  const barWidth = Math.max(1, Math.floor(stepX) - 1);
  const parts: string[] = [];
  for (const [i, value] of values.entries()) {
    if (!value || top <= 0) continue;
    const size = Math.max(1, round((value / top) * height));
    parts.push(`M${round(i * stepX)} ${height}v${-size}h${barWidth}v${size}z`);
  }
  return parts.join('');
}
