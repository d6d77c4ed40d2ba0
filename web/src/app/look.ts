// Theme and density as attributes of the document, so that styles need no script.

import { routeNow } from '../core/navigation.ts';
import { preferences } from '../core/preferences.ts';

/** Of the reader; in a frame the page around decides about the theme. */
export function applyLook(): void {
  const { theme, density } = preferences();
  const framed = routeNow().embed.theme;
  const chosen = framed ?? (theme === 'system' ? null : theme);
  const { dataset } = document.documentElement;
  if (chosen === null) delete dataset['theme'];
  else dataset['theme'] = chosen;
  dataset['density'] = density;
}
