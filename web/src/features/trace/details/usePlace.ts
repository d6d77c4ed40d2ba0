// Where details stand: as the reader likes, at the bottom where there is no room at the right.

import { usePreferences } from '../../../core/preferences.ts';
import { useMedia } from '../useMedia.ts';

export function usePlace(): 'right' | 'bottom' | 'inline' {
  const { panel } = usePreferences();
  const isNarrow = useMedia('(width < 900px)');
  return panel === 'right' && isNarrow ? 'bottom' : panel;
}
