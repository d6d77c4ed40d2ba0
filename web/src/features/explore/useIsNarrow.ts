// Whether the window is too narrow for side panels and long rows.

import { useSyncExternalStore } from 'react';

const query = typeof matchMedia === 'function' ? matchMedia('(width < 640px)') : null;

export function useIsNarrow(): boolean {
  return useSyncExternalStore(
    (listener) => {
      query?.addEventListener('change', listener);
      return () => query?.removeEventListener('change', listener);
    },
    () => query?.matches ?? false,
  );
}
