// Where details stand: as the reader likes, at the bottom where there is no room at the right.

import { useSyncExternalStore } from 'react';
import { usePreferences } from '../../../core/preferences.ts';

const NARROW = '(width < 900px)';

function subscribe(listener: () => void): () => void {
  const media = matchMedia(NARROW);
  media.addEventListener('change', listener);
  return () => media.removeEventListener('change', listener);
}

export function usePlace(): 'right' | 'bottom' | 'inline' {
  const { panel } = usePreferences();
  const isNarrow = useSyncExternalStore(subscribe, () => matchMedia(NARROW).matches);
  return panel === 'right' && isNarrow ? 'bottom' : panel;
}
