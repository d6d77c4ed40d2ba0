// The height of a row as the density says it.

import { useSyncExternalStore } from 'react';

function subscribe(listener: () => void): () => void {
  const observer = new MutationObserver(listener);
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['data-density'] });
  return () => observer.disconnect();
}

export function useRowHeight(): number {
  return useSyncExternalStore(subscribe, () => {
    const text = getComputedStyle(document.documentElement).getPropertyValue('--row');
    return Number.parseFloat(text) || 24;
  });
}
