// The colours of canvases: those of the theme, or the system's own where it forces colours. Follows changes of either.

import { useSyncExternalStore } from 'react';
import { DARK, LIGHT, type Theme } from '../../../canvas/theme.ts';

let known: { name: string; theme: Theme } | null = null;

function isForced(): boolean {
  return matchMedia('(forced-colors: active)').matches;
}

function nameNow(): string {
  const chosen = document.documentElement.dataset['theme'];
  const isDark = chosen === undefined ? matchMedia('(prefers-color-scheme: dark)').matches : chosen === 'dark';
  return `${isForced() ? 'forced' : 'own'} ${isDark ? 'dark' : 'light'}`;
}

function subscribe(listener: () => void): () => void {
  const observer = new MutationObserver(listener);
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme', 'data-density'] });
  const medias = ['(prefers-color-scheme: dark)', '(forced-colors: active)'].map((query) => matchMedia(query));
  for (const media of medias) media.addEventListener('change', listener);
  return () => {
    observer.disconnect();
    for (const media of medias) media.removeEventListener('change', listener);
  };
}

function read(): Theme {
  const name = nameNow();
  if (known?.name !== name) known = { name, theme: themeOf(name) };
  return known.theme;
}

export function useCanvasTheme(): Theme {
  return useSyncExternalStore(subscribe, read);
}

function themeOf(name: string): Theme {
  const own = name.endsWith('dark') ? DARK : LIGHT;
  if (!name.startsWith('forced')) return own;
  const text = systemColour('CanvasText', own.text);
  const highlight = systemColour('Highlight', own.accent);
  return {
    ...own,
    background: systemColour('Canvas', own.background),
    line: text,
    text,
    textSecondary: text,
    accent: highlight,
    critical: highlight,
    criticalHalo: systemColour('Canvas', own.background),
  };
}

function systemColour(name: string, fallback: string): string {
  const probe = document.createElement('span');
  probe.style.color = name;
  document.body.append(probe);
  const parts = /rgba?\((\d+), (\d+), (\d+)/.exec(getComputedStyle(probe).color);
  probe.remove();
  if (parts === null) return fallback;
  return `#${[1, 2, 3].map((i) => Number(parts[i]).toString(16).padStart(2, '0')).join('')}`;
}

/** The height of a row as the density says it. */
export function useRowHeight(): number {
  return useSyncExternalStore(subscribe, () => {
    const text = getComputedStyle(document.documentElement).getPropertyValue('--row');
    return Number.parseFloat(text) || 24;
  });
}
