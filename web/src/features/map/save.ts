// Saves the picture of the map as a file.

import type { Theme } from '../../theme/tokens.ts';
import type { Drawn } from './calls.ts';
import type { Placed } from './geometry.ts';
import type { Metric } from './scale.ts';

function themeNow(): Theme {
  const chosen = document.documentElement.dataset['theme'];
  const isDark = chosen === undefined ? matchMedia('(prefers-color-scheme: dark)').matches : chosen === 'dark';
  return isDark ? 'dark' : 'light';
}

export async function savePicture(kind: 'png' | 'svg', drawn: Drawn, placed: Placed, metric: Metric): Promise<void> {
  const { pictureOf, pngBlob, svgText } = await import('./picture.ts');
  const picture = pictureOf(drawn, placed, metric, themeNow());
  const blob = kind === 'png' ? await pngBlob(picture) : new Blob([svgText(picture)], { type: 'image/svg+xml' });
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = `trackway-map.${kind}`;
  link.click();
  // The download has begun by then; an address that is kept holds the picture in memory.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
