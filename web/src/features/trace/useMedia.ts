// Whether a media query holds, for what style sheets cannot do.

import { useSyncExternalStore } from 'react';

export const NARROW = '(width < 640px)';

export function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (listener) => {
      const media = matchMedia(query);
      media.addEventListener('change', listener);
      return () => media.removeEventListener('change', listener);
    },
    () => matchMedia(query).matches,
  );
}
